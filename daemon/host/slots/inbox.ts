// inbox.ts: the events of one node, from its ring to its coroutine. Copies batches when the coroutine asks, decodes at
// hand-over, releases what the coroutine is done with, and gives again what a coroutine had in hand when it died.
import { codes, flags, kinds, record } from '../../../shm/ring.js'
import type { AnyEvent } from '../../message/message.js'
import type { MessageTable } from '../../message/table.js'
import { reasonOf } from '../letters/letter.js'
import type { Letters } from '../letters/letters.js'
import type { Answers } from './answers.js'
import type { InboxCounts } from './counts.js'
import type { NodeExecutor } from './executor.js'
import { littleEndian, readU64 } from './native.js'
import type { Slab } from './slab.js'

const interfaceCode = codes.interfaceChange
const redeliveredFlag = flags.redelivered
const {
  size: sizeAt,
  kind: kindAt,
  flags: flagsAt,
  attempts: attemptsAt,
  type: typeAt,
  answer: answerAt,
  seq: seqAt,
  time: timeAt,
} = record
const headBytes = record.bytes
const closeKind = kinds.close
const gapKind = kinds.gap
const nsPerMs = 1e6
/** Kind, flags and attempts lie side by side: one look finds the plain event that nearly all records are. */
const sideBySide = littleEndian && flagsAt === kindAt + 1 && attemptsAt === kindAt + 2
const plainEvent = sideBySide ? kinds.event : -1

/** Copies (of a quarter of the ring each, at most) that one wake may make before the loop gets a turn. */
const drainsPerWake = 16

export interface InboxOptions {
  readonly table: MessageTable
  /** Release on hand-over: an event in hand when its coroutine dies is gone. */
  readonly atMostOnce: boolean
  /** Whether transitions of the interface of that name reach the node. */
  readonly wanted: (name: string) => boolean
  readonly counts: InboxCounts
  /** Where events get answers whose senders wait for them. */
  readonly answers: Answers
  /** Where events go that are given up; undefined: those that do not fit are skipped, the others delivered for ever. */
  readonly letters: Letters | undefined
  /** A record was skipped because it does not fit the message table; whether it is in the dead letters. */
  readonly rejected: (error: unknown, seq: number, kept: boolean) => void
  /**
   * Push what was held back of the commands of events that are done: the ring publishes them before the release. False:
   * some found no room, and the ring holds the release back.
   */
  readonly beforeRelease: () => boolean
  /** Events that are done wait for the end of the turn to be released: have the ring flushed then. */
  readonly handedOver: () => void
}

/**
 * The reader of one slot's event ring. Copied records lie in one piece of one slab:
 * `[#hand, #at)` was handed over and is not released, `[#at, #end)` waits. Records below `#again` were handed over
 * before, by a coroutine that died: the host knows them as handed.
 */
export class Inbox {
  readonly #executor: NodeExecutor
  readonly #slot: number
  readonly #options: InboxOptions
  readonly #table: MessageTable
  readonly #counts: InboxCounts
  readonly #answers: Answers
  #slab: Slab | undefined
  #hand = 0
  #at = 0
  #end = 0
  #again = 0
  /** How often a coroutine died with the record at that place in hand, and of what last. */
  #deaths: Map<number, { readonly times: number; readonly error: unknown }> | undefined
  /** Copied records that were passed and not handed over to the host's knowledge yet: skipped ones. */
  #passed = 0
  /** The ring may have records that were not copied. */
  #more = true
  #drains = drainsPerWake
  #closed = false
  #ended = false

  constructor(executor: NodeExecutor, slot: number, options: InboxOptions) {
    this.#executor = executor
    this.#slot = slot
    this.#options = options
    this.#table = options.table
    this.#counts = options.counts
    this.#answers = options.answers
  }

  /** Events may have come: the next one who asks looks into the ring again. */
  wake(): void {
    this.#more = true
    this.#drains = drainsPerWake
  }

  /** Whether nothing comes any more, also not from what was copied. */
  get closed(): boolean {
    return this.#closed
  }

  /** Whether the host closed the inbox: its last record was reached. */
  get ended(): boolean {
    return this.#ended
  }

  /** Nothing is handed over from now on; what was not handed over stays with the host. */
  close(): void {
    this.#closed = true
  }

  /** Releases what is in hand and hands over the next event. undefined: none now. */
  take(): AnyEvent | undefined {
    this.#answers.finished()
    while (!this.#closed && (this.#at < this.#end || this.#copy())) {
      const at = this.#at
      const suspect = this.#suspect()
      // Its room, once there is some, is a wake.
      if (suspect && !this.#options.beforeRelease()) return undefined
      const event = this.#next()
      if (event === undefined) continue
      this.#handOver(at, suspect)
      return event
    }
    this.release()
    return undefined
  }

  /** The same for all that were copied together; each that was delivered before is a batch of its own. */
  takeBatch(): AnyEvent[] {
    this.#answers.finished()
    const events: AnyEvent[] = []
    while (!this.#closed && (this.#at < this.#end || this.#copy())) {
      const from = this.#at
      const suspect = this.#suspect()
      if (suspect && !this.#options.beforeRelease()) return events
      do {
        const event = this.#next()
        if (event !== undefined) events.push(event)
      } while (!suspect && this.#at < this.#end && !this.#closed && !this.#suspect())
      if (events.length === 0) continue
      this.#handOver(from, suspect)
      return events
    }
    this.release()
    return events
  }

  /** Releases what is in hand. */
  release(): void {
    this.#answers.finished()
    if (this.#slab === undefined) return
    this.#options.beforeRelease()
    if (this.#at >= this.#again) {
      const { ring } = this.#executor
      if (this.#passed > 0) ring.take(this.#slot, this.#passed)
      this.#passed = 0
      ring.release(this.#slot)
    }
    this.#hand = this.#at
    if (this.#at === this.#end) this.#drop()
  }

  /** The coroutine died of `error`: what it had in hand will be handed over again, marked. */
  rewind(error: unknown): void {
    if (this.#slab === undefined || this.#hand === this.#at) return
    this.#deaths ??= new Map()
    const { view } = this.#slab
    for (let at = this.#hand; at < this.#at; at += (view.getUint32(at + sizeAt, littleEndian) + 7) & ~7) {
      this.#deaths.set(at, { times: (this.#deaths.get(at)?.times ?? 0) + 1, error })
    }
    this.#again = Math.max(this.#again, this.#at)
    this.#at = this.#hand
    if (this.#ended) this.#closed = this.#ended = false
  }

  /** The attachment is gone: lets go of the memory; nothing of the ring is touched any more. */
  detach(): void {
    this.#closed = true
    this.#drop()
  }

  #drop(): void {
    if (this.#slab !== undefined) this.#executor.drop(this.#slab)
    this.#slab = undefined
    this.#hand = this.#at = this.#end = this.#again = 0
    this.#deaths = undefined
  }

  /** Copies the next records out of the ring; what is in hand is released before. False: there are none now. */
  #copy(): boolean {
    if (!this.#more) return false
    if (this.#drains === 0) {
      this.#more = false
      this.#executor.again(this.#slot)
      return false
    }
    this.release()
    const slab = this.#executor.slab()
    const bytes = this.#executor.ring.drain(this.#slot, slab.bytes, slab.used)
    if (bytes === 0) {
      this.#more = false
      return false
    }
    this.#drains--
    this.#slab = slab
    slab.holders++
    this.#hand = this.#at = this.#again = slab.used
    slab.used += bytes
    this.#end = slab.used
    return true
  }

  /**
   * Tells the host what is handed over. Everything before `from` is done; its release waits for the end of the turn or
   * the next copy, together with its counts. Not so for what was delivered before: if it brings the process down again,
   * it alone must be blamed, so everything before it is released first; its counts are in the ring.
   */
  #handOver(from: number, suspect: boolean): void {
    const { ring } = this.#executor
    this.#hand = from
    if (this.#passed > 0) {
      if (suspect) ring.release(this.#slot)
      ring.take(this.#slot, this.#passed)
      this.#passed = 0
      if (this.#options.atMostOnce) ring.release(this.#slot)
      else this.#options.handedOver()
    }
    if (this.#options.atMostOnce) this.#hand = this.#at
  }

  /** What was just passed is a dead letter: it must not come again. It was suspect, so nothing else is in hand. */
  #giveUp(): void {
    const { ring } = this.#executor
    if (this.#passed > 0) ring.take(this.#slot, this.#passed)
    this.#passed = 0
    this.#hand = this.#at
    if (this.#at >= this.#again) ring.release(this.#slot)
  }

  /** Whether the next record was delivered before. */
  #suspect(): boolean {
    if (this.#at < this.#again) return true
    const { view } = this.#slab!
    if (view.getUint32(this.#at + kindAt, littleEndian) === plainEvent) return false
    return (view.getUint8(this.#at + flagsAt) & redeliveredFlag) !== 0
  }

  /** Passes one record: its event, or undefined if the coroutine must not see it. */
  #next(): AnyEvent | undefined {
    const { view } = this.#slab!
    const at = this.#at
    const size = view.getUint32(at + sizeAt, littleEndian)
    this.#at = at + ((size + 7) & ~7)
    const again = at < this.#again
    let kind = view.getUint32(at + kindAt, littleEndian)
    let marked = again
    let attempts = 0
    if (kind !== plainEvent || again) {
      kind = view.getUint8(at + kindAt)
      marked ||= (view.getUint8(at + flagsAt) & redeliveredFlag) !== 0
      attempts = view.getUint16(at + attemptsAt, littleEndian) + (again ? (this.#deaths?.get(at)?.times ?? 0) : 0)
    }
    if (!again) this.#passed++
    if (kind === closeKind) {
      this.#closed = this.#ended = true
      return undefined
    }
    const code = view.getUint32(at + typeAt, littleEndian)
    const handle = view.getUint32(at + answerAt, littleEndian)
    // Who asked for the answer of one that comes again was told of the death.
    const question = handle === 0 || again ? undefined : this.#answers.open(handle)
    const { letters } = this.#options
    if (attempts > 0 && letters?.due(attempts)) {
      if (letters.put(this.#table, { view, at }, attempts, reasonOf(this.#deaths?.get(at)?.error))) {
        question?.refuse(`the event is a dead letter: it has ended the coroutine ${attempts} times`)
        this.#giveUp()
        return undefined
      }
    }
    let event: AnyEvent
    try {
      event = this.#table.event(
        code,
        kind,
        view,
        at + headBytes,
        size - headBytes,
        view.getBigUint64(at + seqAt, littleEndian),
        readU64(view, at + timeAt) / nsPerMs,
        marked,
        attempts,
        question,
      ) as AnyEvent
    } catch (error) {
      question?.refuse(error instanceof Error ? error.message : String(error))
      this.#counts.rejected++
      const kept = letters?.put(this.#table, { view, at }, 0, reasonOf(error)) ?? false
      this.#options.rejected(error, readU64(view, at + seqAt), kept)
      return undefined
    }
    return code === interfaceCode || kind === gapKind || marked
      ? this.#special(event, code, kind, marked)
      : this.#plain(event)
  }

  #plain(event: AnyEvent): AnyEvent {
    this.#counts.received++
    return event
  }

  #special(event: AnyEvent, code: number, kind: number, marked: boolean): AnyEvent | undefined {
    const counts = this.#counts
    if (kind === gapKind) {
      counts.gaps++
      counts.missed += Number(event.count)
    } else if (code === interfaceCode && !this.#options.wanted(event.name as string)) {
      counts.filtered++
      return undefined
    }
    if (marked) counts.redelivered++
    return this.#plain(event)
  }
}
