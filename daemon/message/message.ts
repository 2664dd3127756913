// message.ts: the message table as an author writes it, and the types that follow from it.

import type { Answering } from './call.js'
import type { Fields, Kind, ValueOfKind } from './kind.js'
import { u64 } from './numbers.js'

/** Codes from here on are corod's own: COROD_CODE_RESERVED of shm/layout.h. */
export const firstReservedCode = 0xffff_0000

/**
 * How a message comes to a node: as a record with fields (`message`), the same by somebody who may wait for a reply
 * (`call`), as the one 8-byte datum of VPP's `vlib_process_signal_event` (`signal`), or only from the host itself
 * (`host`).
 */
export type MessageForm = 'message' | 'call' | 'signal' | 'host'

/** One line of a message table. Made by `message()`, `call()` or `signal()`, or predefined: `interfaceChange`. */
export interface Message<out F extends Fields = Fields> {
  /** What senders and C code know it by: 0 to 0xFFFEFFFF, or one of corod's own above. */
  readonly code: number
  /** What its events carry. */
  readonly fields: F
  /** How it comes to a node. */
  readonly form: MessageForm
}

/** A message that declares a reply. Made by `call()`. */
export interface Call<out F extends Fields = Fields, out R extends Fields = Fields> extends Message<F> {
  /** A record with fields, whose sender may wait. */
  readonly form: 'call'
  /** The fields of the reply. */
  readonly reply: R
}

/** A message that only the host sends, such as {@link interfaceChange}. */
export interface HostMessage<out F extends Fields = Fields> extends Message<F> {
  /** Always `host`. */
  readonly form: 'host'
}

/**
 * A message table: the name of each message, and what it is. The names are the `type` of the events. A table may be in a
 * module of its own, for those who send to the node.
 */
export type Messages = Readonly<Record<string, Message>>

/** The fields of a message that has none. */
export type NoFields = Readonly<Record<never, Kind>>

function checkCode(code: number): number {
  if (Number.isInteger(code) && code >= 0 && code < firstReservedCode) return code
  throw new TypeError(`message code ${code}: an integer from 0 to ${firstReservedCode - 1}`)
}

/**
 * A message without fields.
 *
 * @param code what C senders know it by; unique in the table; 0 to 0xFFFEFFFF.
 * @example messages: { disable: message(2) }
 */
export function message(code: number): Message<NoFields>
/**
 * A message with fields, packed in their order, in the byte order of the machine. All together have at most 4096 bytes.
 *
 * @param code what C senders know it by; unique in the table; 0 to 0xFFFEFFFF.
 * @param fields by name; names like those of variables, but none that every event has already: `type`, `seq`, `time`, …
 * @example messages: { enable: message(1, { dest: ip4, label: text(16) }) }
 */
export function message<const F extends Fields>(code: number, fields: F): Message<F>
export function message(code: number, fields: Fields = {}): Message {
  return { code: checkCode(code), fields, form: 'message' }
}

/**
 * A message whose sender may wait for a reply: the event has `event.reply` and `event.refuse`.
 *
 * @param code as in `message()`.
 * @param fields of the message, as in `message()`; may be `{}`.
 * @param reply the fields of the reply, packed like those of a message; `{}`: only that it was done.
 * @example call(3, { key: u32 }, { value: text(32) })
 */
export function call<const F extends Fields, const R extends Fields>(code: number, fields: F, reply: R): Call<F, R> {
  return { code: checkCode(code), fields, form: 'call', reply }
}

/**
 * What any code in VPP sends with `vlib_process_signal_event(vm, node, code, data)`: one 8-byte datum, `data`. Signals of
 * one code come in their order, those of different codes in the order of VPP.
 *
 * @param code the event type of that call; unique in the table; 0 to 0xFFFEFFFF.
 * @example messages: { tick: signal(7) }
 */
export function signal(code: number): Message<{ readonly data: Kind<bigint> }> {
  return { code: checkCode(code), fields: { data: u64 }, form: 'signal' }
}

/** What every event has besides its own fields. */
export interface EventMeta {
  /** Its place in the order of all events of its node, from 1. Rejected events have none, dropped ones do. */
  readonly seq: bigint
  /** When the host accepted it: CLOCK_MONOTONIC in milliseconds, comparable with `vm.now()`. */
  readonly time: number
  /** It was handed to this node before, by a life of it that did not finish with it. */
  readonly redelivered: boolean
  /** How often it was handed over before; 0 for one that was not. */
  readonly attempts: number
}

/**
 * Events were dropped because the queue of the node was full. It comes before the next event that was accepted: what you
 * know of the world may be old.
 */
export interface GapEvent extends TypedEvent<'gap'> {
  /** The `seq` of the first that was dropped. */
  readonly first: bigint
  /** The `seq` of the last. */
  readonly last: bigint
  /** How many were dropped; others in the range were delivered. */
  readonly count: bigint
}

/** What an event of one message has besides its own fields. */
export interface TypedEvent<out Type> extends EventMeta {
  /** The name of its message. */
  readonly type: Type
}

/** The values of the fields of an event. */
export type EventValues<F extends Fields> = { readonly [Field in keyof F]: ValueOfKind<F[Field]> }

// Intersections and not one mapped type: the editor shows the docstrings of what is not the author's own.
type EventOf<Type, M extends Message> = TypedEvent<Type> &
  EventValues<M['fields']> &
  (M extends Call ? Answering<M['reply']> : unknown)

/** The values of fields, as those who send give them. */
export type FieldValues<F extends Fields> = [keyof F] extends [never]
  ? Readonly<Record<string, never>>
  : { readonly [Field in keyof F]: ValueOfKind<F[Field]> }

/** The events of a message table: a union, told apart by `type`. {@link GapEvent} is always among them. */
export type MessageOf<M extends Messages> =
  | { [Type in keyof M & string]: EventOf<Type, M[Type]> }[keyof M & string]
  | GapEvent

/** An event of a table that is not known at compile time. */
export interface AnyEvent extends EventMeta {
  readonly type: string
  readonly [field: string]: unknown
}
