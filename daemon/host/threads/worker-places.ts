// worker-places.ts: what the main thread tells the thread of an executor of where nodes are: the other end of
// thread-places.ts.
import { SendError } from '../report.js'
import type { Directory, Target } from '../slots/directory.js'
import type { Order } from './executor-protocol.js'

/** Answers one executor's questions for nodes. */
export class WorkerPlaces {
  readonly #directory: Directory
  readonly #post: (order: Order) => void
  readonly #asks = new Map<number, AbortController>()

  constructor(directory: Directory, post: (order: Order) => void) {
    this.#directory = directory
    this.#post = post
  }

  /** Where a node is now; undefined: it must be asked for. */
  find(name: string): Target | undefined {
    try {
      const target = this.#directory.find(name)
      return target && { slot: target.slot, generation: target.generation }
    } catch (error) {
      if (error instanceof SendError) return undefined
      throw error
    }
  }

  /** A node of the thread asks where another one is, as soon as it is somewhere. Never rejects. */
  async where(ask: number, name: string): Promise<void> {
    const abort = new AbortController()
    this.#asks.set(ask, abort)
    try {
      const { slot, generation } = await this.#directory.arrival(name, abort.signal)
      this.#post({ do: 'arrived', ask, target: { slot, generation } })
      this.#post({ do: 'place', name, target: { slot, generation } })
    } catch (error) {
      if (error instanceof SendError) this.#post({ do: 'unreachable', ask, code: error.code, text: error.message })
    } finally {
      this.#asks.delete(ask)
    }
  }

  /** Nobody waits for that answer any more. */
  whatever(ask: number): void {
    this.#asks.get(ask)?.abort()
  }

  /** The thread has died, and whoever asked with it. */
  clear(): void {
    for (const abort of this.#asks.values()) abort.abort()
  }
}
