// lateness.ts: how late the timers of a recorded life went off, so that those of a replay are as late. Without this a
// node that sets its timer anew each time would drift away from its recording.

import type { RecordingLine, TimerLine } from '../record/format.js'

/** What a time may be off by, and still be the same: the clocks agree, and a change of a period is larger. */
const same = 0.25
/** What is lost by rounding in the recording. */
const rounding = 0.001

/** The timers of a recording. */
export class Lateness {
  readonly #timers: readonly TimerLine[]
  readonly #start: number

  /** Times of the lines are relative to `start`; those of `of` are not. */
  constructor(lines: readonly RecordingLine[], start: number) {
    this.#timers = lines.filter(line => 'timer' in line)
    this.#start = start
  }

  /** The recorded timer that went off at `time`, if one did. */
  at(time: number): TimerLine | undefined {
    const timer = this.#timers[this.#firstAfter(time - this.#start - rounding)]
    return timer !== undefined && timer.at <= time - this.#start + rounding ? timer : undefined
  }

  /**
   * When a timer goes off that is set at `now` for `deadline`: when the recorded one did that had the same deadline, or
   * was set for as long; else on time. A recorded deadline is a bit later, because computing took time before it was set.
   */
  of(deadline: number, now: number): number {
    const due = deadline - this.#start
    const after = deadline - now
    const latest = due + Math.max(5, after / 10)
    for (let i = this.#firstAfter(now - this.#start + rounding); i < this.#timers.length; i++) {
      const timer = this.#timers[i]!
      if (timer.timer > latest) break
      if (timer.timer < due - same) continue
      if (timer.timer <= due + same || Math.abs(timer.after - after) <= same) {
        return Math.max(deadline, this.#start + timer.at)
      }
    }
    return deadline
  }

  #firstAfter(at: number): number {
    let low = 0
    let high = this.#timers.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#timers[middle]!.at <= at) low = middle + 1
      else high = middle
    }
    return low
  }
}
