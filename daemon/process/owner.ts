// owner.ts: whose an unhandled rejection or an uncaught error is. The daemon asks, so that such an error ends the node
// that caused it and nothing else.
//
// Three ways, the surest first:
// - the async context in which it happened, where following contexts costs nothing: Node 24 and later. Before that,
//   AsyncLocalStorage hooks every promise, which doubles the cost of each `await` in the process (measured on Node 20:
//   59 to 128 ns for a turn of `for await`), so it is off unless asked for;
// - an error that the runtime itself has made for a node: a timeout, a failed command;
// - the stack of the error, if it has frames of one node's code only.

import { AsyncLocalStorage } from 'node:async_hooks'

/** Somebody to whom errors can belong. */
export interface Owner {
  /** Of the node. */
  readonly name: string
  /** See `NodePort.codeUrl`. */
  readonly codeUrl: string | undefined
}

const options = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ')
const contextsAreFree =
  Number.parseInt(process.versions.node, 10) >= 24 && !options.includes('--no-async-context-frame')

/** Where this program is, as it stands in stacks. */
const corod = new URL('../', import.meta.url).pathname

let following = contextsAreFree
const context = new AsyncLocalStorage<Owner>()
const living = new Set<Owner>()
/** The `codeUrl` of each that lived here. */
const codeThatRan = new Set<string | undefined>()
const made = new WeakMap<object, Owner>()

/** Follows async contexts on every Node, or on none; for nodes that start afterwards. */
export function followContexts(on: boolean): void {
  following = on
}

/** Runs the coroutine of an owner. */
export function runOwned<T>(owner: Owner, run: () => T): T {
  return following ? context.run(owner, run) : run()
}

/** The owner lives: its code can cause errors. */
export function enrol(owner: Owner): void {
  living.add(owner)
  codeThatRan.add(owner.codeUrl)
}

/** The owner has ended. Late errors in its async context are still its own. */
export function dismiss(owner: Owner): void {
  living.delete(owner)
}

/** Those that live. */
export function livingOwners(): Owner[] {
  return [...living]
}

/** In whose async context this runs; undefined where contexts are not followed. */
export function ownerInContext(): Owner | undefined {
  return context.getStore()
}

/** Remembers that an error was made for an owner. */
export function owned(owner: Owner, error: object): void {
  made.set(error, owner)
}

/**
 * Whose an error is; undefined if that cannot be told. To be called in a handler of `unhandledRejection` or
 * `uncaughtException`, with what the handler got.
 */
export function findOwner(reason: unknown): Owner | undefined {
  const inContext = ownerInContext()
  if (inContext !== undefined) return inContext
  if (typeof reason !== 'object' || reason === null) return undefined
  return made.get(reason) ?? byStack(reason)
}

/**
 * Whose an error may be that `findOwner` cannot tell: those whose module is in its stack, else all that live. None: it
 * is of one that has ended. Undefined: it is no node's, since its stack has no code but that of corod itself, or since
 * no node has ever lived here.
 */
export function findSuspects(reason: unknown): Owner[] | undefined {
  if (codeThatRan.size === 0) return undefined
  const stack = stackOf(reason)
  const named = inStack(stack)
  if (named.length > 0) return named
  if ([...codeThatRan].some(url => url !== undefined && stack.includes(url))) return []
  const frames = stack.split('\n').filter(line => /^ +at .*[/\\]/.test(line) && !/[( ]node:/.test(line))
  const own = frames.length > 0 && frames.every(line => line.includes(corod))
  return own ? undefined : [...living]
}

function byStack(reason: object): Owner | undefined {
  const found = inStack(stackOf(reason))
  return found.length === 1 ? found[0] : undefined
}

function inStack(stack: string): Owner[] {
  return [...living].filter(owner => owner.codeUrl !== undefined && stack.includes(owner.codeUrl))
}

function stackOf(reason: unknown): string {
  const stack = typeof reason === 'object' && reason !== null ? (reason as { stack?: unknown }).stack : undefined
  return typeof stack === 'string' ? stack : ''
}
