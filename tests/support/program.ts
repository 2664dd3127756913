// program.ts: a child process of a test. Whatever happens to the test, no child outlives the test run.
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { waitFor } from './wait.js'

const living = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL')
})

/** How a program ended. `code` is null if a signal ended it. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A running program with its output so far. Ended with SIGKILL when disposed of. */
export class Program implements AsyncDisposable {
  readonly child: ChildProcess
  readonly exit: Promise<Exit>
  /** How it ended; undefined: it runs. */
  ended: Exit | undefined
  stdout = ''
  stderr = ''

  constructor(program: string, args: readonly string[], options: SpawnOptions = {}) {
    this.child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
    living.add(this.child)
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    this.exit = new Promise(resolve => {
      const done = (exit: Exit) => {
        living.delete(this.child)
        this.ended ??= exit
        resolve(this.ended)
      }
      this.child.on('close', (code, signal) => done({ code, signal }))
      this.child.on('error', error => {
        this.stderr += String(error)
        done({ code: 127, signal: null })
      })
    })
  }

  get pid(): number {
    return this.child.pid ?? 0
  }

  /** Everything it has written, for messages of failing tests. */
  get output(): string {
    return `${this.stdout}${this.stderr}`
  }

  /** Sends a signal and waits for the end. */
  async kill(signal: NodeJS.Signals = 'SIGTERM'): Promise<Exit> {
    this.child.kill(signal)
    return this.exit
  }

  /** Waits until `pattern` is in the output (both streams), and returns the match. */
  async says(pattern: RegExp, ms?: number): Promise<RegExpExecArray> {
    const look = () => pattern.exec(this.stdout) ?? pattern.exec(this.stderr)
    const what = `${pattern} in the output of ${this.child.spawnargs.join(' ')}`
    await waitFor(what, () => look() ?? this.ended, ms === undefined ? {} : { ms })
    const match = look()
    if (match === null) throw new Error(`no ${what}: it ended with ${JSON.stringify(this.ended)}: ${this.output}`)
    return match
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.ended === undefined) await this.kill('SIGKILL')
  }
}
