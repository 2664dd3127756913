// view.ts: an executor of a link that another thread has, and what is posted from that thread to this one.
import { type Executor, type ExecutorOptions, openExecutor } from './executor.js'
import { callable, fault, u32, u53 } from './fault.js'
import { type Code, type NativeView, native } from './native.js'

const { answers, limits } = native

/**
 * An executor on its way to another thread. A plain object: post it, and open it there once. The process keeps what it
 * stands for until a view takes it, `discardShared` gives it back, or the link closes.
 */
export interface SharedExecutor {
  /** Its id. */
  readonly executor: number
  readonly token: number
}

/** A slot on its way to the view of its executor; as `SharedExecutor`. */
export interface SharedSlot {
  readonly slot: number
  /** The executor that it is on. */
  readonly executor: number
  readonly token: number
}

/** Gives back what no view has taken. Idempotent; nothing happens to what was taken. Any thread may do it. */
export function discardShared(shared: SharedExecutor | SharedSlot): void {
  native.discard(u53('token', shared.token))
}

function done(code: Code): void {
  if (code !== answers.done) throw fault(code)
}

/**
 * One executor with its doorbell in this thread, of an attachment whose link is on another thread. It sends and
 * receives without that thread; what belongs to the attachment (registration, pings, the end) stays there.
 *
 * An open view keeps its thread and its callbacks alive. The end of the thread, however it comes, closes it.
 */
export class View {
  /** As of a link; `slots` and `onWake` too. */
  readonly executor: Executor
  readonly #view: NativeView

  private constructor(view: NativeView, executor: Executor) {
    this.#view = view
    this.executor = executor
  }

  /**
   * Takes a shared executor over. `onWake(count)` as for `Link.executor`. `ended(why)` is called once if the view ends by
   * itself: the host broke the contract in one of its slots, or its doorbell is closed, which the end of the attachment
   * causes too. Everything of the view is given back then; the thread of the link should end the attachment.
   * @throws RingError GONE if it was used or given back, or its link has closed; MISUSE if it is no executor; NO_MEMORY
   */
  static open(
    shared: SharedExecutor,
    onWake: (count: number) => void,
    ended: (why: string) => void,
    options: ExecutorOptions = {},
  ): View {
    callable('onWake', onWake)
    callable('ended', ended)
    u32('executor', shared.executor, limits.executors - 1)
    const view = native.view(u53('token', shared.token), why => ended(why))
    if (typeof view === 'number') throw fault(view)
    try {
      return new View(view, openExecutor(view, shared.executor, onWake, options))
    } catch (error) {
      native.close(view)
      throw error
    }
  }

  /**
   * Takes a slot over; it is told once as ready.
   * @throws RingError GONE as for `open`; MISUSE if it is no slot of this executor, or the view is closed
   */
  addSlot(shared: SharedSlot): void {
    done(native.addSlot(this.#view, u53('token', shared.token)))
  }

  /**
   * Publishes what was pushed and lets go of a slot, which takes and gives nothing from here on. The thread of the link
   * may remove its node then.
   * @throws RingError MISUSE if it is not here, or the view is closed
   */
  removeSlot(slot: number): void {
    done(native.removeSlot(this.#view, u32('slot', slot, limits.slots - 1)))
  }

  /** Lets go of everything, at once, as it is: nothing is published. Idempotent; `ended` is not called. */
  close(): void {
    native.close(this.#view)
  }
}
