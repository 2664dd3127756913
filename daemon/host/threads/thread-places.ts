// thread-places.ts: where the nodes of the daemon are, to the nodes of one worker thread. The main thread has the
// directory; what it has told is at hand here, for the rest it is asked.

import { SendError, type SendErrorCode } from '../report.js'
import type { Places, Target } from '../slots/directory.js'
import type { Report } from './executor-protocol.js'

interface Asked {
  resolve(target: Target): void
  reject(error: unknown): void
}

/** The directory as one thread knows it. */
export class ThreadPlaces implements Places {
  readonly #post: (report: Report) => void
  readonly #known = new Map<string, Target>()
  readonly #asked = new Map<number, Asked>()
  #last = 0

  constructor(post: (report: Report) => void) {
    this.#post = post
  }

  find(name: string): Target | undefined {
    return this.#known.get(name)
  }

  arrival(name: string, signal: AbortSignal): Promise<Target> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted()
      const ask = ++this.#last
      const abort = () => {
        this.#asked.delete(ask)
        this.#post({ say: 'whatever', ask })
        reject(signal.reason)
      }
      const over = () => signal.removeEventListener('abort', abort)
      this.#asked.set(ask, {
        resolve: target => {
          over()
          resolve(target)
        },
        reject: error => {
          over()
          reject(error)
        },
      })
      signal.addEventListener('abort', abort, { once: true })
      this.#post({ say: 'where', ask, name })
    })
  }

  /** The main thread says where a node is; undefined: it must be asked. */
  tell(name: string, target: Target | undefined): void {
    if (target === undefined) this.#known.delete(name)
    else this.#known.set(name, target)
  }

  arrived(ask: number, target: Target): void {
    this.#take(ask)?.resolve(target)
  }

  unreachable(ask: number, code: SendErrorCode, text: string): void {
    this.#take(ask)?.reject(new SendError(code, text))
  }

  /** The host is gone, and every place with it. */
  clear(): void {
    this.#known.clear()
  }

  #take(ask: number): Asked | undefined {
    const asked = this.#asked.get(ask)
    this.#asked.delete(ask)
    return asked
  }
}
