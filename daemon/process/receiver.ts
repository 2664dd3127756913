// receiver.ts: what the inbox and the receiver of a channel have in common: five ways to get the next value, for one
// reader at a time.
//
// The way of a value that is there already makes one promise and no closure; only a wait makes more.

import { ReceiverBusyError } from './errors.js'
import { ask, done, none, type Source, take, unwatch, type Watcher, watch } from './source.js'
import { type Scope, Wait } from './waits.js'

/**
 * Receives values one after the other, in order: the inbox of a node, or the end of a channel. One wait at a time: a
 * second one is refused with {@link ReceiverBusyError}. `for await` over it ends when it is closed and drained; leaving
 * the loop does not close it.
 */
export interface Receiver<out T> extends Source<T>, AsyncIterable<T> {
  /**
   * Waits for the next value; undefined once it is closed and drained.
   *
   * @throws ReceiverBusyError if somebody already waits; NodeStoppedError.
   */
  recv(): Promise<T | undefined>
  /**
   * The next value if there is one now; undefined if there is none. `ended` says whether there ever will be.
   *
   * @throws ReceiverBusyError if somebody already waits.
   */
  tryRecv(): T | undefined
  /** It is closed, and somebody has asked after the last value: nothing will ever come. */
  readonly ended: boolean
  /**
   * Everything that is there, as arrays of at least one value, and so on until it is closed and drained: for very many
   * small events. The events of an array are finished with together.
   *
   * @example for await (const events of node.inbox.batches()) node.count('seen', events.length)
   */
  batches(): AsyncIterable<readonly T[]>
}

const end = { value: undefined, done: true } as const

/** Implements {@link Receiver} on top of a queue of some kind. */
export abstract class Receiving<T> implements Receiver<T> {
  #watcher: Watcher | undefined
  readonly #scope: Scope | undefined
  readonly #what: string

  /** `what` is said in errors; waits end with `scope`. */
  constructor(what: string, scope: Scope | undefined) {
    this.#what = what
    this.#scope = scope
  }

  abstract [take](): T | typeof none | typeof done
  abstract [ask](): void

  /** Takes all values that are there; none are if it is empty. */
  abstract takeAll(): readonly T[]

  /** Whether nothing will come any more. Asked only when there is nothing now. */
  abstract exhausted(): boolean

  abstract get ended(): boolean

  [watch](watcher: Watcher): void {
    if (this.#watcher !== undefined) throw this.#busy()
    this.#watcher = watcher
  }

  [unwatch](watcher: Watcher): void {
    if (this.#watcher === watcher) this.#watcher = undefined
  }

  /** Tells whoever waits that there may be something. */
  wake(): void {
    this.#watcher?.wake()
  }

  recv(): Promise<T | undefined> {
    const refused = this.#refused()
    if (refused !== undefined) return this.#refuse(refused)
    const value = this[take]()
    if (value === none) return new ParkedValue<T>(this, this.#scope).promise
    return value === done ? this.#end(undefined) : Promise.resolve(value)
  }

  tryRecv(): T | undefined {
    const refused = this.#refused()
    if (refused !== undefined) throw refused
    const value = this[take]()
    return value === none || value === done ? undefined : value
  }

  [Symbol.asyncIterator](): AsyncIterator<T, undefined> {
    return new Values<T>(this)
  }

  batches(): AsyncIterable<readonly T[]> {
    return new Batches<T>(this)
  }

  /** For the iterators: `recv` in the shape they need. */
  nextValue(): Promise<IteratorResult<T, undefined>> {
    const refused = this.#refused()
    if (refused !== undefined) return this.#refuse(refused)
    const value = this[take]()
    if (value === none) return new ParkedResult<T>(this, this.#scope).promise
    return value === done ? this.#end(end) : Promise.resolve({ value, done: false })
  }

  /** For the iterators: everything that is there. */
  nextBatch(): Promise<IteratorResult<readonly T[], undefined>> {
    const refused = this.#refused()
    if (refused !== undefined) return this.#refuse(refused)
    const values = this.takeAll()
    if (values.length > 0) return Promise.resolve({ value: values, done: false })
    return this.exhausted() ? this.#end(end) : new ParkedBatch<T>(this, this.#scope).promise
  }

  #refuse(error: Error): Promise<never> {
    return this.#scope === undefined ? Promise.reject(error) : this.#scope.refuse(error)
  }

  #end<R>(answer: R): Promise<R> {
    return this.#scope === undefined ? Promise.resolve(answer) : this.#scope.end(answer)
  }

  #refused(): Error | undefined {
    return this.#watcher !== undefined ? this.#busy() : this.#scope?.stopped
  }

  #busy(): Error {
    return new ReceiverBusyError(this.#what)
  }
}

class Values<T> implements AsyncIterableIterator<T, undefined> {
  readonly #from: Receiving<T>

  constructor(from: Receiving<T>) {
    this.#from = from
  }

  next(): Promise<IteratorResult<T, undefined>> {
    return this.#from.nextValue()
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

class Batches<T> implements AsyncIterableIterator<readonly T[], undefined> {
  readonly #from: Receiving<T>

  constructor(from: Receiving<T>) {
    this.#from = from
  }

  next(): Promise<IteratorResult<readonly T[], undefined>> {
    return this.#from.nextBatch()
  }

  [Symbol.asyncIterator](): this {
    return this
  }
}

// A wait on one receiver. It takes at the moment of the wake, so that the value goes straight to who waits.
abstract class Parked<T, R> extends Wait<R> implements Watcher {
  protected readonly from: Receiving<T>

  constructor(from: Receiving<T>, scope: Scope | undefined) {
    super(scope)
    this.from = from
    from[watch](this)
    this.enter()
  }

  /** The result, or `none` if there is still nothing. */
  protected abstract poll(): R | typeof none

  wake(): void {
    try {
      const result = this.poll()
      if (result !== none) this.resolve(result)
    } catch (error) {
      this.reject(error)
    }
  }

  protected release(): void {
    this.from[unwatch](this)
  }
}

class ParkedValue<T> extends Parked<T, T | undefined> {
  protected poll(): T | undefined | typeof none {
    const value = this.from[take]()
    return value === done ? undefined : value
  }
}

class ParkedResult<T> extends Parked<T, IteratorResult<T, undefined>> {
  protected poll(): IteratorResult<T, undefined> | typeof none {
    const value = this.from[take]()
    if (value === none) return none
    return value === done ? end : { value, done: false }
  }
}

class ParkedBatch<T> extends Parked<T, IteratorResult<readonly T[], undefined>> {
  protected poll(): IteratorResult<readonly T[], undefined> | typeof none {
    const values = this.from.takeAll()
    if (values.length > 0) return { value: values, done: false }
    return this.from.exhausted() ? end : none
  }
}
