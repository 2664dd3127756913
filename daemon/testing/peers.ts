// peers.ts: the other nodes, as a test plays them.

import type { FieldValues, Message, Messages } from '../message/message.js'
import { recordKind } from '../message/table.js'
import { PeerDiedError, RefusedError, UnansweredError, UndeliveredError } from '../process/errors.js'
import type { CompiledPeer, ReplyTo } from '../process/peers.js'
import type { VirtualClock } from './clock.js'

/** How a peer takes an event: after what time, in milliseconds of virtual time; default: at once. */
interface Taking {
  readonly after?: number
}

/**
 * What a peer does with an event, with the milliseconds of virtual time that it takes (`after`; default: none). Of one
 * that was only sent, replies go nowhere.
 */
export type PeerAnswer<R = unknown> =
  /** It replies with these fields. */
  | ({ readonly reply: R } & Taking)
  /** It says no. */
  | ({ readonly refused: string } & Taking)
  /** It finishes with the event and does not answer. */
  | ({ readonly unanswered: true } & Taking)
  /** It ends before it answers. */
  | ({ readonly died: true } & Taking)
  /** It does not get the event: the host's name for why, such as `FULL`, `CLOSED`, `HOST_AWAY`. */
  | ({ readonly undelivered: string } & Taking)

/**
 * An answer, or a function that makes one of the fields of each event. `signal` aborts when the node does not wait for it
 * any more.
 */
export type PeerScript<F = unknown, R = unknown> =
  | PeerAnswer<R>
  | ((fields: F, signal: AbortSignal) => PeerAnswer<R> | Promise<PeerAnswer<R>>)

/** The script for a message of a table. */
export type ScriptFor<M> = M extends Message<infer F> ? PeerScript<FieldValues<F>, ReplyTo<M>> : never

/** The names of the messages of a table. */
export type NamesOf<M extends Messages> = keyof M & string

/** An event for a peer, read. */
export interface PeerEvent {
  readonly peer: string
  readonly type: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** Reads an event that is on its way to a peer. */
export function peerEvent({ key, table }: CompiledPeer, code: number, bytes: Uint8Array): PeerEvent {
  const type = table.names.find(name => table.code(name) === code) ?? `${code}`
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  return { peer: key, type, fields: table.decode(code, recordKind.event, view, 0, bytes.length) }
}

/** Answers for peers by rules: one for each message of each. */
export class ScriptedPeers {
  readonly #clock: VirtualClock
  readonly #rules = new Map<string, PeerScript>()
  readonly #places = new Map<string, bigint>()
  // Events to one peer arrive one after the other, in their order.
  readonly #last = new Map<string, Promise<unknown>>()

  constructor(clock: VirtualClock) {
    this.#clock = clock
  }

  /** What `peer` does with each `type` from now on, sent, called, or both. */
  on(peer: string, type: string, script: PeerScript, kinds: readonly ('send' | 'call')[] = ['send', 'call']): void {
    for (const kind of kinds) this.#rules.set(`${kind} ${peer} ${type}`, script)
  }

  /** Takes an event that was sent; its place in the peer's order. Without a rule every event is taken. */
  async send(event: PeerEvent, signal: AbortSignal): Promise<bigint> {
    const answer = await this.#inOrder(event, signal)
    if (answer !== undefined && 'undelivered' in answer) throw lost(event.peer, answer.undelivered)
    return this.#place(event.peer)
  }

  /** Takes a call; the fields of the reply. */
  async ask(event: PeerEvent, signal: AbortSignal): Promise<unknown> {
    const { peer, type } = event
    const answer = await this.#answer('call', event, signal)
    if (answer === undefined) {
      const text = `the test has no answer to "${type}": give one with kit.onPeer()`
      throw new UndeliveredError(peer, 'CLOSED', text)
    }
    if ('undelivered' in answer) throw lost(peer, answer.undelivered)
    this.#place(peer)
    if ('reply' in answer) return answer.reply
    if ('refused' in answer) throw new RefusedError(peer, answer.refused)
    throw 'died' in answer ? new PeerDiedError(peer) : new UnansweredError(peer)
  }

  #inOrder(event: PeerEvent, signal: AbortSignal): Promise<PeerAnswer | undefined> {
    const before = this.#last.get(event.peer) ?? Promise.resolve()
    const answer = before.then(() => this.#answer('send', event, signal))
    this.#last.set(
      event.peer,
      answer.catch(() => {}),
    )
    return answer
  }

  async #answer(kind: 'send' | 'call', event: PeerEvent, signal: AbortSignal): Promise<PeerAnswer | undefined> {
    const { peer, type, fields } = event
    const script = this.#rules.get(`${kind} ${peer} ${type}`)
    const answer = typeof script === 'function' ? await script(fields, signal) : script
    const { after = 0 } = answer ?? {}
    if (after > 0) await new Promise<void>(resolve => this.#clock.at(this.#clock.now + after, resolve))
    return answer
  }

  #place(peer: string): bigint {
    const place = (this.#places.get(peer) ?? 0n) + 1n
    this.#places.set(peer, place)
    return place
  }
}

function lost(peer: string, status: string): UndeliveredError {
  return new UndeliveredError(peer, status, `it did not get the event (${status})`)
}
