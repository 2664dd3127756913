// call.ts: events whose sender may wait for a reply: what their node can do with them.

import type { Fields } from './kind.js'
import type { EventMeta, FieldValues } from './message.js'

/** How the answer to one event gets to who waits for it. Made by who hands the event over. */
export interface Question {
  /** The reply, encoded. False: it is answered already. */
  reply(bytes: Uint8Array): boolean
  /** False: it is answered already. */
  refuse(reason: string): boolean
  /** The node will answer later; without that, an event that is finished with unanswered is answered so. */
  defer(): void
}

type ReplyArguments<R extends Fields> = [keyof R] extends [never] ? [value?: FieldValues<R>] : [value: FieldValues<R>]

/** What an event of a message made by `call()` has besides its fields. */
export interface Answering<R extends Fields> {
  /** Somebody waits for the answer, as far as is known. False for an event that comes again: who asked was told. */
  readonly asked: boolean
  /**
   * Answers with the fields of the reply. The first answer counts.
   *
   * @param value the fields of the reply; left out if it has none.
   * @returns false: nobody waits for it, or it is answered already.
   * @throws MessageError for a value that does not fit the declared reply.
   */
  reply(...value: ReplyArguments<R>): boolean
  /**
   * Answers that it will not be done.
   *
   * @param reason why; at most 1000 bytes of text, longer ones are cut.
   * @returns false: nobody waits for it, or it is answered already.
   */
  refuse(reason: string): boolean
  /**
   * The answer comes later than the next event is asked for, from this life of the node. Who asked waits on, until its
   * deadline or the end of this life.
   */
  defer(): void
}

/** Encodes a reply. Throws MessageError. */
export type EncodeReply = (value: unknown) => Uint8Array

const longestReason = 1000

/** An event of a call: its methods are not among its fields, for those who print it. */
export class CallEvent implements EventMeta, Answering<Fields> {
  readonly type: string
  readonly seq: bigint
  readonly time: number
  readonly redelivered: boolean
  readonly attempts: number
  readonly [field: string]: unknown
  readonly #question: Question | undefined
  readonly #encode: EncodeReply

  /** `question` undefined: nobody waits. The fields are added by who makes it. */
  constructor(
    type: string,
    seq: bigint,
    time: number,
    redelivered: boolean,
    attempts: number,
    encode: EncodeReply,
    question: Question | undefined,
  ) {
    this.type = type
    this.seq = seq
    this.time = time
    this.redelivered = redelivered
    this.attempts = attempts
    this.#encode = encode
    this.#question = question
  }

  get asked(): boolean {
    return this.#question !== undefined
  }

  reply(value?: unknown): boolean {
    // Also when nobody waits: a reply that does not fit is a fault of the node, whoever asks.
    const bytes = this.#encode(value)
    return this.#question?.reply(bytes) ?? false
  }

  refuse(reason: string): boolean {
    return this.#question?.refuse(cut(String(reason))) ?? false
  }

  defer(): void {
    this.#question?.defer()
  }

  /** The same event as it comes again: with the marks of one, and nobody waits. */
  again(attempts: number): CallEvent {
    const { type, seq, time } = this
    const event = new CallEvent(type, seq, time, true, attempts, this.#encode, undefined)
    return Object.assign(event, { ...this, redelivered: true, attempts })
  }
}

function cut(reason: string): string {
  const bytes = Buffer.from(reason)
  if (bytes.length <= longestReason) return reason
  // Not in the middle of a character.
  let end = longestReason
  while ((bytes[end]! & 0xc0) === 0x80) end--
  return bytes.toString('utf8', 0, end)
}
