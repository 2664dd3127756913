// channel.ts: a channel within the daemon: many senders, one receiver, no limit, order kept for each sender.

import { ChannelClosedError } from './errors.js'
import { Queue } from './queue.js'
import { type Receiver, Receiving } from './receiver.js'
import { ask, done, none, take } from './source.js'
import { type Scope, scopeOf } from './waits.js'

/** Sends into a channel. It never waits: the channel has no limit. At the end of a `using` block it is closed. */
export interface Sender<in T> extends Disposable {
  /**
   * Sends a value. What one sender sends is received in that order.
   *
   * @throws ChannelClosedError once the receiver is gone, or after `close()`.
   */
  send(value: T): void
  /**
   * Another sender of the same channel, closed on its own.
   *
   * @throws ChannelClosedError after `close()`.
   */
  clone(): Sender<T>
  /** This sender sends no more; the channel ends when all of its senders are closed and it is drained. Idempotent. */
  close(): void
  /** Whether `send` would throw. */
  readonly closed: boolean
}

/** The receiving end of a channel. At the end of a `using` block it is closed, and its queue dropped. */
export interface ChannelReceiver<out T> extends Receiver<T>, Disposable {
  /** How many values wait to be received. */
  readonly size: number
  /** Takes no more from the senders: they get {@link ChannelClosedError}. What is queued can still be received. Idempotent. */
  close(): void
}

class Channel<T> extends Receiving<T> implements ChannelReceiver<T> {
  readonly #queue = new Queue<T>()
  #senders = 0
  #open = true

  constructor(scope: Scope | undefined) {
    super('receiver', scope)
  }

  [take](): T | typeof none | typeof done {
    if (this.#queue.size > 0) return this.#queue.shift()
    return this.exhausted() ? done : none
  }

  // Nothing is in hand: a value of a channel is gone once it was taken.
  [ask](): void {}

  takeAll(): readonly T[] {
    return this.#queue.drain()
  }

  exhausted(): boolean {
    return !this.#open || this.#senders === 0
  }

  get ended(): boolean {
    return this.#queue.size === 0 && this.exhausted()
  }

  get size(): number {
    return this.#queue.size
  }

  get open(): boolean {
    return this.#open
  }

  close(): void {
    this.#open = false
    this.wake()
  }

  [Symbol.dispose](): void {
    this.close()
    this.#queue.drain()
  }

  push(value: T): void {
    this.#queue.push(value)
    this.wake()
  }

  join(): void {
    this.#senders++
  }

  leave(): void {
    this.#senders--
    if (this.#senders === 0) this.wake()
  }
}

class ChannelSender<T> implements Sender<T> {
  readonly #channel: Channel<T>
  #closed = false

  constructor(channel: Channel<T>) {
    this.#channel = channel
    channel.join()
  }

  send(value: T): void {
    if (this.#closed) throw new ChannelClosedError('this sender was closed')
    if (!this.#channel.open) throw new ChannelClosedError('the receiver of this channel is gone')
    this.#channel.push(value)
  }

  clone(): Sender<T> {
    if (this.#closed) throw new ChannelClosedError('this sender was closed')
    return new ChannelSender(this.#channel)
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#channel.leave()
  }

  get closed(): boolean {
    return this.#closed || !this.#channel.open
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

/** A channel whose waits end with `scope`. */
export function channelIn<T extends NonNullable<unknown>>(scope: Scope | undefined): [Sender<T>, ChannelReceiver<T>] {
  const made = new Channel<T>(scope)
  return [new ChannelSender(made), made]
}

/**
 * A channel of its own, for coroutines that belong together. `undefined` and `null` cannot be sent: `recv()` says
 * `undefined` when the channel has ended.
 *
 * Inside a node prefer `vm.channel()`: its waits end when the node is stopped. Of a channel made here only those do
 * that go through `vm.select` or `vm.timeout`, unless `signal` is given.
 *
 * @param options.signal waits on the receiver reject with its reason when it aborts.
 * @returns the first sender, and the receiver.
 * @example const [tx, rx] = channel<number>({ signal: vm.signal })
 */
export function channel<T extends NonNullable<unknown>>(
  options: { readonly signal?: AbortSignal } = {},
): [Sender<T>, ChannelReceiver<T>] {
  return channelIn(options.signal === undefined ? undefined : scopeOf(options.signal))
}
