// lateness.ts: how late the timers of a recorded life went off, so that those of a replay are as late. Without this a
// node that sets its timer anew each time would drift away from its recording.

import type { Line } from '../record/format.js'

/**
 * Milliseconds by which a timer of the replay may be set earlier than a recorded one and still be the same: here the
 * computing before it was set took no time. Larger, and a period changed by a millisecond would not be noticed.
 */
const slack = 0.25
/** What is lost by rounding in the recording. */
const rounding = 0.001

/** The timers of a recording. */
export class Lateness {
  // When each went off, in order, and when it was to.
  readonly #seen: Float64Array
  readonly #due: Float64Array

  /** Times of the lines are relative to `start`; those of `of` are not. */
  constructor(lines: readonly Line[], start: number) {
    const timers = lines.filter(line => 'timer' in line)
    this.#seen = Float64Array.from(timers, line => start + line.at)
    this.#due = Float64Array.from(timers, line => start + line.timer)
  }

  /** When a timer goes off that is set for `deadline`: as the recorded one that was due about then, else on time. */
  of(deadline: number): number {
    const i = this.#firstSeen(deadline - rounding)
    if (i === this.#seen.length || this.#due[i]! > deadline + slack) return deadline
    return Math.max(deadline, this.#seen[i]!)
  }

  #firstSeen(time: number): number {
    let low = 0
    let high = this.#seen.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#seen[middle]! < time) low = middle + 1
      else high = middle
    }
    return low
  }
}
