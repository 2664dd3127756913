// clock.ts: the alarms of one node, and the one deadline that its host has to know.

import { invalid } from './errors.js'
import { type Alarmed, noRow, Wheel } from './wheel.js'

/** What the clock needs of the node's surroundings. */
export interface ClockPort {
  /** CLOCK_MONOTONIC milliseconds; `checking` as in NodePort. */
  now(checking?: boolean): number
  /** The nearest deadline moved; Infinity: there is none. */
  deadline(at: number): void
}

/** A duration in milliseconds, checked: not NaN, not text. Negative ones and Infinity are fine. */
export function duration(ms: number): number {
  if (typeof ms !== 'number' || Number.isNaN(ms)) throw invalid(`${String(ms)} is not a duration in milliseconds`)
  return ms
}

/** Sets and clears alarms. The wheel is made with the first of them: an idle node has none. */
export class Clock {
  readonly #port: ClockPort
  #wheel: Wheel | undefined
  #stopped = false
  // What the host knows. A deadline that was cleared stays known until the host's wake finds nothing to do: that is
  // cheaper than telling it, and harmless.
  #published = Number.POSITIVE_INFINITY

  constructor(port: ClockPort) {
    this.#port = port
  }

  now(): number {
    return this.#port.now()
  }

  /** The time, only to see whether something is due. */
  check(): number {
    return this.#port.now(true)
  }

  /**
   * Sets an alarm for `when`; Infinity: never. What it gives stands for the alarm until that expires or is cleared; then
   * `owner` has to forget it. {@link noRow}: it never expires.
   */
  set(owner: Alarmed, when: number, now: number): number {
    if (when === Number.POSITIVE_INFINITY || this.#stopped) return noRow
    this.#wheel ??= new Wheel()
    const row = this.#wheel.set(owner, when, now)
    const look = this.#wheel.look(row)
    if (look < this.#published) this.#publish(look)
    return row
  }

  /** Clears an alarm, if it is one. */
  clear(row: number): void {
    if (row !== noRow) this.#wheel?.clear(row)
  }

  /** The host says that a deadline may have come: expires what is due, and tells the next deadline. */
  tick(): void {
    const wheel = this.#wheel
    if (wheel === undefined) return
    // An alarm that another one's expiry cleared does not expire any more. Those that are set meanwhile come next time.
    for (const row of wheel.advance(this.check())) {
      wheel.expire(row)
      if (this.#stopped) return
    }
    const nearest = wheel.nearest()
    if (nearest !== this.#published) this.#publish(nearest)
  }

  /** The node was stopped: nothing is due any more, and the host must not wake it. */
  stop(): void {
    this.#stopped = true
    this.#wheel = undefined
    if (this.#published !== Number.POSITIVE_INFINITY) this.#publish(Number.POSITIVE_INFINITY)
  }

  #publish(at: number): void {
    this.#published = at
    this.#port.deadline(at)
  }
}
