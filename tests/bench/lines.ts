// lines.ts: a child process that is asked by lines and answers by lines of JSON.
import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

/** A child that answers every line written to it with one line of JSON. */
export class LineProcess {
  readonly child: ChildProcess
  readonly #answers: string[] = []
  #waiting: ((line: string | undefined) => void) | undefined
  #ended = false

  constructor(program: string, args: readonly string[]) {
    this.child = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    const lines = createInterface({ input: this.child.stdout! })
    lines.on('line', line => {
      const waiting = this.#waiting
      this.#waiting = undefined
      if (waiting) waiting(line)
      else this.#answers.push(line)
    })
    lines.on('close', () => {
      this.#ended = true
      this.#waiting?.(undefined)
    })
  }

  /** The next answer, parsed. Rejects when the child ended. */
  async answer<T>(): Promise<T> {
    const line =
      this.#answers.shift() ??
      (this.#ended ? undefined : await new Promise<string | undefined>(resolve => (this.#waiting = resolve)))
    if (line === undefined) throw new Error(`${this.child.spawnfile} ended before it answered`)
    return JSON.parse(line) as T
  }

  async ask<T>(line: string): Promise<T> {
    this.child.stdin!.write(`${line}\n`)
    return this.answer<T>()
  }

  /** Asks it to end, then insists; resolves when it is gone. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const gone = new Promise<void>(resolve => this.child.once('exit', () => resolve()))
    this.child.kill(signal)
    const insist = setTimeout(() => this.child.kill('SIGKILL'), 5000)
    await gone
    clearTimeout(insist)
  }
}
