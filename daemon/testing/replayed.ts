// replayed.ts: the recording that a replay makes of itself, and what the recorded host had no room for.

import type { RecordingLine } from '../record/format.js'
import type { RecordSink } from '../record/recorder.js'

/** Lines of a replay. Knows where in the recorded life it is: at which packet after which event. */
export class ReplayedLines implements RecordSink {
  readonly lines: RecordingLine[] = []
  // For each event after which packets were refused: which of them.
  readonly #refused = new Map<string, Set<number>>()
  #head = true
  #step = ''
  #packets = 0

  readonly #happened: (line: RecordingLine) => void

  /** `happened` hears each line. */
  constructor(recorded: readonly RecordingLine[], happened: (line: RecordingLine) => void) {
    this.#happened = happened
    let step = ''
    let packets = 0
    for (const line of recorded) {
      if ('event' in line) {
        step = line.seq
        packets = 0
      } else if ('enqueue' in line) {
        if (line.refused === true) this.#refused.set(step, (this.#refused.get(step) ?? new Set()).add(packets))
        packets++
      }
    }
  }

  write(text: string): void {
    if (this.#head) {
      this.#head = false
      return
    }
    const line = JSON.parse(text) as RecordingLine
    if ('now' in line) return
    this.lines.push(line)
    this.#happened(line)
    if (!('event' in line)) return
    this.#step = line.seq
    this.#packets = 0
  }

  /** Whether the host takes the next packet: as it took the one in the same place. */
  admit(): boolean {
    return this.#refused.get(this.#step)?.has(this.#packets++) !== true
  }
}
