// inbox.ts: the inbox of a node: its port as a receiver.

import type { NodePort } from './port.js'
import { Receiving } from './receiver.js'
import { ask, done, none, take } from './source.js'
import type { Scope } from './waits.js'

/** Hands events from the port to the coroutine. Every way of asking releases what was handed before. */
export class Inbox<E> extends Receiving<E> {
  readonly #port: NodePort<E>
  #closed = false
  #ended = false

  constructor(port: NodePort<E>, scope: Scope) {
    super('inbox', scope)
    this.#port = port
  }

  [take](): E | typeof none | typeof done {
    const event = this.#port.take()
    if (event !== undefined) return event
    return this.exhausted() ? done : none
  }

  [ask](): void {
    this.#port.release()
  }

  takeAll(): readonly E[] {
    return this.#port.takeBatch()
  }

  exhausted(): boolean {
    // The port is asked first: whoever records it must hear that the inbox has ended.
    this.#ended ||= this.#port.closed() || this.#closed
    return this.#ended
  }

  get ended(): boolean {
    return this.#ended
  }

  /** The inbox ends with what the port still gives. */
  close(): void {
    this.#closed = true
    this.wake()
  }
}
