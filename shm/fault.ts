// fault.ts: the errors of this folder, and the checks of arguments that throw them before the addon sees anything.
import { getSystemErrorMap, getSystemErrorName } from 'node:util'
import { type Code, native } from './native.js'

const { answers } = native

/**
 * What the host, the operating system or the caller did wrong. `code` is an errno name (`ENOENT`, `ECONNREFUSED`), or
 * MALFORMED (the host broke the contract; the attachment ends), MISUSE (not possible in this state), GONE (what another
 * thread shared is not there any more), TOO_BIG (it would never fit), TOO_SMALL (a buffer that takes not even one
 * record), NO_MEMORY.
 */
export class RingError extends Error {
  override readonly name = 'RingError'
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

const faults = new Map<Code | undefined, readonly [code: string, text: string]>([
  [answers.broken, ['MALFORMED', 'the host wrote a malformed record or cursor; the attachment ends']],
  [answers.misuse, ['MISUSE', 'the call is not possible in this state, or not with these arguments']],
  [answers.tooLarge, ['TOO_BIG', 'larger than half of the command ring: it would never fit']],
  [answers.tooSmall, ['TOO_SMALL', 'the next record is larger than the whole buffer']],
  [answers.memory, ['NO_MEMORY', 'out of memory']],
  [answers.gone, ['GONE', 'what was shared was used already or given back, or its link has closed']],
])

/** The error for an answer of the addon. */
export function fault(code: Code | undefined): RingError {
  const [name, text] = faults.get(code) ?? ['MISUSE', `unexpected answer ${code}`]
  return new RingError(name, text)
}

/** The error for a negative errno. */
export function systemError(errno: number, what: string): RingError {
  return new RingError(getSystemErrorName(errno), `${what}: ${getSystemErrorMap().get(errno)?.[1] ?? 'unknown error'}`)
}

/** Throws unless the question was queued. */
export function asked(code: Code): void {
  if (code !== answers.done) throw fault(code)
}

/** Whether a push went in; false is a full ring. */
export function pushed(code: Code | undefined): boolean {
  if (code === undefined) return true
  if (code === answers.notNow) return false
  throw fault(code)
}

/** An integer from 0 to `most`. */
export function u32(what: string, value: number, most = 0xffff_ffff): number {
  if (!Number.isInteger(value) || value < 0 || value > most)
    throw new RangeError(`${what} must be an integer from 0 to ${most}, not ${value}`)
  return value
}

/** An integer from 0 to 2^53 - 1. */
export function u53(what: string, value: number): number {
  if (!Number.isSafeInteger(value) || value < 0)
    throw new RangeError(`${what} must be a safe integer of at least 0, not ${value}`)
  return value
}

/** A bigint that fits 64 bits without a sign. */
export function u64(what: string, value: bigint): bigint {
  if (typeof value !== 'bigint') throw new TypeError(`${what} must be a bigint`)
  if (BigInt.asUintN(64, value) !== value) throw new RangeError(`${what} must be from 0 to 2^64 - 1, not ${value}`)
  return value
}

/** A Uint8Array; a Buffer is one. */
export function bytes(what: string, value: Uint8Array, most = 0xffff_ffff): Uint8Array {
  if (!(value instanceof Uint8Array)) throw new TypeError(`${what} must be a Uint8Array`)
  if (value.byteLength > most) throw new RangeError(`${what} must have at most ${most} bytes, not ${value.byteLength}`)
  return value
}

/** Text of `least` to `most` bytes of UTF-8 without NUL. */
export function text(what: string, value: string, most: number, least = 1): string {
  if (typeof value !== 'string') throw new TypeError(`${what} must be a string`)
  const size = Buffer.byteLength(value)
  if (size < least || size > most || value.includes('\0'))
    throw new RangeError(`${what} must have ${least} to ${most} bytes and no NUL`)
  return value
}

/** A function. */
export function callable<F>(what: string, value: F): F {
  if (typeof value !== 'function') throw new TypeError(`${what} must be a function`)
  return value
}

/** The index of a value in a closed list. */
export function choice<T>(what: string, value: T, all: readonly T[]): number {
  const at = all.indexOf(value)
  if (at < 0) throw new RangeError(`${what} must be one of ${all.join(', ')}, not ${value}`)
  return at
}
