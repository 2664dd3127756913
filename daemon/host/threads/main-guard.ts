// main-guard.ts: has the main thread watched, with the limit that is configured now, and says of which nodes it was.
import type { Log } from '../../process/node.js'
import type { LogForm } from '../log.js'
import { MainWatch } from './main-watch.js'

/** Keeps a MainWatch while nodes run. */
export class MainGuard {
  readonly #form: LogForm | undefined
  readonly #log: Log
  readonly #note: (node: string, text: string) => void
  #watched: { readonly watch: MainWatch; readonly maxStall: number } | undefined
  #stopped = false

  /** `form`: that of the log on the standard output; without one nobody is watched. `note`: it was that node, or may be. */
  constructor(form: LogForm | undefined, log: Log, note: (node: string, text: string) => void) {
    this.#form = form
    this.#log = log
    this.#note = note
  }

  /** From now on; anew if `maxStall`, ms, is another one. */
  watch(maxStall: number): void {
    if (this.#stopped || this.#form === undefined || this.#watched?.maxStall === maxStall) return
    void this.#watched?.watch.stop()
    const watch = new MainWatch({ maxStall, form: this.#form }, ({ ms, where, nodes }) => {
      const seconds = (ms / 1000).toFixed(1)
      const text = `executor main did not answer for ${seconds} s${where === undefined ? '' : `: it was stuck in ${where}`}`
      this.#log.warn({ executor: 'main', suspects: nodes }, text)
      for (const name of nodes) this.#note(name, text)
    })
    this.#watched = { watch, maxStall }
  }

  /** Ends it for good. */
  async stop(): Promise<void> {
    this.#stopped = true
    await this.#watched?.watch.stop()
  }
}
