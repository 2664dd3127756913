// calls.ts: the commands of one slot that somebody waits for: in order into the command ring, waiting for room when it
// is full, and from there to their outcomes.
import type { NodeExecutor } from './executor.js'
import { type Outcome, type OutcomeLimits, Outcomes } from './outcomes.js'

/** Pushes a command under a call number; false: the ring is full. */
export type Push = (call: number) => boolean

interface Queued {
  readonly call: number
  readonly push: Push
}

/** The calls of one slot in one attachment. */
export class Calls {
  readonly #executor: NodeExecutor
  readonly #slot: number
  readonly #outcomes: Outcomes
  readonly #pushed: () => void
  #queue: Queued[] = []
  #ended: string | undefined

  /**
   * `pushed`: a command is in the ring; have the host rung at the end of the turn. `late`: an outcome came that nobody
   * waits for any more.
   */
  constructor(executor: NodeExecutor, slot: number, pushed: () => void, late?: () => void) {
    this.#executor = executor
    this.#slot = slot
    this.#pushed = pushed
    this.#outcomes = new Outcomes(late)
  }

  /** Whether calls wait for room: whatever is pushed now would overtake them. */
  get waiting(): boolean {
    return this.#queue.length > 0
  }

  /**
   * Gives `push` a call number, now or when there is room, and waits for the outcome.
   * Rejects with NoOutcomeError, the signal's reason, or what `push` threw.
   */
  call(push: Push, limits: OutcomeLimits = {}): Promise<Outcome> {
    if (limits.signal?.aborted) return Promise.reject(limits.signal.reason)
    const { call, outcome } = this.#outcomes.expect(limits)
    if (this.#ended !== undefined) {
      this.#outcomes.fail(this.#ended)
      return outcome
    }
    if (this.#queue.length > 0 || !this.#push(call, push)) this.#queue.push({ call, push })
    return outcome
  }

  /** Pushes a command that has no outcome, now or when there is room, behind the calls that wait. */
  put(push: () => boolean): void {
    if (this.#ended !== undefined) return
    if (this.#queue.length > 0 || !this.#push(0, push)) this.#queue.push({ call: 0, push })
  }

  /** The slot is ready: takes the outcomes that came, and uses the room. Throws what the ring throws. */
  wake(): void {
    if (this.#outcomes.size > 0) this.#drain()
    if (this.#queue.length > 0) this.#retry()
  }

  /** The host is gone: every call fails with NoOutcomeError 'gone', also those that still come. */
  end(reason: string): void {
    this.#ended = reason
    this.#queue = []
    this.#outcomes.fail(reason)
  }

  #retry(): void {
    let done = 0
    for (const { call, push } of this.#queue) {
      // Its caller gave up while it waited: the host never hears of it.
      if (this.#outcomes.abandoned(call)) this.#outcomes.forget(call)
      else if (!this.#push(call, push)) break
      done++
    }
    this.#queue.splice(0, done)
  }

  /** False: the ring is full. A command that cannot be pushed at all is answered with the reason. */
  #push(call: number, push: Push): boolean {
    try {
      if (!push(call)) return false
      this.#pushed()
    } catch (error) {
      this.#outcomes.refuse(call, error)
    }
    return true
  }

  #drain(): void {
    const { ring, scratch } = this.#executor
    for (;;) {
      const bytes = ring.replies(this.#slot, scratch.bytes, 0)
      if (bytes === 0) return
      this.#outcomes.feed(scratch.view, 0, bytes)
    }
  }
}
