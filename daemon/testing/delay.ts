// delay.ts: how long something took in a recording, for a replay in which it may begin at another time.

/** From when to when, in milliseconds from the start. */
export interface Delay {
  readonly from: number
  readonly to: number
}

/** What begins so much earlier or later than in the recording began at the same time. */
const same = 1

/** How long it is to take if it begins `now`. What began as it was recorded also ends then, to the microsecond. */
export function delayOf({ from, to }: Delay, now: number): number {
  return Math.max(0, Math.abs(now - from) <= same ? to - now : to - from)
}
