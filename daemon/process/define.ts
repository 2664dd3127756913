// define.ts: making the definition of a node, recognising one, and reading it as the host needs it.

import type { Messages } from '../message/message.js'
import { MessageTable } from '../message/table.js'
import type { AnyOptions, CounterSpec, DefinedNode, ProcessNode, ProcessNodeOptions, Severity } from './node.js'
import { type CompiledPeer, type Peers, tablesOf } from './peers.js'

// Registered, because a node module may bring its own copy of this package.
const brand = Symbol.for('corod.processNode')

/**
 * Defines a process node: one coroutine, and the names it may use. A wrong message, field, next node or counter does
 * not compile.
 *
 * @example
 * export default processNode({
 *   messages: { enable: message(1, { dest: ip4 }) },
 *   counters: { seen: 'enables seen' },
 *   async run(vm, node) {
 *     for await (const event of node.inbox) if (event.type === 'enable') node.count('seen')
 *   },
 * })
 * @throws Error for a definition that could never run: names that the host does not take, codes or fields that cannot be.
 */
export function processNode<
  const M extends Messages = Record<never, never>,
  const Next extends string = never,
  const Counter extends string = never,
  Data = undefined,
  Options = AnyOptions,
  const P extends Peers = Record<never, never>,
  const Signalled extends string = never,
>(
  definition: ProcessNodeOptions<M, Next, Counter, Data, Options, P, Signalled>,
): DefinedNode<M, Next, Counter, Data, Options, P, Signalled> {
  const { messages, next, counters, options, data, peers, signals, run } = definition
  const made = {
    [brand]: true,
    messages: messages ?? ({} as M),
    next: next ?? [],
    counters: counters ?? ({} as Readonly<Record<Counter, CounterSpec>>),
    options,
    data,
    peers: tablesOf(peers ?? {}) as DefinedNode<M, Next, Counter, Data, Options, P>['peers'],
    signals: signals ?? [],
    run,
  }
  compileNode(made)
  return Object.freeze(made)
}

/** Whether a value, of whatever copy of this package, is a node. */
export function isProcessNode(value: unknown): value is ProcessNode {
  return typeof value === 'object' && value !== null && brand in value
}

/** An error counter as the host registers it. */
export interface Counter {
  readonly name: string
  readonly text: string
  readonly severity: Severity
}

/** A definition as the host needs it: names in order, so that an index stands for each. */
export interface CompiledNode {
  readonly table: MessageTable
  readonly next: readonly string[]
  readonly counters: readonly Counter[]
  readonly peers: readonly CompiledPeer[]
  readonly signals: readonly string[]
}

const severities: readonly string[] = ['info', 'warn', 'error']

/** How many of each a host takes: COROD_MAX_NEXT, _COUNTERS and _CODES of shm/handshake.h; a test compares them. */
export const registrationLimits = { next: 64, counters: 128, messages: 256 } as const

/** As many as there may be next nodes; the host itself has no limit for a node. */
const mostSignals = 64

function few(what: keyof typeof registrationLimits, names: object): void {
  const [count, most] = [Object.keys(names).length, registrationLimits[what]]
  if (count > most) throw new TypeError(`${what}: ${count} are too many, a node has at most ${most}`)
}

/** Reads and checks a definition. Throws for one that could never run. */
export function compileNode(definition: ProcessNode): CompiledNode {
  if (typeof definition.run !== 'function') throw new TypeError('a process node has a function "run"')
  few('next', definition.next)
  few('counters', definition.counters)
  few('messages', definition.messages)
  for (const name of definition.next) {
    if (typeof name !== 'string' || !/^[\x21-\x7e]{1,63}$/.test(name)) {
      throw new TypeError(`next node ${JSON.stringify(name)}: 1 to 63 printable characters`)
    }
  }
  if (new Set(definition.next).size !== definition.next.length) throw new TypeError('a next node is there twice')
  // A module may bring a copy of this package that is older than these.
  const { peers = {}, signals = [] } = definition as Partial<ProcessNode>
  if (signals.length > mostSignals) {
    throw new TypeError(`signals: ${signals.length} are too many, a node has at most ${mostSignals}`)
  }
  for (const name of signals) {
    if (typeof name !== 'string' || !/^[\x21-\x7e]{1,63}$/.test(name)) {
      throw new TypeError(`process node ${JSON.stringify(name)} in signals: 1 to 63 printable characters`)
    }
  }
  const counters = Object.entries<CounterSpec>(definition.counters).map(([name, spec]) => counter(name, spec))
  return {
    table: new MessageTable(definition.messages),
    next: [...definition.next],
    counters,
    peers: Object.entries(peers).map(([key, messages]) => peer(key, messages)),
    signals: [...signals],
  }
}

function peer(key: string, messages: Messages): CompiledPeer {
  if (!/^[A-Za-z0-9_.-]{1,63}$/.test(key)) throw new TypeError(`peer "${key}": use 1 to 63 of A-Z a-z 0-9 _ . -`)
  try {
    return { key, table: new MessageTable(messages) }
  } catch (error) {
    throw new TypeError(`peer "${key}": ${error instanceof Error ? error.message : error}`, { cause: error })
  }
}

function counter(name: string, spec: CounterSpec): Counter {
  const { text, severity = 'info' } = typeof spec === 'string' ? { text: spec } : spec
  if (!/^[A-Za-z0-9_.-]{1,63}$/.test(name)) throw new TypeError(`counter "${name}": use 1 to 63 of A-Z a-z 0-9 _ . -`)
  if (typeof text !== 'string' || Buffer.byteLength(text) > 127 || !/^[^\p{Cc}]+$/u.test(text)) {
    throw new TypeError(`counter "${name}": a description of 1 to 127 bytes, without control characters`)
  }
  if (!severities.includes(severity)) throw new TypeError(`counter "${name}": severity info, warn or error`)
  return { name, text, severity }
}
