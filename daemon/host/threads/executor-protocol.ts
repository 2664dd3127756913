// executor-protocol.ts: what the main thread and the thread of an executor say to each other. Everything here passes
// structured clone. Messages of one direction arrive in their order, also while the thread that gets them is busy.
//
// A *tenancy* is one registration of a node on the executor; a *run* is one life of its coroutine. Both are numbers that
// the main thread gives and never gives twice.
import type { SharedExecutor, SharedSlot } from '../../../shm/ring.js'
import type { NodeConfig } from '../../config/load.js'
import type { SendErrorCode } from '../report.js'
import type { Place } from '../slots/binding.js'
import type { Target } from '../slots/directory.js'
import type { Carried, Field } from './border.js'

/** What a thread gets when it is started. */
export interface ThreadStart {
  /** Of the executor, for people. */
  readonly name: string
  /** Least severe line that is worth posting. */
  readonly level: string
  /** Of {@link LogCredit}. */
  readonly credit: SharedArrayBuffer
}

/** From the main thread to an executor. */
export type Order =
  /** There is a host: this is the executor's end of it. `maxEvent`: payload bytes; `spin`: milliseconds. */
  | { readonly do: 'attach'; readonly executor: SharedExecutor; readonly maxEvent: number; readonly spin: number }
  /** The host is gone: inboxes are at their end, calls fail with `reason`. */
  | { readonly do: 'detach'; readonly reason: string }
  /**
   * A node: `url` is what to import, `counts` the memory of NodeCounts, `peers` the places that are known of those it
   * sends to. Its options are checked again here, because what a schema makes of them need not pass between threads.
   */
  | {
      readonly do: 'bind'
      readonly tenancy: number
      readonly config: NodeConfig
      readonly url: string
      readonly place: Place
      readonly slot: SharedSlot
      readonly counts: SharedArrayBuffer
      readonly peers: readonly (readonly [name: string, target: Target])[]
    }
  /** Other settings for a node that goes on. */
  | { readonly do: 'adjust'; readonly tenancy: number; readonly config: NodeConfig }
  /** Nothing is handed over any more; what is queued stays with the host. */
  | { readonly do: 'shut'; readonly tenancy: number }
  /** Let go of the slot; answered by `unbound`. */
  | { readonly do: 'unbind'; readonly tenancy: number }
  /** Run a coroutine; answered by `ended`. */
  | { readonly do: 'start'; readonly tenancy: number; readonly run: number }
  | { readonly do: 'close' | 'destroy'; readonly run: number }
  | { readonly do: 'fail'; readonly run: number; readonly error: Carried }
  /** Where a node is now for those who send to it; undefined: ask. */
  | { readonly do: 'place'; readonly name: string; readonly target: Target | undefined }
  /** Answer to `where`. */
  | { readonly do: 'arrived'; readonly ask: number; readonly target: Target }
  | { readonly do: 'unreachable'; readonly ask: number; readonly code: SendErrorCode; readonly text: string }
  | { readonly do: 'level'; readonly level: string }
  /** Answered by `pong`, as soon as the thread's loop turns. */
  | { readonly do: 'ping' }
  /** Leave: nothing runs any more. The thread ends by itself. */
  | { readonly do: 'end' }

/** From an executor to the main thread. */
export type Report =
  | { readonly say: 'pong' }
  /** A coroutine ended; what it had in hand is settled. `closed`: its inbox had come to its end. */
  | {
      readonly say: 'ended'
      readonly run: number
      readonly how: 'returned' | 'failed' | 'stopped'
      readonly error?: Carried
      readonly closed: boolean
    }
  /** An error that nobody caught is of this run; it was failed already. */
  | { readonly say: 'blamed'; readonly run: number; readonly error: Carried }
  /** An error that nobody caught, of no node that can be told. After an exception the thread must end. */
  | { readonly say: 'stray'; readonly how: 'exception' | 'rejection'; readonly error: Carried }
  | { readonly say: 'unbound'; readonly tenancy: number }
  /** Asks where a node is, as soon as it is somewhere. */
  | { readonly say: 'where'; readonly ask: number; readonly name: string }
  /** Nobody waits for the answer to `where` any more. */
  | { readonly say: 'whatever'; readonly ask: number }
  /** `dropped`: so many lines before this one were not posted, because the main thread did not keep up. */
  | {
      readonly say: 'log'
      readonly tenancy: number
      readonly level: 'debug' | 'info' | 'warn' | 'error'
      readonly fields: Readonly<Record<string, Field>>
      readonly text: string
      readonly dropped: number
    }
  /** The host broke the contract, or its doorbell is closed: the attachment must end. */
  | { readonly say: 'broken'; readonly text: string }
  /** The code of a node ends the thread by process.exit. `run`: whose code, if that can be told. */
  | { readonly say: 'exiting'; readonly code: number; readonly run: number | undefined; readonly stack: string }

/** Lines of the log that may be on their way at the same time. */
const onTheWay = 1000

/**
 * How many lines of its log a thread may post: a node that logs without end must not fill the memory of the main thread,
 * which may be slower, and whose answer would not reach a thread that is stuck. In memory of both threads: the main
 * thread counts what it took, the executor looks. A number that is a moment old does no harm.
 */
export class LogCredit {
  readonly #taken: Float64Array<SharedArrayBuffer>
  #posted = 0

  constructor(memory = new SharedArrayBuffer(Float64Array.BYTES_PER_ELEMENT)) {
    this.#taken = new Float64Array(memory)
  }

  get memory(): SharedArrayBuffer {
    return this.#taken.buffer
  }

  /** The main thread took one line. */
  take(): void {
    this.#taken[0]!++
  }

  /** The executor wants to post one line: whether it may. */
  post(): boolean {
    if (this.#posted - this.#taken[0]! >= onTheWay) return false
    this.#posted++
    return true
  }
}
