// signals.ts: what the host does with signals to its process nodes: as a test says, or as it was recorded.

import { UndeliveredError } from '../process/errors.js'
import type { RecordingLine, SignalledLine } from '../record/format.js'
import type { VirtualClock } from './clock.js'
import { delayOf } from './delay.js'

/** Takes a signal to a process node. Rejects with UndeliveredError. */
export type TakeSignal = (target: string) => Promise<void>

/** Fails with the host's name for why, if the test has given one for the target. */
export function scriptedSignals(why: ReadonlyMap<string, string>): TakeSignal {
  return async target => {
    const status = why.get(target)
    if (status !== undefined) throw lost(target, status)
  }
}

/**
 * Does with the first signal to a process node what was done with the first one, with the second as with the second,
 * and so on, and those beyond are done; each takes as long as it took. What became of one and was not recorded stays
 * open.
 *
 * @param now milliseconds from the start of the recording.
 */
export function recordedSignals(lines: readonly RecordingLine[], clock: VirtualClock, now: () => number): TakeSignal {
  const ends = new Map(lines.flatMap(line => ('signalled' in line ? [[line.signalled, line] as const] : [])))
  const turns = new Map<string, { readonly from: number; readonly end: SignalledLine | undefined }[]>()
  for (const line of lines) {
    if (!('signal' in line)) continue
    const turn = { from: line.at, end: ends.get(line.signal) }
    turns.set(line.target, [...(turns.get(line.target) ?? []), turn])
  }
  return async target => {
    const turn = turns.get(target)?.shift()
    if (turn === undefined) return
    const { from, end } = turn
    if (end === undefined) return new Promise<never>(() => {})
    const after = delayOf({ from, to: end.at }, now())
    if (after > 0) await new Promise<void>(resolve => clock.at(clock.now + after, resolve))
    if (end.error !== undefined) throw lost(target, end.why ?? end.error)
  }
}

function lost(target: string, status: string): UndeliveredError {
  return new UndeliveredError(target, status, `it was not signalled (${status})`)
}
