// trace.ts: the lines of a recording as steps: an event, and what the node asked for until the next one.

import { createHash } from 'node:crypto'
import type { EventLine, PacketLine, RecordingLine } from '../record/format.js'

/** Something that a node did. */
export interface Deed {
  /** Milliseconds from the start. */
  readonly at: number
  /** For people. */
  readonly text: string
  /** Equal for equal deeds; the time is not part of it. */
  readonly key: string
}

/** What a node did from one event to the next. */
export interface Step {
  /** Undefined: before the first event. */
  readonly event: EventLine | undefined
  readonly deeds: readonly Deed[]
}

/** The bytes of a packet that are shown; of longer ones a digest is. */
const shownBytes = 96

/** The steps of a life, the one before the first event included. */
export function stepsOf(lines: readonly RecordingLine[]): Step[] {
  let deeds: Deed[] = []
  const steps: { event: EventLine | undefined; deeds: Deed[] }[] = [{ event: undefined, deeds }]
  for (const line of lines) {
    if ('event' in line) {
      deeds = []
      steps.push({ event: line, deeds })
      continue
    }
    if ('count' in line) count(deeds, line.at, line.count, line.by)
    const text = deedText(line)
    if (text !== undefined) deeds.push({ at: line.at, text, key: 'packet' in line ? `${text} ${line.packet}` : text })
  }
  return steps
}

/**
 * `lines` without what goes beyond a recording that was cut off: in the step in which it was, no more deeds than it has.
 * What a node did after that nobody knows.
 */
export function untilCut(
  lines: readonly RecordingLine[],
  recorded: readonly RecordingLine[],
): readonly RecordingLine[] {
  const last = recorded.findLastIndex(line => 'event' in line)
  const event = recorded[last] as EventLine | undefined
  let left = recorded.slice(last + 1).filter(isDeed).length
  const from = lines.findIndex(line => 'event' in line && line.seq === event?.seq && line.event === event.event)
  if (event !== undefined && from < 0) return lines
  return lines.filter((line, i) => i <= from || !isDeed(line) || left-- > 0)
}

function isDeed(line: RecordingLine): boolean {
  return 'count' in line || deedText(line) !== undefined
}

/** Tells steps of two lives apart or together: an event has one number in all of them. */
export function stepKey({ event }: Step): string {
  return event === undefined ? '' : `${event.seq} ${event.event}`
}

/** An event in one line. */
export function eventText({ event, seq, fields, redelivered }: EventLine): string {
  const shown = Object.keys(fields).length === 0 ? '' : ` ${JSON.stringify(fields)}`
  return `${event} #${seq}${shown}${redelivered === true ? ' (redelivered)' : ''}`
}

// Counts that follow on each other are one: the host adds them up as well.
function count(deeds: Deed[], at: number, counter: string, by: number): void {
  const prefix = `count ${counter} `
  const last = deeds.at(-1)
  const before = last?.key.startsWith(prefix) === true ? Number(last.key.slice(prefix.length)) : undefined
  if (before !== undefined) deeds.pop()
  const text = `${prefix}${(before ?? 0) + by}`
  deeds.push({ at: before === undefined ? at : last!.at, text, key: text })
}

function deedText(line: RecordingLine): string | undefined {
  if ('enqueue' in line) return packetText(line)
  if ('command' in line) return `cli ${JSON.stringify(line.command)}`
  if ('to' in line) return `${line.kind} ${line.peer} ${line.type} ${JSON.stringify(line.fields)}`
  if ('signal' in line) return `signal ${line.target} ${line.code} ${line.data}`
  if ('answered' in line) {
    const how = line.refused === undefined ? `reply ${JSON.stringify(line.reply)}` : `refuse ${line.refused}`
    return `#${line.answered} ${how}`
  }
  if (!('end' in line) || line.end === 'stopped' || line.end === 'left') return undefined
  return line.end === 'returned' ? 'returns' : `throws ${line.error ?? ''}`
}

function packetText({ enqueue, packet, rx, tx, flags, refused }: PacketLine): string {
  const bytes = Buffer.from(packet, 'base64')
  const hex = bytes.subarray(0, shownBytes).toString('hex')
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 12)
  const rest = bytes.length > shownBytes ? `… sha256 ${digest}…` : ''
  const to = [
    ...(rx === undefined ? [] : [`rx ${rx}`]),
    ...(tx === undefined ? [] : [`tx ${tx}`]),
    ...(flags === undefined ? [] : [`flags 0x${flags.toString(16)}`]),
    ...(refused === true ? ['(no room)'] : []),
  ]
  return [`enqueue ${enqueue}`, ...to, `${bytes.length} bytes ${hex}${rest}`].join(' ')
}
