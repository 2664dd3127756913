// directory.ts: where the nodes of this daemon are in the present attachment, for those who send to them by name.
import { SendError } from '../report.js'

/** Whom an event is for: a slot, in one of its lives. */
export interface Target {
  readonly slot: number
  readonly generation: number
}

interface Waiting {
  resolve(target: Target): void
  reject(error: unknown): void
}

/** Where nodes are, to those who send to them. */
export type Places = Pick<Directory, 'find' | 'arrival'>

/** Names and places. What is not there yet can be waited for. */
export class Directory {
  readonly #find: (name: string) => Target | undefined
  readonly #waiting = new Map<string, Set<Waiting>>()

  /**
   * `find`: where the node is now; undefined: it is being registered, so that `settle` will be called for it; throws
   * SendError if there is nothing to wait for.
   */
  constructor(find: (name: string) => Target | undefined) {
    this.#find = find
  }

  /** Where the node is now; undefined: it is being registered. @throws SendError */
  find(name: string): Target | undefined {
    return this.#find(name)
  }

  /**
   * Where the node is, once it is registered. Those who wait for one node go on in their order. Rejects with SendError,
   * or the signal's reason.
   */
  arrival(name: string, signal: AbortSignal): Promise<Target> {
    // No `async`: everybody must be the same number of microtasks away from the answer.
    return new Promise((resolve, reject) => {
      const target = this.#find(name)
      if (target !== undefined) {
        resolve(target)
        return
      }
      const all = this.#waiting.get(name) ?? new Set()
      const abort = () => {
        all.delete(waiting)
        reject(signal.reason)
      }
      const over = () => signal.removeEventListener('abort', abort)
      const waiting: Waiting = {
        resolve(found) {
          over()
          resolve(found)
        },
        reject(error) {
          over()
          reject(error)
        },
      }
      this.#waiting.set(name, all.add(waiting))
      if (signal.aborted) abort()
      else signal.addEventListener('abort', abort, { once: true })
    })
  }

  /** The node is registered, or will not be for now: those who wait look again. */
  settle(name: string): void {
    const all = this.#waiting.get(name)
    if (all === undefined) return
    this.#waiting.delete(name)
    for (const waiting of all) {
      try {
        const target = this.#find(name)
        if (target === undefined) throw new SendError('UNREGISTERED', `node ${name} cannot take events yet`)
        waiting.resolve(target)
      } catch (error) {
        waiting.reject(error)
      }
    }
  }

  /** The attachment is gone. */
  settleAll(): void {
    for (const name of [...this.#waiting.keys()]) this.settle(name)
  }
}
