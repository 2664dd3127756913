// letter.ts: what is kept of an event that no coroutine gets any more: one line of JSON. No files here.
import { randomBytes } from 'node:crypto'
import { record } from '../../../shm/ring.js'
import { type MessageTable, recordKind } from '../../message/table.js'
import { toJsonFields } from '../../record/format.js'
import { littleEndian } from '../slots/native.js'

/** Why an event became a dead letter: the last error that it ended the coroutine with, or why it does not fit. */
export interface LetterReason {
  readonly name: string
  readonly message: string
  /** The first frames. */
  readonly stack?: string
}

/** An event in the dead letters of its node. u64 and i64 are decimal strings and bytes base64, as on the local socket. */
export interface DeadLetter {
  /** Tells it from all others. */
  readonly id: string
  /** ISO 8601: when it was given up. */
  readonly time: string
  readonly node: string
  /** Name of its message; absent if the node has none of its code. */
  readonly type?: string
  readonly code: number
  /** Its place in the order of its node. */
  readonly seq: string
  /** How often a coroutine ended with it in hand. 0: it does not fit the messages of the node. */
  readonly attempts: number
  /** Its fields; of an event that does not fit there are `bytes` instead. */
  readonly value?: Readonly<Record<string, unknown>>
  /** Its payload as it came, base64. */
  readonly bytes?: string
  readonly reason: LetterReason
}

/** A record of an event ring that was copied, and where it begins. */
export interface Copied {
  readonly view: DataView<ArrayBuffer>
  readonly at: number
}

const frames = 8
const longest = 2000

/** A letter of the record at `at`. */
export function letterOf(
  node: string,
  table: MessageTable,
  { view, at }: Copied,
  attempts: number,
  reason: LetterReason,
): DeadLetter {
  const kind = view.getUint8(at + record.kind)
  const code = view.getUint32(at + record.type, littleEndian)
  const type = kind === recordKind.gap ? 'gap' : table.name(code)
  return {
    id: randomBytes(9).toString('base64url'),
    time: new Date().toISOString(),
    node,
    ...(type === undefined ? {} : { type }),
    code,
    seq: `${view.getBigUint64(at + record.seq, littleEndian)}`,
    attempts,
    ...contentOf(table, code, kind, view, at),
    reason,
  }
}

function contentOf(
  table: MessageTable,
  code: number,
  kind: number,
  view: DataView<ArrayBuffer>,
  at: number,
): Pick<DeadLetter, 'value' | 'bytes'> {
  const [from, length] = [at + record.bytes, view.getUint32(at + record.size, littleEndian) - record.bytes]
  try {
    return { value: toJsonFields(table.decode(code, kind, view, from, length)) }
  } catch {
    return { bytes: Buffer.from(view.buffer, view.byteOffset + from, length).toString('base64') }
  }
}

/** `error`, whatever was thrown, as a reason; `undefined`: whatever ran the coroutine has died with it. */
export function reasonOf(error: unknown): LetterReason {
  if (error === undefined) {
    return { name: 'Died', message: 'the process or the thread of the node ended while the event was in hand' }
  }
  if (!(error instanceof Error)) return { name: 'Error', message: cut(String(error)) }
  const stack = error.stack?.split('\n').filter(line => /^\s+at /.test(line))
  return {
    name: cut(error.name),
    message: cut(error.message),
    ...(stack === undefined ? {} : { stack: cut(stack.slice(0, frames).join('\n')) }),
  }
}

function cut(text: string): string {
  return text.length > longest ? `${text.slice(0, longest)}…` : text
}
