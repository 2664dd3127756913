// outcomes.ts: who waits for which outcome of one slot's commands. Correlation, chunks, deadlines, aborts.
import { flags, record } from '../../../shm/ring.js'
import { littleEndian, readU64 } from './native.js'

/** Bytes of the longest outcome: the host cuts at the same length. */
export const longestOutcome = 16 * 1024 * 1024
/** Outcomes that are late are looked for so often; a deadline may pass by as much. */
const sweepMs = 250

/** What became of a command. `bytes` is memory of its own. */
export interface Outcome {
  /** A number of `statuses` in shm/ring.ts; 0 is OK. */
  readonly status: number
  readonly bytes: Uint8Array
}

/** Why there will be no outcome. */
export class NoOutcomeError extends Error {
  readonly reason: 'deadline' | 'too-big' | 'gone'
  constructor(reason: NoOutcomeError['reason'], message: string) {
    super(message)
    this.name = 'NoOutcomeError'
    this.reason = reason
  }
}

interface Waiting {
  resolve(outcome: Outcome): void
  reject(error: unknown): void
  /** performance.now() at which it gives up; Infinity: never. */
  readonly until: number
  chunks: Uint8Array[] | undefined
  size: number
  /** Stops listening to its abort signal. */
  settle: (() => void) | undefined
}

export interface OutcomeLimits {
  /** Rejects with its reason; the outcome is swallowed when it comes. */
  readonly signal?: AbortSignal
  /** Milliseconds to wait at most. */
  readonly ms?: number
}

const noBytes = new Uint8Array(0)

/** The commands of one slot that wait for an outcome. A call number is never used twice. */
export class Outcomes {
  /** undefined: nobody waits any more, but the host will still answer. */
  readonly #waiting = new Map<number, Waiting | undefined>()
  #last = 0
  #limited = 0
  #sweeper: NodeJS.Timeout | undefined
  readonly #late: () => void

  /** `late` hears of each outcome that comes after its caller has gone, or for no command at all. */
  constructor(late: () => void = () => {}) {
    this.#late = late
  }

  /** Commands that the host has not answered yet, abandoned ones included. */
  get size(): number {
    return this.#waiting.size
  }

  /** A new call number and the promise of its outcome; rejects with NoOutcomeError or the signal's reason. */
  expect({ signal, ms = Number.POSITIVE_INFINITY }: OutcomeLimits = {}): { call: number; outcome: Promise<Outcome> } {
    const call = ++this.#last
    const outcome = new Promise<Outcome>((resolve, reject) => {
      const waiting: Waiting = {
        resolve,
        reject,
        until: ms === Number.POSITIVE_INFINITY ? ms : performance.now() + ms,
        chunks: undefined,
        size: 0,
        settle: undefined,
      }
      this.#waiting.set(call, waiting)
      if (ms !== Number.POSITIVE_INFINITY) this.#watch()
      if (signal === undefined) return
      const abort = () => this.#abandon(call, waiting, signal.reason)
      waiting.settle = () => signal.removeEventListener('abort', abort)
      if (signal.aborted) abort()
      else signal.addEventListener('abort', abort)
    })
    return { call, outcome }
  }

  /** Whether the caller of `call` gave up. */
  abandoned(call: number): boolean {
    return this.#waiting.has(call) && this.#waiting.get(call) === undefined
  }

  /** The command of `call` was never given to the host and nobody waits for it: forget it. */
  forget(call: number): void {
    this.#waiting.delete(call)
  }

  /** The command of `call` cannot be given to the host. */
  refuse(call: number, error: unknown): void {
    const waiting = this.#waiting.get(call)
    this.#waiting.delete(call)
    if (waiting === undefined) return
    this.#done(waiting)
    waiting.reject(error)
  }

  /** Takes the reply records in `view`, `from` up to `to`. */
  feed(view: DataView<ArrayBuffer>, from: number, to: number): void {
    for (let at = from; at < to; ) {
      const size = view.getUint32(at + record.size, littleEndian)
      const call = readU64(view, at + record.seq)
      const status = view.getUint32(at + record.type, littleEndian)
      const more = (view.getUint8(at + record.flags) & flags.more) !== 0
      this.#chunk(call, status, more, view, at + record.bytes, at + size)
      at += (size + 7) & ~7
    }
  }

  /** The host is gone: everything fails with NoOutcomeError 'gone'. */
  fail(message: string): void {
    const all = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const waiting of all) {
      if (waiting === undefined) continue
      this.#done(waiting)
      waiting.reject(new NoOutcomeError('gone', message))
    }
  }

  #chunk(call: number, status: number, more: boolean, view: DataView<ArrayBuffer>, from: number, to: number): void {
    const waiting = this.#waiting.get(call)
    if (waiting === undefined) {
      if (!more) {
        this.#late()
        this.#waiting.delete(call)
      }
      return
    }
    const bytes =
      from === to ? noBytes : new Uint8Array(view.buffer.slice(view.byteOffset + from, view.byteOffset + to))
    if (more || waiting.chunks !== undefined) {
      waiting.chunks ??= []
      waiting.chunks.push(bytes)
      waiting.size += bytes.length
      if (waiting.size > longestOutcome) {
        this.#abandon(call, waiting, new NoOutcomeError('too-big', `the answer is longer than ${longestOutcome} bytes`))
        if (!more) this.#waiting.delete(call)
        return
      }
      if (more) return
    }
    this.#waiting.delete(call)
    this.#done(waiting)
    waiting.resolve({ status, bytes: waiting.chunks === undefined ? bytes : Buffer.concat(waiting.chunks) })
  }

  #abandon(call: number, waiting: Waiting, reason: unknown): void {
    this.#waiting.set(call, undefined)
    this.#done(waiting)
    waiting.reject(reason)
  }

  #done(waiting: Waiting): void {
    waiting.settle?.()
    if (waiting.until === Number.POSITIVE_INFINITY || --this.#limited > 0) return
    clearInterval(this.#sweeper)
    this.#sweeper = undefined
  }

  #watch(): void {
    this.#limited++
    this.#sweeper ??= setInterval(() => this.#sweep(), sweepMs)
  }

  #sweep(): void {
    const now = performance.now()
    for (const [call, waiting] of this.#waiting) {
      if (waiting === undefined || waiting.until > now) continue
      this.#abandon(call, waiting, new NoOutcomeError('deadline', 'the host did not answer in time'))
    }
  }
}
