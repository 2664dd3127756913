// inputs.ts: what a recorded node was given, as events that a replay can give again.

import type { Question } from '../message/call.js'
import { MessageError } from '../message/errors.js'
import { interfaceChange } from '../message/interface.js'
import type { Fields } from '../message/kind.js'
import type { AnyEvent, Messages } from '../message/message.js'
import { type MessageTable, recordKind } from '../message/table.js'
import type { EventLine, RecordingLine } from '../record/format.js'

/** What comes at one moment. */
export interface Input {
  /** Milliseconds from the start. */
  readonly at: number
  /** Events that are there together. */
  readonly events: readonly EventLine[]
  /** The inbox ends. */
  readonly close: boolean
}

/**
 * The inputs of a recording, in order. An event that had been accepted when the one before it was handed over was there
 * then, and comes with it; unless a timer or an answer came between, because the node saw that first.
 */
export function inputsOf(lines: readonly RecordingLine[]): Input[] {
  const inputs: { at: number; events: EventLine[]; close: boolean }[] = []
  let open: EventLine[] | undefined
  for (const line of lines) {
    if ('event' in line) {
      const at = inputs.at(-1)?.at ?? 0
      if (open !== undefined && (line.time <= at || line.at === at)) open.push(line)
      else {
        open = [line]
        inputs.push({ at: line.at, events: open, close: false })
      }
    } else if ('close' in line) {
      inputs.push({ at: line.at, events: [], close: true })
      open = undefined
    } else if ('timer' in line || 'answer' in line || 'from' in line) open = undefined
  }
  return inputs
}

/** Makes events of a node's own messages of recorded ones. */
export class EventReader {
  readonly #messages: Messages
  readonly #table: MessageTable
  readonly #start: number

  /** `start` is when the recording began. */
  constructor(messages: Messages, table: MessageTable, start: number) {
    this.#messages = messages
    this.#table = table
    this.#start = start
  }

  /** The event, or why the node cannot get it. `question` if its sender waits for the reply. */
  read(line: EventLine, question?: Question): AnyEvent | string {
    try {
      return this.#event(line, question)
    } catch (error) {
      if (error instanceof MessageError) return error.message
      throw error
    }
  }

  #event(line: EventLine, question: Question | undefined): AnyEvent {
    const { event: type, fields, redelivered = false, attempts = 0 } = line
    const [seq, time] = [BigInt(line.seq), this.#start + line.time]
    const meta = { type, seq, time, redelivered, attempts }
    if (type === 'gap') {
      return { ...meta, first: whole(fields.first), last: whole(fields.last), count: whole(fields.count) }
    }
    const message = Object.hasOwn(this.#messages, type) ? this.#messages[type] : undefined
    if (message?.form === 'host') {
      // No codec writes what only a host sends; all of its fields are as JSON has them.
      const names = Object.keys(interfaceChange.fields)
      return { ...Object.fromEntries(names.map(name => [name, fields[name]])), ...meta }
    }
    const bytes = this.#table.encode(type, message === undefined ? fields : withDoubles(message.fields, fields))
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const kind = message?.form === 'signal' ? recordKind.signal : recordKind.event
    const { code = 0 } = message ?? {}
    return this.#table.event(code, kind, view, 0, bytes.length, seq, time, redelivered, attempts, question)
  }
}

function whole(value: unknown): bigint {
  if (typeof value === 'string' && /^[0-9]{1,20}$/.test(value)) return BigInt(value)
  throw new MessageError([{ pointer: '', message: 'a gap has first, last and count, as decimal strings' }])
}

// Doubles that JSON has no word for are recorded as text.
function withDoubles(kinds: Fields, fields: EventLine['fields']): Record<string, unknown> {
  const entries = Object.entries(fields).map(([name, value]) => {
    const double = typeof value === 'string' && kinds[name]?.name === 'f64'
    return [name, double ? Number(value) : value]
  })
  return Object.fromEntries(entries) as Record<string, unknown>
}
