// pulse.ts: whether a thread still turns its loop. It is asked now and then; an answer that does not come for too long
// means that some code of it does not let go. Of the threads it knows only that they can be asked.

export interface PulseOptions {
  /** Milliseconds without an answer after which the thread is stuck. */
  readonly maxStall: number
  /** Asks the thread; `answered` is to be called when it answers. */
  readonly ask: () => void
  /** It did not answer for so many milliseconds. Called once; not again until it has answered. */
  readonly stuck: (ms: number) => void
  /** Milliseconds of a clock that goes on evenly. Default: performance.now. */
  readonly now?: () => number
}

/** The questions are so far apart at most, ms: a thread that sleeps is woken for nothing else. */
const longestInterval = 1000
const shortestInterval = 10

/** Feels the pulse of one thread, from `start` to `stop`. */
export class Pulse {
  readonly #options: PulseOptions
  readonly #interval: number
  readonly #now: () => number
  #timer: NodeJS.Timeout | undefined
  /** When the question was asked that has no answer yet. */
  #asked: number | undefined
  #due = 0
  #told = false

  constructor(options: PulseOptions) {
    this.#options = options
    this.#interval = Math.min(longestInterval, Math.max(shortestInterval, options.maxStall / 4))
    this.#now = options.now ?? (() => performance.now())
  }

  start(): void {
    if (this.#timer !== undefined) return
    this.#due = this.#now() + this.#interval
    this.#timer = setInterval(() => this.tick(), this.#interval)
    this.#ask()
  }

  answered(): void {
    this.#asked = undefined
    this.#told = false
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  /** Looks at the clock; what the timer does. */
  tick(): void {
    const now = this.#now()
    if (this.#asked === undefined) this.#ask()
    else {
      // Time in which this thread itself was held up is not the silence of the other: its answer may lie here unread.
      const heldUp = now - this.#due
      if (heldUp > this.#interval) this.#asked += heldUp
      const quiet = now - this.#asked
      if (quiet >= this.#options.maxStall && !this.#told) {
        this.#told = true
        this.#options.stuck(quiet)
      }
    }
    this.#due = now + this.#interval
  }

  #ask(): void {
    this.#asked = this.#now()
    this.#options.ask()
  }
}
