// unordered.ts: results of several promises in the order in which they are ready.

import { ReceiverBusyError } from './errors.js'
import { Queue } from './queue.js'
import { ask, none, type Source, take, unwatch, type Watcher, watch } from './source.js'

type Result<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown }

/**
 * Several promises at once, for `vm.select`: gives each result when it is ready, in that order. Results wait until they
 * are asked for, so a select that another source wins loses none. A rejection is thrown by whoever asks for it.
 *
 * As a source it never is `done`: promises can be added at any time. `next()` and `for await` end when nothing is left.
 *
 * @example
 * const calls = new Unordered<string>()
 * calls.add(vm.cli('show version'))
 * const event = await vm.select({ answer: calls, message: node.inbox })
 */
export class Unordered<T> implements Source<T>, AsyncIterable<T> {
  readonly #ready = new Queue<Result<T>>()
  #pending = 0
  #watcher: Watcher | undefined

  /** @param promises to begin with. */
  constructor(promises: Iterable<PromiseLike<T>> = []) {
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
   * The next result; undefined if nothing is left. It is no wait of a node: stopping that does not end it. In a node use
   * `vm.select` or `vm.timeout`.
   *
   * @throws the reason of a promise that was rejected; ReceiverBusyError if somebody already waits.
   */
  async next(): Promise<T | undefined> {
    const result = await this.#next()
    if (result === undefined) return undefined
    if (result.ok) return result.value
    throw result.error
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    for (;;) {
      const result = await this.#next()
      if (result === undefined) return
      if (!result.ok) throw result.error
      yield result.value
    }
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

  async #next(): Promise<Result<T> | undefined> {
    if (this.#watcher !== undefined) throw new ReceiverBusyError('Unordered')
    while (this.#ready.size === 0 && this.#pending > 0) {
      await new Promise<void>(resolve => {
        const watcher = {
          wake: () => {
            this[unwatch](watcher)
            resolve()
          },
        }
        this[watch](watcher)
      })
    }
    return this.#ready.size === 0 ? undefined : this.#ready.shift()
  }
}
