// runtime.ts: one life of a node: runs its coroutine on a port, and ends it.
//
//   run() ─ running ─ close(): the inbox ends after what is queued ─┐
//              │                                                    ├─ run() resolves
//              └──── destroy(): every wait rejects, finally runs ───┘

import type { AnyEvent, Messages } from '../message/message.js'
import { Clock } from './clock.js'
import { type CompiledNode, compileNode } from './define.js'
import { invalid, NodeStoppedError } from './errors.js'
import { Inbox } from './inbox.js'
import type { Enqueue, Log, ProcessContext, ProcessNode } from './node.js'
import { dismiss, enrol, findOwner, findSuspects, type Owner, runOwned } from './owner.js'
import { NodePeers } from './peers.js'
import type { NodePort } from './port.js'
import type { Receiver } from './receiver.js'
import { NodeVm } from './vm.js'
import { Scope } from './waits.js'
import { Work } from './work.js'

const noInterface = 0xffff_ffff
const maxPacket = 9216

/** The lives whose `vm` or `node` an object is. */
const given = new WeakMap<object, Owner>()

/** How a life of a node ended: `run` returned, it threw (or an error elsewhere was the node's), or it was destroyed. */
export type RunResult =
  /** `run` returned: all that it had in hand is finished with. */
  | { readonly how: 'returned' }
  /** `run` threw, or an error elsewhere was the node's. What it had in hand is not released. */
  | { readonly how: 'failed'; readonly error: unknown }
  /** It was destroyed. What it had in hand is not released, unless `run` returned all the same. */
  | { readonly how: 'stopped' }

/** One life of a node. Starting it again takes a new one. */
export class NodeRuntime<E = AnyEvent> implements Owner {
  readonly name: string
  readonly codeUrl: string | undefined
  readonly #definition: ProcessNode
  readonly #port: NodePort<E>
  readonly #scope = new Scope(this)
  readonly #clock: Clock
  readonly #inbox: Inbox<E>
  readonly #vm: NodeVm
  readonly #compiled: CompiledNode
  readonly #peers: NodePeers
  #state: 'new' | 'running' | 'ended' = 'new'
  #failure: { readonly error: unknown } | undefined

  /** `compiled` spares compiling a definition again that several nodes or lives share. */
  constructor(definition: ProcessNode, port: NodePort<E>, compiled: CompiledNode = compileNode(definition)) {
    this.name = port.name
    this.codeUrl = port.codeUrl
    this.#definition = definition
    this.#port = port
    this.#compiled = compiled
    this.#clock = new Clock(port)
    this.#inbox = new Inbox(port, this.#scope)
    this.#vm = new NodeVm(port, this.#scope, this.#clock)
    this.#peers = new NodePeers(port, this.#scope, this.#clock, compiled.peers)
  }

  /** Runs the coroutine to its end. Never rejects. Once only. */
  async run(): Promise<RunResult> {
    if (this.#state !== 'new') throw invalid('a runtime runs once')
    this.#state = 'running'
    enrol(this)
    const result = await this.#live()
    this.#state = 'ended'
    this.#stop(new NodeStoppedError(this.name))
    dismiss(this)
    return result
  }

  /** The host says: there may be events, or the inbox may have been closed. */
  ready(): void {
    if (this.#scope.stopped === undefined) this.#inbox.wake()
  }

  /** The host says: the deadline may have come. */
  tick(): void {
    if (this.#scope.stopped === undefined) this.#clock.tick()
  }

  /** The inbox ends after what the port still gives. */
  close(): void {
    if (this.#scope.stopped === undefined) this.#inbox.close()
  }

  /** Every wait rejects with NodeStoppedError, also those that begin later; `vm.signal` aborts. */
  destroy(): void {
    this.#stop(new NodeStoppedError(this.name))
  }

  /** The same because of an error that belongs to the node but did not pass through `run`. */
  fail(error: unknown): void {
    if (this.#state === 'ended') return
    this.#failure ??= { error }
    this.#stop(new NodeStoppedError(this.name, { cause: error }))
  }

  #stop(error: NodeStoppedError): void {
    if (this.#scope.stopped !== undefined) return
    this.#scope.stop(this.#scope.blame(error))
    this.#clock.stop()
    this.#vm.stopped()
  }

  async #live(): Promise<RunResult> {
    if (this.#scope.stopped !== undefined) return this.#ended({ how: 'stopped' })
    try {
      const { data } = this.#definition
      // The definition is a table of functions, and `run` is one without a `this`: authors may use an arrow.
      await runOwned(this, async () => this.#definition.run(this.#vm, this.#context(data?.())))
    } catch (error) {
      return this.#ended(
        this.#scope.stopped !== undefined && isStop(error) ? { how: 'stopped' } : { how: 'failed', error },
      )
    }
    if (this.#failure === undefined) this.#port.release()
    return this.#ended({ how: this.#scope.stopped === undefined ? 'returned' : 'stopped' })
  }

  // An error from elsewhere that ended the node is the reason, whatever the coroutine did then.
  #ended(result: RunResult): RunResult {
    return this.#failure === undefined ? result : { how: 'failed', error: this.#failure.error }
  }

  #context(data: unknown): never {
    const { handles } = this.#peers
    const node = new NodeContext(this.#port, this.#inbox, data, this.#compiled, handles, this.#scope, this.#clock)
    given.set(this.#vm, this)
    given.set(node, this)
    return node as never
  }
}

// What a stopped coroutine ends with: our error, or that of a function that was given `vm.signal`.
function isStop(error: unknown): boolean {
  return error instanceof NodeStoppedError || (error instanceof Error && error.name === 'AbortError')
}

class NodeContext implements Omit<ProcessContext<Messages, string, string, unknown, unknown>, 'inbox'> {
  readonly name: string
  readonly options: unknown
  readonly data: unknown
  readonly log: Log
  readonly inbox: Receiver<unknown>
  readonly peers: NodePeers['handles']
  readonly #port: NodePort<unknown>
  readonly #counters = new Map<string, number>()
  readonly #next = new Map<string, number>()
  readonly #signals: readonly string[]
  readonly #scope: Scope
  readonly #clock: Clock

  constructor(
    port: NodePort<unknown>,
    inbox: Receiver<unknown>,
    data: unknown,
    compiled: CompiledNode,
    peers: NodePeers['handles'],
    scope: Scope,
    clock: Clock,
  ) {
    this.peers = peers
    this.name = port.name
    this.options = port.options
    this.log = port.log
    this.inbox = inbox
    this.data = data
    this.#port = port
    this.#scope = scope
    this.#clock = clock
    this.#signals = compiled.signals
    for (const [i, { name }] of compiled.counters.entries()) this.#counters.set(name, i)
    for (const [i, name] of compiled.next.entries()) this.#next.set(name, i)
  }

  count(counter: string, by = 1): void {
    const index = this.#counters.get(counter)
    if (index === undefined) throw invalid(`node "${this.name}" declares no counter "${counter}"`)
    if (!Number.isSafeInteger(by) || by < 0) throw invalid(`count by ${by}: a whole number from 0`)
    this.#port.count(index, by)
  }

  enqueue(next: string, packet: Uint8Array, to: Enqueue = {}): boolean {
    const index = this.#next.get(next)
    if (index === undefined) throw invalid(`node "${this.name}" declares no next node "${next}"`)
    if (!(packet instanceof Uint8Array) || packet.length === 0 || packet.length > maxPacket) {
      throw invalid(`a packet is a Uint8Array of 1 to ${maxPacket} bytes`)
    }
    const { rx = noInterface, tx = noInterface, flags = 0 } = to
    return this.#port.enqueue(index, packet, word(rx), word(tx), word(flags))
  }

  signal(target: string, code: bigint | number, data: bigint | number = 0n): Promise<void> {
    if (this.#scope.stopped !== undefined) return this.#scope.refuse(this.#scope.stopped)
    try {
      if (!this.#signals.includes(target)) throw invalid(`node "${this.name}" declares no process node "${target}"`)
      const [type, datum] = [longWord('code', code), longWord('datum', data)]
      const start = (aborted: AbortSignal) => this.#port.signal(target, type, datum, aborted)
      const late = () => this.#port.late()
      return new Work<void>(this.#scope, this.#clock, Number.POSITIVE_INFINITY, start, late).promise
    } catch (error) {
      return Promise.reject(error)
    }
  }
}

function longWord(what: string, value: bigint | number): bigint {
  const number = typeof value === 'bigint' || Number.isSafeInteger(value) ? BigInt(value) : -1n
  if (number < 0n || number >= 2n ** 64n) throw invalid(`${what} ${value} is not a 64-bit number`)
  return number
}

function word(value: number): number {
  if (!Number.isInteger(value) || value < 0 || value > 0xffff_ffff) throw invalid(`${value} is not a 32-bit number`)
  return value
}

/**
 * The node whose an error is, for handlers of `unhandledRejection` and `uncaughtException`; undefined if that cannot be
 * told. A NodeStoppedError of a node that has ended is nothing to worry about: somebody forgot a wait of it.
 */
export function ownerOf(reason: unknown): NodeRuntime | undefined {
  return findOwner(reason) as NodeRuntime | undefined
}

/**
 * The nodes of which one caused the error, if `ownerOf` cannot tell which; none if that one has ended; undefined if it
 * is no node's.
 */
export function suspectsOf(reason: unknown): NodeRuntime[] | undefined {
  return findSuspects(reason) as NodeRuntime[] | undefined
}

/** The life to which one of the values belongs, as the `vm` or the `node` of it. */
export function runtimeAmong(values: readonly unknown[]): Owner | undefined {
  return values.flatMap(value => (typeof value === 'object' && value !== null && given.get(value)) || [])[0]
}
