// quiet.ts: log lines that clients can cause, at a rate that clients cannot raise.
import type { Log } from './limits.js'

const PAUSE_MS = 5000

/** One line per kind and pause; the next line of a kind says how many were left out. */
export class Quiet {
  /** For what clients cannot cause. */
  readonly through: Log
  readonly #kinds = new Map<string, { until: number; left: number }>()

  constructor(log: Log) {
    this.through = log
  }

  debug(fields: object, text: string): void {
    this.through.debug(fields, text)
  }

  /** `kind` is one of a fixed few: never anything that a client chose. */
  warn(kind: string, fields: object, text: string): void {
    const left = this.#due(kind)
    if (left !== undefined) this.through.warn(left > 0 ? { ...fields, alike: left } : fields, text)
  }

  error(kind: string, fields: object, text: string): void {
    const left = this.#due(kind)
    if (left !== undefined) this.through.error(left > 0 ? { ...fields, alike: left } : fields, text)
  }

  /** How many lines of `kind` were left out since the last one; undefined: this one is to be left out, too. */
  #due(kind: string): number | undefined {
    const now = performance.now()
    const state = this.#kinds.get(kind)
    if (state !== undefined && now < state.until) {
      state.left++
      return undefined
    }
    this.#kinds.set(kind, { until: now + PAUSE_MS, left: 0 })
    return state?.left ?? 0
  }
}
