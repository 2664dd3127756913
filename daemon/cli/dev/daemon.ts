// daemon.ts: the daemon that corod dev looks after: started, reloaded, found stuck, stopped. What runs in it is child.ts.
import { type ChildProcess, fork } from 'node:child_process'
import type { Problem } from '../../config/problems.js'
import type { ReloadReport } from '../../host/report.js'
import type { RunOptions } from '../run.js'

/** What the daemon tells. `refused`: a configuration that was not applied, or not even started with. */
export type Said =
  | { readonly kind: 'started'; readonly files: readonly string[]; readonly nodes: readonly string[] }
  | { readonly kind: 'reloaded'; readonly report: ReloadReport; readonly files: readonly string[] }
  | { readonly kind: 'refused'; readonly problems: readonly Problem[]; readonly files: readonly string[] }
  | { readonly kind: 'failed'; readonly text: string }
  | { readonly kind: 'pong' }

/** How a daemon ended. */
export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** How often a daemon that was asked something is asked whether it lives, ms; it has as long to say so. */
const pingEvery = 1500
/** How long a stuck daemon has to end by itself, ms. */
const patience = 500

/** One process. */
export class DaemonProcess {
  readonly ended: Promise<Ended>
  readonly #child: ChildProcess
  readonly #said: (said: Said) => void
  readonly #stuck: () => void
  #asked = 0
  #timer: NodeJS.Timeout | undefined
  #alive = true

  /** Starts it. `stuck`: it does not answer any more; it is ended then. Its output goes where this process's goes. */
  constructor(options: RunOptions & { readonly color: boolean }, said: (said: Said) => void, stuck: () => void) {
    this.#said = said
    this.#stuck = stuck
    this.#child = fork(new URL('./child.js', import.meta.url), [JSON.stringify(options)], {
      execArgv: [],
      // Ctrl-C in the terminal is for corod dev, which stops everything in its order.
      detached: true,
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    this.#child.on('message', message => this.#message(message as Said))
    // A message to a process that has just ended.
    this.#child.on('error', () => {})
    this.ended = new Promise(resolve => {
      this.#child.once('exit', (code, signal) => {
        clearTimeout(this.#timer)
        resolve({ code, signal })
      })
    })
  }

  /** Has it load its configuration again; `said` hears of it. */
  reload(): void {
    this.#asked++
    this.#send('reload')
    this.#alive = true
    this.#watch()
  }

  /** Ends it, within the grace times of its nodes. A second call ends it at once. */
  stop(): void {
    clearTimeout(this.#timer)
    this.#child.kill('SIGTERM')
  }

  #message(said: Said): void {
    this.#alive = true
    if (said.kind === 'pong') return
    if (said.kind !== 'started') this.#asked = Math.max(0, this.#asked - 1)
    if (this.#asked === 0) clearTimeout(this.#timer)
    this.#said(said)
  }

  /** While it owes an answer: does its loop still turn? A reload may take as long as a grace time. */
  #watch(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      if (this.#alive) {
        this.#alive = false
        this.#send('ping')
        this.#watch()
        return
      }
      this.#stuck()
      this.#child.kill('SIGTERM')
      this.#timer = setTimeout(() => this.#child.kill('SIGKILL'), patience)
    }, pingEvery)
  }

  #send(text: 'reload' | 'ping'): void {
    if (this.#child.connected) this.#child.send(text, () => {})
  }
}
