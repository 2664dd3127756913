// table.ts: the compiled message table of a node: the codec and the checks, in both directions.

import { CallEvent, type Question } from './call.js'
import { type Fault, MessageError, Misfit, show } from './errors.js'
import { cHeader } from './header.js'
import { type ChoiceKind, type Kind, littleEndian, maxEvent, type Schema } from './kind.js'
import { layOut, type PlacedFields, type PlacedMessage } from './layout.js'
import type { AnyEvent, Messages } from './message.js'
import { jsonSchema } from './schema.js'
import { suggest } from './suggest.js'

/** The kinds of record that come to a node: `enum corod_kind` of shm/layout.h; a test compares them. */
export const recordKind = { event: 1, signal: 2, gap: 3, close: 4 } as const

const gapSize = 24

/**
 * A message table, checked and laid out once. It turns values into records and records into events; both directions
 * refuse what does not fit.
 */
export class MessageTable {
  readonly #messages: readonly PlacedMessage[]
  readonly #byCode = new Map<number, PlacedMessage>()
  readonly #byName = new Map<string, PlacedMessage>()
  // The message of the record before: mostly also that of the next.
  #last: PlacedMessage | undefined

  /** Throws {@link MessageTableError} for a table that cannot be used. */
  constructor(messages: Messages) {
    this.#messages = layOut(messages)
    for (const message of this.#messages) {
      this.#byCode.set(message.code, message)
      this.#byName.set(message.name, message)
    }
  }

  /** The names of all messages, in the author's order. */
  get names(): string[] {
    return this.#messages.map(message => message.name)
  }

  /** The names of the messages that somebody outside the host may send. */
  get sendable(): string[] {
    return this.#messages.filter(message => message.form !== 'host').map(message => message.name)
  }

  /** What the host must know: each code, and the largest payload of it in bytes. */
  get codes(): { code: number; maxSize: number }[] {
    return this.#messages.map(({ code, name }) => ({ code, maxSize: this.maxSize(name)! }))
  }

  /** The code of a message, or undefined if there is none of that name. */
  code(name: string): number | undefined {
    return this.#byName.get(name)?.code
  }

  /** The name of a code, or undefined if no message has it. */
  name(code: number): string | undefined {
    return this.#byCode.get(code)?.name
  }

  /** Largest payload of a message in bytes, or undefined if there is none of that name. */
  maxSize(name: string): number | undefined {
    const message = this.#byName.get(name)
    return message?.open === true ? maxEvent : message?.size
  }

  /**
   * The record of a message. `value` has its fields, as TypeScript or as JSON has them (decimal strings for u64 and
   * i64, base64 for bytes); undefined is the same as no fields. Throws {@link MessageError} with every fault.
   */
  encode(name: string, value: unknown): Uint8Array {
    const message = this.#byName.get(name)
    if (message === undefined) {
      const text = `no message ${show(name)}${suggest(name, this.sendable, 'messages')}`
      throw new MessageError([{ pointer: '', message: text }])
    }
    if (message.form === 'host') {
      throw new MessageError([{ pointer: '', message: `"${name}" is sent by the host only` }])
    }
    return write(message, value)
  }

  /** The messages that declare a reply. */
  get calls(): string[] {
    return this.#messages.filter(message => message.reply !== undefined).map(message => message.name)
  }

  /** The record of a reply to a call, from its fields as `encode` takes them. Throws {@link MessageError}. */
  encodeReply(name: string, value: unknown): Uint8Array {
    return write(this.#replyOf(name), value)
  }

  /** The fields of a reply to a call. Throws {@link MessageError} for bytes that are none. */
  decodeReply(name: string, bytes: Uint8Array): Record<string, unknown> {
    const reply = this.#replyOf(name)
    const { size, open } = reply
    if (open ? bytes.length < size : bytes.length !== size) {
      const text = `the reply to "${name}" has ${open ? 'at least ' : ''}${size} bytes, not ${bytes.length}`
      throw new MessageError([{ pointer: '', message: text }])
    }
    return readFields(reply, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, bytes.length, {})
  }

  #replyOf(name: string): PlacedFields {
    const reply = this.#byName.get(name)?.reply
    if (reply !== undefined) return reply
    throw new MessageError([{ pointer: '', message: `no message ${show(name)} declares a reply` }])
  }

  /**
   * Why whoever sends by `other` cannot send to a node of this table: the first message that this one lacks or has
   * otherwise. undefined: every message of `other` is understood, and so is its reply.
   */
  lacks(other: MessageTable): string | undefined {
    for (const theirs of other.#messages) {
      const own = this.#byName.get(theirs.name)
      if (own === undefined) return `it has no message "${theirs.name}"`
      if (shapeOf(own) !== shapeOf(theirs)) return `its message "${theirs.name}" is another one`
    }
    return undefined
  }

  /**
   * The fields of a record, without what every event has.
   *
   * @param kind one of {@link recordKind}
   * @param offset where the payload starts in `view`, and `length` its bytes
   */
  decode(code: number, kind: number, view: DataView, offset: number, length: number): Record<string, unknown> {
    if (kind === recordKind.gap) return gap(view, offset, length, {})
    return readFields(this.#find(code, kind, length), view, offset, offset + length, {})
  }

  /**
   * A record as the event that the coroutine gets. One call for everything, so that an event is one object made once.
   * `question`: somebody waits for the answer; only to a message that declares a reply can there be one.
   * Throws {@link MessageError} for a record that does not fit the table.
   */
  event(
    code: number,
    kind: number,
    view: DataView,
    offset: number,
    length: number,
    seq: bigint,
    time: number,
    redelivered: boolean,
    attempts: number,
    question?: Question,
  ): AnyEvent {
    if (kind === recordKind.gap) {
      return gap(view, offset, length, { type: 'gap', seq, time, redelivered, attempts }) as AnyEvent
    }
    const message = this.#find(code, kind, length)
    if (message.reply !== undefined) {
      const { name, reply } = message
      const encode = (value: unknown) => write(reply, value)
      const call = new CallEvent(name, seq, time, redelivered, attempts, encode, question)
      return readFields(message, view, offset, offset + length, call as unknown as Record<string, unknown>) as AnyEvent
    }
    // One literal with what all events have, then the fields in a fixed order: every event of a type has one shape.
    const event = { type: message.name, seq, time, redelivered, attempts }
    return readFields(message, view, offset, offset + length, event) as AnyEvent
  }

  #find(code: number, kind: number, length: number): PlacedMessage {
    let message = this.#last
    if (message === undefined || message.code !== code) {
      message = this.#byCode.get(code)
      if (message === undefined) throw new MessageError([{ pointer: '', message: `no message has code ${code}` }])
      this.#last = message
    }
    if (kind !== recordKind.event || length !== message.size) checkRecord(message, kind, length)
    return message
  }

  /** A C header for senders to the node of that name. */
  header(nodeName: string): string {
    return cHeader(nodeName, this.#messages)
  }

  /** A JSON Schema of what the local socket takes for this node. */
  jsonSchema(): Schema {
    return jsonSchema(this.#messages)
  }
}

function gap(view: DataView, offset: number, length: number, into: Record<string, unknown>): Record<string, unknown> {
  if (length !== gapSize)
    throw new MessageError([{ pointer: '', message: `a gap has ${gapSize} bytes, not ${length}` }])
  into.first = view.getBigUint64(offset, littleEndian)
  into.last = view.getBigUint64(offset + 8, littleEndian)
  into.count = view.getBigUint64(offset + 16, littleEndian)
  return into
}

// One word for the layout of a message and its reply.
function shapeOf({ code, form, fields, reply }: PlacedMessage): string {
  const shape = (placed: PlacedFields['fields']) =>
    placed.map(({ name, kind }) => `${name}: ${kindOf(kind)}`).join(', ')
  return `${code} ${form} (${shape(fields)}) (${reply === undefined ? '' : shape(reply.fields)})`
}

function kindOf(kind: Kind): string {
  return 'choices' in kind ? `choice(${(kind as ChoiceKind).choices.join(' ')})` : kind.name
}

/** The record of a message or a reply. Throws MessageError. */
function write(message: PlacedFields, value: unknown): Uint8Array {
  const prepared = prepare(message, value)
  let size = message.size
  for (let i = 0; i < prepared.length; i++) size += message.fields[i]!.kind.extra(prepared[i])
  if (size > maxEvent) {
    const pointer = message.open ? `/${message.fields.at(-1)!.name}` : ''
    throw new MessageError([{ pointer, message: `${size} bytes are too many: a message has at most ${maxEvent}` }])
  }
  const bytes = new Uint8Array(size)
  const view = new DataView(bytes.buffer)
  for (let i = 0; i < prepared.length; i++) {
    const { kind, offset } = message.fields[i]!
    kind.write(view, offset, prepared[i])
  }
  return bytes
}

function readFields(
  message: PlacedFields,
  view: DataView,
  offset: number,
  end: number,
  into: Record<string, unknown>,
): Record<string, unknown> {
  const { fields } = message
  for (let i = 0; i < fields.length; i++) {
    const field = fields[i]!
    try {
      into[field.name] = field.kind.read(view, offset + field.offset, end)
    } catch (error) {
      throw new MessageError([fault(`/${field.name}`, error)])
    }
  }
  return into
}

// The rare cases: a signal, JSON text, and what does not fit.
function checkRecord(message: PlacedMessage, kind: number, length: number): void {
  const { name, form, size, open } = message
  let text: string | undefined
  if (kind === recordKind.signal && form !== 'signal') text = `"${name}" came as a signal: declare it with signal(code)`
  else if (kind !== recordKind.signal && kind !== recordKind.event) text = `a record of kind ${kind} is no message`
  else if (open ? length < size : length !== size) {
    text = `"${name}" has ${open ? 'at least ' : ''}${size} bytes, not ${length}`
  }
  if (text !== undefined) throw new MessageError([{ pointer: '', message: text }])
}

// Every field ready to be written, or every fault.
function prepare(message: PlacedFields, value: unknown): unknown[] {
  const given = value === undefined ? {} : value
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new MessageError([{ pointer: '', message: `${show(given)} is not an object with the fields of the message` }])
  }
  const faults: Fault[] = []
  const prepared = message.fields.map(({ name, kind }) => {
    const pointer = `/${name}`
    const field = Object.hasOwn(given, name) ? (given as Record<string, unknown>)[name] : undefined
    if (field === undefined) {
      faults.push({ pointer, message: `is missing: ${kind.name}` })
      return undefined
    }
    try {
      return kind.prepare(field)
    } catch (error) {
      faults.push(fault(pointer, error))
      return undefined
    }
  })
  for (const key of Object.keys(given)) {
    if (message.fields.some(field => field.name === key)) continue
    const known = message.fields.map(field => field.name)
    const pointer = `/${key.slice(0, 64).replaceAll('~', '~0').replaceAll('/', '~1')}`
    faults.push({ pointer, message: `unknown field${suggest(key, known, 'fields')}` })
  }
  if (faults.length > 0) throw new MessageError(faults)
  return prepared
}

function fault(pointer: string, error: unknown): Fault {
  if (error instanceof Misfit) return { pointer, message: error.message }
  throw error
}
