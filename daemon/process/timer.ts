// timer.ts: timers, which are sources, and sleeps, which are waits.

import { type Clock, duration } from './clock.js'
import { ProcessError, ReceiverBusyError } from './errors.js'
import { ask, none, type Source, take, unwatch, type Watcher, watch } from './source.js'
import { type Scope, Wait } from './waits.js'
import { noRow } from './wheel.js'

/**
 * A timer, made by `vm.timer`, to wait for with `vm.select` or `vm.timeout`. It goes off once for each `set` or `at`; who
 * takes that has to set it again. At the end of its `using` block it is cleared, and cannot be set any more.
 */
export interface Timer extends Source<void>, Disposable {
  /**
   * Goes off in `ms` milliseconds from now, in place of what was set before.
   *
   * @param ms fractions count; zero and less: at once; Infinity: never.
   * @throws ProcessError: `ERR_INVALID_ARGUMENT` for NaN, `ERR_DISPOSED` after its block.
   */
  set(ms: number): void
  /**
   * Goes off at a time, in place of what was set before: for periods that do not drift.
   *
   * @param time milliseconds of `vm.now()`; one that has passed: at once; Infinity: never.
   * @throws ProcessError: `ERR_INVALID_ARGUMENT` for NaN, `ERR_DISPOSED` after its block.
   */
  at(time: number): void
  /** Calls it off: it does not go off, even if its time has come and nobody took that. */
  clear(): void
  /** It is set, and has not been taken. */
  readonly armed: boolean
  /** The time it was set for has come, taken or not. False if it was never set, or cleared. */
  readonly elapsed: boolean
}

/** A timer on the clock of a node. */
export class NodeTimer implements Timer {
  readonly #clock: Clock
  #alarm = noRow
  #when = Number.POSITIVE_INFINITY
  #armed = false
  #disposed = false
  #watcher: Watcher | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  set(ms: number): void {
    const now = this.#clock.now()
    this.#set(now + Math.max(0, duration(ms)), now)
  }

  at(time: number): void {
    this.#set(duration(time), this.#clock.now())
  }

  clear(): void {
    this.#quiet()
    this.#armed = false
    this.#when = Number.POSITIVE_INFINITY
  }

  get armed(): boolean {
    return this.#armed
  }

  get elapsed(): boolean {
    return this.#when !== Number.POSITIVE_INFINITY && this.#when <= this.#clock.now()
  }

  [Symbol.dispose](): void {
    this.clear()
    this.#disposed = true
  }

  // Asks the clock itself and not the wheel: in a flood of events the wheel may not have turned yet.
  [take](): undefined | typeof none {
    if (!this.#armed || this.#when === Number.POSITIVE_INFINITY) return none
    if (this.#alarm !== noRow && this.#when > this.#clock.check()) return none
    this.#quiet()
    this.#armed = false
    return undefined
  }

  [ask](): void {}

  [watch](watcher: Watcher): void {
    if (this.#watcher !== undefined) throw new ReceiverBusyError('timer')
    this.#watcher = watcher
  }

  [unwatch](watcher: Watcher): void {
    if (this.#watcher === watcher) this.#watcher = undefined
  }

  /** The wheel says that its time has come. */
  expire(): void {
    this.#alarm = noRow
    this.#watcher?.wake()
  }

  #quiet(): void {
    this.#clock.clear(this.#alarm)
    this.#alarm = noRow
  }

  #set(when: number, now: number): void {
    if (this.#disposed) throw new ProcessError('ERR_DISPOSED', 'this timer was disposed of')
    this.#quiet()
    this.#when = when
    this.#armed = true
    if (when > now) this.#alarm = this.#clock.set(this, when, now)
    else this.#watcher?.wake()
  }
}

/** A wait that ends by itself. */
export class Sleep extends Wait<void> {
  readonly #clock: Clock
  #alarm: number

  constructor(clock: Clock, scope: Scope, ms: number) {
    super(scope)
    this.#clock = clock
    const now = clock.now()
    this.#alarm = clock.set(this, now + ms, now)
    this.enter()
  }

  expire(): void {
    this.#alarm = noRow
    this.resolve()
  }

  protected release(): void {
    this.#clock.clear(this.#alarm)
    this.#alarm = noRow
  }
}
