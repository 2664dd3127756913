// letters.ts: the dead letters of one node, from the thread that runs it: what is given up is put down here first.
import type { MessageTable } from '../../message/table.js'
import type { Log } from '../../process/node.js'
import { type Copied, type LetterReason, letterOf } from './letter.js'
import { LetterFile } from './letter-file.js'

/** Where dead letters go, and when an event becomes one. Plain data: it may cross threads. */
export interface LetterPlace {
  /** So many coroutines may end with an event in hand; then it is a dead letter. */
  readonly after: number
  /** Absolute path; made if it does not exist. */
  readonly folder: string
  /** Bytes of the dead letters of one node; older ones are thrown away. */
  readonly size: number
}

/** What a node counted of its dead letters. */
export interface LetterCounts {
  /** Events that went to the dead letters. */
  deadLetters: number
  /** Events that could not: those that do not fit were skipped, the others are delivered again; and letters thrown away. */
  lostLetters: number
}

/** Puts down what a node gives up. */
export class Letters {
  readonly #node: string
  readonly #place: LetterPlace
  readonly #counts: LetterCounts
  readonly #log: Log
  readonly #file: LetterFile
  #failing = false

  constructor(node: string, place: LetterPlace, counts: LetterCounts, log: Log) {
    this.#node = node
    this.#place = place
    this.#counts = counts
    this.#log = log
    this.#file = new LetterFile(node, place.folder, place.size)
  }

  /** Whether an event that so many coroutines ended with in hand is given up. */
  due(attempts: number): boolean {
    return attempts >= this.#place.after
  }

  /** Stores a record; the caller may release it then. False: it could not be stored, which is counted and logged. */
  put(table: MessageTable, copied: Copied, attempts: number, reason: LetterReason): boolean {
    try {
      const letter = letterOf(this.#node, table, copied, attempts, reason)
      const lost = this.#file.put(letter)
      this.#counts.deadLetters++
      this.#counts.lostLetters += lost
      this.#failing = false
      if (attempts > 0) {
        const what = `event ${letter.seq} (${letter.type ?? letter.code})`
        this.#log.error({ id: letter.id }, `${what} has ended the coroutine ${attempts} times: it is a dead letter now`)
      }
      if (lost > 0) this.#log.warn({ lost }, `${lost} old dead letters were thrown away: there are too many`)
      return true
    } catch (error) {
      this.#counts.lostLetters++
      // Once, until one is stored again.
      if (!this.#failing)
        this.#log.error({ folder: this.#place.folder }, `a dead letter cannot be stored: ${textOf(error)}`)
      this.#failing = true
      return false
    }
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
