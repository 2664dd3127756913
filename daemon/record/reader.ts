// reader.ts: a recording from its text, checked line by line: it may have been edited by hand, or cut off by a crash.

import { type EndLine, formatVersion, type Recording, type RecordingHead, type RecordingLine } from './format.js'

/** The text is no recording. */
export class RecordingError extends Error {
  /** Always the same. */
  readonly code = 'ERR_RECORDING'
  /** The line that is none, counted from 1. */
  readonly line: number

  /** @internal */
  constructor(line: number, message: string) {
    super(`line ${line}: ${message}`)
    this.name = 'RecordingError'
    this.line = line
  }
}

const ends: readonly unknown[] = ['returned', 'failed', 'stopped', 'left'] satisfies EndLine['end'][]

type Check = (value: unknown) => boolean

const text: Check = value => typeof value === 'string'
const number: Check = value => typeof value === 'number' && Number.isFinite(value)
const whole: Check = value => Number.isSafeInteger(value) && (value as number) >= 0
const digits: Check = value => typeof value === 'string' && /^[0-9]{1,20}$/.test(value)
const object: Check = value => typeof value === 'object' && value !== null && !Array.isArray(value)
const yes: Check = value => value === true
const optional = (check: Check): Check => {
  return value => value === undefined || check(value)
}
const base64: Check = value => typeof value === 'string' && /^[A-Za-z0-9+/]+={0,2}$/.test(value)

// Every kind of line by the key that only it has, and what its other keys must be.
const kinds: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
  event: {
    event: text,
    seq: digits,
    time: number,
    fields: object,
    redelivered: optional(yes),
    attempts: optional(whole),
    asked: optional(yes),
  },
  timer: { timer: number, after: number },
  now: { now: value => Array.isArray(value) && value.every(number) },
  close: { close: yes },
  count: { count: text, by: whole },
  enqueue: {
    enqueue: text,
    packet: base64,
    rx: optional(whole),
    tx: optional(whole),
    flags: optional(whole),
    refused: optional(yes),
  },
  cli: { cli: whole, command: text },
  answer: {
    answer: whole,
    text: optional(text),
    failed: optional(text),
    status: optional(text),
    output: optional(text),
  },
  answered: { answered: digits, reply: optional(object), refused: optional(text) },
  to: {
    to: whole,
    peer: text,
    kind: value => value === 'send' || value === 'call',
    type: text,
    fields: object,
  },
  from: { from: whole, place: optional(digits), reply: optional(object), error: optional(text), why: optional(text) },
  signal: { signal: whole, target: text, code: digits, data: digits },
  signalled: { signalled: whole, error: optional(text), why: optional(text) },
  end: { end: value => ends.includes(value), error: optional(text) },
}

/**
 * Reads a recording. A last line without a line feed is one that was cut off in the writing, and is left out.
 *
 * @param source the text of the file.
 * @throws RecordingError for a text that is none.
 */
export function readRecording(source: string): Recording {
  const rows = source.split('\n')
  rows.pop()
  const [first, ...rest] = rows
  if (first === undefined) throw new RecordingError(1, 'there is no complete line: this is no recording')
  const head = readHead(parse(first, 1))
  let last = 0
  const lines = rest.map((row, i) => {
    const line = readLine(parse(row, i + 2), i + 2)
    if (line.at < last) throw new RecordingError(i + 2, `"at" goes back from ${last} to ${line.at}`)
    last = line.at
    return line
  })
  return { head, lines }
}

function parse(row: string, line: number): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(row)
  } catch {
    throw new RecordingError(line, 'not JSON')
  }
  if (!object(value)) throw new RecordingError(line, 'not an object')
  return value as Record<string, unknown>
}

function readHead(head: Record<string, unknown>): RecordingHead {
  if (head.corod !== 'recording') throw new RecordingError(1, 'no recording: it begins with {"corod":"recording", …}')
  if (head.version !== formatVersion) {
    throw new RecordingError(1, `version ${String(head.version)} of the format: this corod reads ${formatVersion}`)
  }
  if (!text(head.node) || !number(head.start)) throw new RecordingError(1, '"node" or "start" is missing')
  return head as unknown as RecordingHead
}

function readLine(line: Record<string, unknown>, at: number): RecordingLine {
  const kind = Object.keys(kinds).find(key => key in line)
  if (kind === undefined) throw new RecordingError(at, `none of ${Object.keys(kinds).join(', ')}`)
  for (const [key, check] of Object.entries({ at: number, ...kinds[kind] })) {
    if (!check(line[key])) throw new RecordingError(at, `"${key}" is ${key in line ? 'not what it can be' : 'missing'}`)
  }
  return line as unknown as RecordingLine
}
