// waits.ts: the waits of one node that have not ended. Stopping the node ends them all.

import { type Owner, owned } from './owner.js'

// How to end the promise that was made last: one function for all waits, because a closure for each costs as much as the
// rest of the wait.
let resolveKept: (value: never) => void
let rejectKept: (error: unknown) => void
function keep(resolve: (value: never) => void, reject: (error: unknown) => void): void {
  resolveKept = resolve
  rejectKept = reject
}

// Kept until the next wait begins, they would keep the promise.
function nothing(): void {}

/** An entry in the list of a scope. */
abstract class Listed {
  /** Only {@link Scope} touches these. */
  before: Listed | undefined
  after: Listed | undefined

  /** Ends it with an error. */
  abstract reject(error: unknown): void
}

/** A wait that has not ended: a promise, and what to take back when it ends. */
export abstract class Wait<R> extends Listed {
  /** What the coroutine waits for. */
  readonly promise: Promise<R>
  readonly #scope: Scope | undefined
  readonly #resolve: (value: R) => void
  readonly #reject: (error: unknown) => void

  /** A wait without a scope ends only by itself. */
  constructor(scope: Scope | undefined) {
    super()
    this.#scope = scope
    this.promise = new Promise<R>(keep)
    this.#resolve = resolveKept as (value: R) => void
    this.#reject = rejectKept
    keep(nothing, nothing)
  }

  /** From now on stopping the scope ends it. */
  protected enter(): void {
    this.#scope?.add(this)
  }

  /** Takes back what the wait has registered elsewhere. */
  protected abstract release(): void

  protected resolve(value: R): void {
    this.#scope?.remove(this)
    this.release()
    this.#resolve(value)
  }

  reject(error: unknown): void {
    this.#scope?.blame(error)
    this.#scope?.remove(this)
    this.release()
    this.#reject(error)
  }
}

/** So many answers in a row that needed no wait are quick. */
const patience = 1000
/** Then each takes so long, ms. */
const slowMs = 10

/** All waits of one life of a node, or of one channel: a list, so that entering and leaving cost no search. */
export class Scope {
  #stopped: Error | undefined
  #first: Listed | undefined
  #quick = 0
  readonly #owner: Owner | undefined

  /** The owner is who to blame if nobody handles the errors of its waits. */
  constructor(owner?: Owner) {
    this.#owner = owner
  }

  /** Remembers that an error was made for the owner. */
  blame<E>(error: E): E {
    if (this.#owner !== undefined && typeof error === 'object' && error !== null) owned(this.#owner, error)
    return error
  }

  /** Why nothing may wait any more, or undefined. */
  get stopped(): Error | undefined {
    return this.#stopped
  }

  /**
   * Refuses what needs no wait, because it is over. A coroutine that catches that and asks again, for ever, would never let
   * go of its thread, so after many in a row each answer takes a little time.
   */
  refuse(error: unknown): Promise<never> {
    if (++this.#quick <= patience) return Promise.reject(error)
    return new Promise((_, reject) => void setTimeout(reject, slowMs, error).unref())
  }

  /** The same for the answer that a source is at its end. */
  end<T>(answer: T): Promise<T> {
    if (++this.#quick <= patience) return Promise.resolve(answer)
    return new Promise(resolve => void setTimeout(resolve, slowMs, answer).unref())
  }

  /** The scope must not be stopped. */
  add(wait: Listed): void {
    this.#quick = 0
    wait.after = this.#first
    if (this.#first !== undefined) this.#first.before = wait
    this.#first = wait
  }

  /** Removing one that is not there is fine. */
  remove(wait: Listed): void {
    if (wait.before !== undefined) wait.before.after = wait.after
    else if (this.#first === wait) this.#first = wait.after
    if (wait.after !== undefined) wait.after.before = wait.before
    wait.before = undefined
    wait.after = undefined
  }

  /** Ends every wait with `error`, the oldest first; later ones are refused with it. */
  stop(error: Error): void {
    if (this.#stopped !== undefined) return
    this.#stopped = error
    const waits: Listed[] = []
    for (let wait = this.#first; wait !== undefined; wait = wait.after) waits.push(wait)
    for (const wait of waits.reverse()) wait.reject(error)
  }
}

const scopes = new WeakMap<AbortSignal, Scope>()

/** The scope that ends when `signal` aborts, with its reason. One for each signal, however many ask. */
export function scopeOf(signal: AbortSignal): Scope {
  const known = scopes.get(signal)
  if (known !== undefined) return known
  const scope = new Scope()
  scopes.set(signal, scope)
  const stop = () => scope.stop(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)))
  if (signal.aborted) stop()
  else signal.addEventListener('abort', stop, { once: true })
  return scope
}
