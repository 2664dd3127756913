// unordered.ts: results of several promises in the order in which they are ready.

import { ReceiverBusyError } from './errors.js'
import { Queue } from './queue.js'
import { ask, none, type Source, take, unwatch, type Watcher, watch } from './source.js'
import { type Scope, scopeOf, Wait } from './waits.js'

type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown }

/**
 * Several promises at once, for `vm.select`: gives each result when it is ready, in that order. Results wait until they
 * are asked for, so a select that another source wins loses none. A rejection is thrown by whoever asks for it.
 *
 * As a source it never is `done`: promises can be added at any time. `next()` and `for await` end when nothing is left.
 *
 * In a node prefer `vm.unordered()`: its waits end when the node is stopped. Of one made by itself only those do that go
 * through `vm.select` or `vm.timeout`, unless `signal` is given.
 *
 * @example
 * const calls = vm.unordered<string>()
 * calls.add(vm.cli('show version'))
 * const event = await vm.select({ answer: calls, message: node.inbox })
 */
export class Unordered<T> implements Source<T>, AsyncIterable<T> {
  readonly #ready = new Queue<Result<T>>()
  readonly #scope: Scope | undefined
  #pending = 0
  #watcher: Watcher | undefined

  /**
   * @param promises to begin with.
   * @param options `signal`: waits reject with its reason when it aborts.
   */
  constructor(promises: Iterable<PromiseLike<T>> = [], options: { readonly signal?: AbortSignal } = {}) {
    this.#scope = options.signal === undefined ? undefined : scopeOf(options.signal)
    for (const promise of promises) this.add(promise)
  }

  /** How many promises there are whose result was not asked for yet, ready or not. */
  get size(): number {
    return this.#pending + this.#ready.size
  }

  /** Adds a promise. From now on its rejection belongs to whoever asks this `Unordered`. */
  add(promise: PromiseLike<T>): void {
    this.#pending++
    promise.then(
      value => this.#settle({ ok: true, value }),
      (error: unknown) => this.#settle({ ok: false, error }),
    )
  }

  /**
   * The next result; undefined if nothing is left.
   *
   * @throws the reason of a promise that was rejected; ReceiverBusyError if somebody already waits.
   */
  async next(): Promise<T | undefined> {
    if (this.#watcher !== undefined) throw new ReceiverBusyError('Unordered')
    if (this.#scope?.stopped !== undefined) return this.#scope.refuse(this.#scope.stopped)
    const result = this[take]()
    if (result !== none) return result
    return this.#pending === 0 ? undefined : new NextResult<T>(this, this.#scope).promise
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    while (this.size > 0) yield (await this.next()) as T
  }

  [take](): T | typeof none {
    if (this.#ready.size === 0) return none
    const result = this.#ready.shift()
    if (result.ok) return result.value
    throw result.error
  }

  [ask](): void {}

  [watch](watcher: Watcher): void {
    if (this.#watcher !== undefined) throw new ReceiverBusyError('Unordered')
    this.#watcher = watcher
  }

  [unwatch](watcher: Watcher): void {
    if (this.#watcher === watcher) this.#watcher = undefined
  }

  #settle(result: Result<T>): void {
    this.#pending--
    this.#ready.push(result)
    this.#watcher?.wake()
  }
}

// A wait for a result. It takes at the moment of the wake, so that the result goes to who waited for it.
class NextResult<T> extends Wait<T> implements Watcher {
  readonly #from: Unordered<T>

  constructor(from: Unordered<T>, scope: Scope | undefined) {
    super(scope)
    this.#from = from
    from[watch](this)
    this.enter()
  }

  wake(): void {
    try {
      const result = this.#from[take]()
      if (result !== none) this.resolve(result)
    } catch (error) {
      this.reject(error)
    }
  }

  protected release(): void {
    this.#from[unwatch](this)
  }
}
