// reads.ts: the times that a recorded node was told, told again. A node that does the same as the recorded one thereby
// sets its timers for the very same times; one that does something else gets the times of about the same moment.

import type { RecordingLine } from '../record/format.js'

/** A time that was told so much earlier or later than now, in milliseconds, was told for another reason. */
const near = 5

/** What the recorded node was told from one thing that happened to it to the next. */
interface Span {
  readonly times: number[]
  next: number
  /** The next one, if that is a timer: the node may have come upon it by itself, while it ran. */
  timer: Span | undefined
}

const empty = (): Span => ({ times: [], next: 0, timer: undefined })

/** The times of a recording, by what had happened before they were told. */
export class RecordedReads {
  readonly #spans = new Map<string, Span>()
  readonly #start: number
  #span: Span

  /** Times of the lines are relative to `start`; those of `next` are not. */
  constructor(lines: readonly RecordingLine[], start: number) {
    this.#start = start
    let span = empty()
    this.#span = span
    for (const line of lines) {
      const key = happened(line)
      if (key !== undefined) {
        const before = span
        span = empty()
        if ('timer' in line) before.timer = span
        this.#spans.set(key, span)
      } else if ('now' in line) for (const time of line.now) span.times.push(time)
    }
  }

  /** The thing of that line has happened again. */
  enter(line: RecordingLine): void {
    const key = happened(line)
    if (key !== undefined) this.#span = this.#spans.get(key) ?? empty()
  }

  /** Something happened that did not in the recording. */
  leave(): void {
    this.#span = empty()
  }

  /** What the node is to be told; undefined: nothing was told then. */
  next(now: number): number | undefined {
    const at = now - this.#start
    let time = take(this.#span, at)
    const { timer } = this.#span
    if (time === undefined && timer !== undefined && (timer.times[0] ?? at) <= at + near) {
      this.#span = timer
      time = take(timer, at)
    }
    return time === undefined ? undefined : this.#start + time
  }
}

function take(span: Span, at: number): number | undefined {
  while (span.next < span.times.length && span.times[span.next]! < at - near) span.next++
  return span.next < span.times.length ? span.times[span.next++] : undefined
}

// What happens to a node, by a name that is the same in a replay.
function happened(line: RecordingLine): string | undefined {
  if ('event' in line) return `event ${line.seq}`
  if ('timer' in line) return `timer ${line.at}`
  if ('answer' in line) return `answer ${line.answer}`
  if ('from' in line) return `from ${line.from}`
  return 'close' in line ? 'close' : undefined
}
