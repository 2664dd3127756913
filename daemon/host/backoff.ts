// backoff.ts: how long to wait before trying again.

/** Waits that double from `min` to `max` milliseconds. */
export class Backoff {
  readonly #min: number
  readonly #max: number
  readonly #jitter: number
  #next: number

  /** `jitter`: 0 to 1, the share of a wait that is left to chance, so that many do not try at the same moment. */
  constructor(range: { readonly min: number; readonly max: number }, jitter = 0) {
    this.#min = range.min
    this.#max = range.max
    this.#jitter = jitter
    this.#next = range.min
  }

  /** The next wait, in milliseconds; the one after it is twice as long. */
  next(): number {
    const wait = this.#next
    this.#next = Math.min(this.#max, wait * 2)
    return wait * (1 - this.#jitter * Math.random())
  }

  /** The longest wait. */
  get max(): number {
    return this.#max
  }

  reset(): void {
    this.#next = this.#min
  }
}
