// format.ts: what a recording is: one life of a node as lines of JSON (NDJSON). The first line is the head; then comes
// one line for each thing that the node was given and for each that it asked for, in the order of that life.
//
// Values are as the local socket takes them: u64 and i64 as decimal strings, bytes as base64. docs/testing.md shows it.

/** The version of the format that is written, and the only one that is read. */
export const formatVersion = 1

/** The first line of a recording. */
export interface RecordingHead {
  /** What tells a recording from another file. */
  readonly corod: 'recording'
  /** The version of the format. */
  readonly version: typeof formatVersion
  /** The name of the node. */
  readonly node: string
  /** CLOCK_MONOTONIC milliseconds of `at: 0`. */
  readonly start: number
  /** `node.options`; absent if JSON cannot say them. */
  readonly options?: unknown
}

/** An event was handed to the node. */
export interface EventLine {
  readonly at: number
  /** Its message, or `gap`. */
  readonly event: string
  readonly seq: string
  /** When the host accepted it; may be before the start. */
  readonly time: number
  readonly fields: Readonly<Record<string, unknown>>
  readonly redelivered?: true
  readonly attempts?: number
  /** Its sender waits for a reply. */
  readonly asked?: true
}

/** The nearest deadline of the node, which was at `timer`, was seen to have come. */
export interface TimerLine {
  readonly at: number
  readonly timer: number
  /** How far away the deadline was when the node set it. */
  readonly after: number
}

/** The times that the node was told since the line before, in order: by `vm.now()`, and to set its timers by. */
export interface NowLine {
  readonly at: number
  readonly now: readonly number[]
}

/** The node heard that its inbox was closed. */
export interface CloseLine {
  readonly at: number
  readonly close: true
}

/** The node added to a counter. */
export interface CountLine {
  readonly at: number
  readonly count: string
  readonly by: number
}

/** The node sent a packet. */
export interface PacketLine {
  readonly at: number
  /** The next node. */
  readonly enqueue: string
  readonly packet: string
  /** Interface indexes; absent: none. */
  readonly rx?: number
  readonly tx?: number
  /** Absent: 0. */
  readonly flags?: number
  /** The host had no room: the packet was not sent. */
  readonly refused?: true
}

/** The node ran command number `cli`, counted from 1. */
export interface CliLine {
  readonly at: number
  readonly cli: number
  readonly command: string
}

/** Command number `answer` was done: with `text`, or it `failed`. */
export interface AnswerLine {
  readonly at: number
  readonly answer: number
  readonly text?: string
  readonly failed?: string
  /** The host's name for the failure. */
  readonly status?: string
  /** What the command had written until it failed. */
  readonly output?: string
}

/** The node answered the call of event number `answered`: with the fields of a `reply`, or it refused. */
export interface ReplyLine {
  readonly at: number
  readonly answered: string
  readonly reply?: Readonly<Record<string, unknown>>
  readonly refused?: string
}

/** The node sent an event to a peer, or called it; number `to`, counted from 1. */
export interface PeerLine {
  readonly at: number
  readonly to: number
  /** As the definition calls it. */
  readonly peer: string
  readonly kind: 'send' | 'call'
  readonly type: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** What became of number `from`: it was taken, replied to with `reply`, or failed with `error`, a code of errors.ts. */
export interface OutcomeLine {
  readonly at: number
  readonly from: number
  /** The place of an event that was sent. */
  readonly place?: string
  readonly reply?: Readonly<Record<string, unknown>>
  readonly error?: string
  /** Of a refusal its reason; of an event that was not delivered the host's name for why. */
  readonly why?: string
}

/** The node signalled a process node of the host; number `signal`, counted from 1. */
export interface SignalLine {
  readonly at: number
  readonly signal: number
  readonly target: string
  readonly code: string
  readonly data: string
}

/** What became of signal number `signalled`: it was done, or failed with `error`, a code of errors.ts. */
export interface SignalledLine {
  readonly at: number
  readonly signalled: number
  readonly error?: string
  /** The host's name for why. */
  readonly why?: string
}

/** How the life ended; `left`: the recording was stopped, the life went on. Absent from a recording that was cut off. */
export interface EndLine {
  readonly at: number
  readonly end: 'returned' | 'failed' | 'stopped' | 'left'
  readonly error?: string
}

/** Any line but the first. `at` is in milliseconds from the start, exact to a microsecond. */
export type RecordingLine =
  | EventLine
  | TimerLine
  | NowLine
  | CloseLine
  | CountLine
  | PacketLine
  | CliLine
  | AnswerLine
  | ReplyLine
  | PeerLine
  | OutcomeLine
  | SignalLine
  | SignalledLine
  | EndLine

/** A recording as it was read. docs/testing.md has the format. */
export interface Recording {
  /** The first line: of which node it is, and its options. */
  readonly head: RecordingHead
  /** All others, in the order in which it happened. */
  readonly lines: readonly RecordingLine[]
}

/** A value as JSON can say it, the way the local socket takes it. */
export function toJson(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString()
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64')
  // JSON has no word for these doubles; JSON.stringify would make null of them.
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value)
  return value
}

/** The fields of a message, each as JSON can say it. */
export function toJsonFields(fields: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, toJson(value)]))
}

/** A time relative to `start`, to a microsecond: clocks differ beyond it and lines get shorter. */
export function relative(time: number, start: number): number {
  return Math.round((time - start) * 1000) / 1000
}
