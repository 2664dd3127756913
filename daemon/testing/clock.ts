// clock.ts: time that passes only when a test says so, and what is to happen in it.

/** What is to happen at a time. */
interface Appointment {
  readonly time: number
  readonly action: () => void
}

/** A clock that stands still. It has an agenda: actions, by time and then in the order in which they were made. */
export class VirtualClock {
  #now: number
  // Sorted, the next one last: taking it costs nothing, and most new ones are far away from it or alone.
  readonly #agenda: Appointment[] = []

  constructor(now: number) {
    this.#now = now
  }

  /** CLOCK_MONOTONIC milliseconds, as the node sees them. */
  get now(): number {
    return this.#now
  }

  /** When the next action is due; Infinity: there is none. */
  get next(): number {
    return this.#agenda.at(-1)?.time ?? Number.POSITIVE_INFINITY
  }

  /** Has `action` done at `time`; at once if that is over. */
  at(time: number, action: () => void): void {
    let low = 0
    let high = this.#agenda.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#agenda[middle]!.time > time) low = middle + 1
      else high = middle
    }
    this.#agenda.splice(low, 0, { time, action })
  }

  /** Moves on. Never back, and never past an action that is due. */
  moveTo(time: number): void {
    this.#now = Math.max(this.#now, time)
  }

  /** Does what is due, also what that makes due. Whether there was anything. */
  run(): boolean {
    let any = false
    while (this.next <= this.#now) {
      any = true
      this.#agenda.pop()!.action()
    }
    return any
  }
}
