// signals.ts: the signals that the process gets, from the moment that this exists.

export const signalNumbers = { SIGINT: 2, SIGTERM: 15 } as const
/** A signal that asks for an end. */
export type Ending = keyof typeof signalNumbers

/** Takes the place of what Node does on SIGINT, SIGTERM and SIGHUP, until `close`. */
export class Signals {
  /** The first signal that asks for an end. */
  readonly first: Promise<Ending>
  /** The second one. */
  readonly second: Promise<Ending>
  hangup: () => void = () => {}
  readonly #handlers: Readonly<Record<'SIGINT' | 'SIGTERM' | 'SIGHUP', () => void>>

  constructor() {
    const told: ((signal: Ending) => void)[] = []
    this.first = new Promise(resolve => told.push(resolve))
    this.second = new Promise(resolve => told.push(resolve))
    const end = (signal: Ending) => told.shift()?.(signal)
    this.#handlers = { SIGINT: () => end('SIGINT'), SIGTERM: () => end('SIGTERM'), SIGHUP: () => this.hangup() }
    for (const [signal, handler] of Object.entries(this.#handlers)) process.on(signal, handler)
  }

  close(): void {
    for (const [signal, handler] of Object.entries(this.#handlers)) process.off(signal, handler)
  }
}
