// questions.ts: calls that a test makes to the node: each is answered once, at the latest by the node's being finished
// with it, or by its end.

import type { Question } from '../message/call.js'
import type { AnyEvent } from '../message/message.js'

/**
 * What became of a call. `unanswered`: the node asked for its next event, or returned, without an answer. `died`: it threw
 * or was stopped.
 */
export type CallAnswer<R = unknown> =
  | { readonly how: 'replied'; readonly value: R }
  | { readonly how: 'refused'; readonly reason: string }
  | { readonly how: 'unanswered' }
  | { readonly how: 'died' }

/** A call that the test has made with `kit.call`. */
export interface PendingCall<R = unknown> {
  /** The sequence number of its event. */
  readonly seq: bigint
  /** What the node answered; undefined: nothing yet. */
  readonly answer: CallAnswer<R> | undefined
}

/** A call as the node has it. */
export class OpenCall implements Question {
  /** What became of it. */
  answer: CallAnswer | undefined
  /** The node will answer when it is finished with the event. */
  deferred = false
  readonly #decode: (bytes: Uint8Array) => unknown
  readonly #told: (answer: CallAnswer) => void

  /** `decode` reads a reply; `told` hears what the node itself answers. */
  constructor(decode: (bytes: Uint8Array) => unknown = () => {}, told: (answer: CallAnswer) => void = () => {}) {
    this.#decode = decode
    this.#told = told
  }

  reply(bytes: Uint8Array): boolean {
    return this.#answer({ how: 'replied', value: this.#decode(bytes) })
  }

  refuse(reason: string): boolean {
    return this.#answer({ how: 'refused', reason })
  }

  defer(): void {
    this.deferred = true
  }

  #answer(answer: CallAnswer): boolean {
    if (this.answer !== undefined) return false
    this.answer = answer
    this.#told(answer)
    return true
  }
}

/** The calls that are open, by their events. */
export class OpenCalls {
  readonly #byEvent = new Map<AnyEvent, OpenCall>()
  readonly #deferred = new Set<OpenCall>()

  add(event: AnyEvent, call: OpenCall): void {
    this.#byEvent.set(event, call)
  }

  /** The node is finished with an event. */
  finished(event: AnyEvent): void {
    const call = this.#byEvent.get(event)
    if (call === undefined) return
    this.#byEvent.delete(event)
    if (call.deferred) this.#deferred.add(call)
    else call.answer ??= { how: 'unanswered' }
  }

  /** A life of the node is over: it answers nothing of what it had in hand, and nothing that it deferred. */
  died(inHand: readonly AnyEvent[]): void {
    const open = [...inHand.map(event => this.#byEvent.get(event)), ...this.#deferred]
    for (const event of inHand) this.#byEvent.delete(event)
    this.#deferred.clear()
    for (const call of open) if (call !== undefined) call.answer ??= { how: 'died' }
  }
}
