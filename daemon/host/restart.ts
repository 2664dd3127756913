// restart.ts: whether and when a coroutine that ended is started again.
import type { NodeConfig } from '../config/load.js'
import { Backoff } from './backoff.js'

/** What follows when a coroutine ended. `wait` in milliseconds. */
export type Decision =
  | { readonly again: false }
  | { readonly again: true; readonly wait: number; readonly crashLoop: boolean }

/** The restart policy of one node, with its memory of failures. */
export class RestartPolicy {
  readonly #config: NodeConfig['restart']
  readonly #backoff: Backoff
  #failures: number[] = []

  constructor(config: NodeConfig['restart']) {
    this.#config = config
    this.#backoff = new Backoff(config)
  }

  /**
   * The coroutine ended at `now` after `lasted` milliseconds. In a crash loop it is started every `max` only, until the
   * failures within the window have become fewer.
   */
  ended(failed: boolean, now: number, lasted: number): Decision {
    const { policy, max, crashLoop } = this.#config
    if (failed) this.#failures.push(now)
    this.#failures = this.#failures.filter(at => now - at < crashLoop.window)
    if (policy === 'never' || (policy === 'on-failure' && !failed)) return { again: false }
    if (lasted >= crashLoop.window) this.#backoff.reset()
    const looping = failed && this.#failures.length >= crashLoop.count
    const wait = this.#backoff.next()
    return { again: true, wait: looping ? max : wait, crashLoop: looping }
  }
}
