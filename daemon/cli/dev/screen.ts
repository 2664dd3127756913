// screen.ts: what corod dev says, between the lines of the daemon's log and in their shape.
import type { Output } from '../output.js'
import { excerpt, type Fault } from './excerpt.js'

/** More faults than that nobody reads. */
const most = 20

/** The lines of corod dev. */
export class Screen {
  readonly #out: Output
  readonly #folder: string

  /** `folder`: files are named from there. */
  constructor(out: Output, folder: string) {
    this.#out = out
    this.#folder = folder
  }

  /** `10:15:01.123 dev   text`. */
  say(text: string, paint?: 'red' | 'green' | 'yellow'): void {
    const time = new Date().toISOString().slice(11, 23)
    this.#out.line(
      `${this.#out.paint(time, 'dim')} ${this.#out.paint('dev  ', 'bold')} ${this.#out.paint(text, paint)}`,
    )
  }

  /** A line, and the faults below it, each with its source. */
  faults(text: string, faults: readonly Fault[]): void {
    this.say(text, 'red')
    const strong = (mark: string) => this.#out.paint(mark, 'red')
    for (const fault of faults.slice(0, most)) this.#out.line(excerpt(fault, this.#folder, strong))
    if (faults.length > most) this.#out.line(`and ${faults.length - most} more`)
  }
}

/** `1 fault`, `2 faults`. */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}
