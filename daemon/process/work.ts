// work.ts: waits on what is not ours: a promise of the author's, a command of the host, a turn of the event loop.

import type { Clock } from './clock.js'
import { TimeoutError } from './errors.js'
import { type Scope, Wait } from './waits.js'
import { noRow } from './wheel.js'

/**
 * A wait on a promise that somebody else makes, with a signal to tell them that nobody waits any more. What comes too
 * late is given to `late` and never to the coroutine.
 */
export class Work<T> extends Wait<T> {
  readonly #clock: Clock
  #alarm = noRow
  readonly #abort = new AbortController()
  readonly #outer: AbortSignal | undefined
  readonly #cancel = () => this.reject(this.#outer?.reason)
  #over = false

  /** `ms` may be Infinity: no deadline. `outer` ends the wait too, with its reason. */
  constructor(
    scope: Scope,
    clock: Clock,
    ms: number,
    start: (signal: AbortSignal) => PromiseLike<T>,
    late: (result: T) => void,
    outer?: AbortSignal,
  ) {
    super(scope)
    this.#clock = clock
    this.#outer = outer
    outer?.addEventListener('abort', this.#cancel, { once: true })
    this.enter()
    const now = clock.now()
    if (ms > 0) this.#alarm = clock.set(this, now + ms, now)
    // `async`, so that a synchronous throw is a rejection like any other.
    const started = (async () => start(this.#abort.signal))()
    started.then(
      result => {
        if (this.#over) late(result)
        else this.resolve(result)
      },
      (error: unknown) => {
        // A rejection that comes late tells nobody anything: the wait has ended with an error already.
        if (!this.#over) this.reject(error)
      },
    )
    if (ms <= 0) this.expire()
  }

  expire(): void {
    this.#alarm = noRow
    this.reject(new TimeoutError())
  }

  override reject(error: unknown): void {
    if (this.#over) return
    super.reject(error)
    this.#abort.abort(error)
  }

  protected release(): void {
    this.#over = true
    this.#outer?.removeEventListener('abort', this.#cancel)
    this.#clock.clear(this.#alarm)
    this.#alarm = noRow
  }
}

/** A wait for the next turn of the event loop. */
export class Turn extends Wait<void> {
  readonly #immediate: NodeJS.Immediate

  constructor(scope: Scope) {
    super(scope)
    this.enter()
    this.#immediate = setImmediate(() => this.resolve())
  }

  protected release(): void {
    clearImmediate(this.#immediate)
  }
}
