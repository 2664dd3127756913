// main-watch.ts: notices that the daemon's own thread does not answer, and says what it is doing. It cannot be ended
// alone, so that is all that can be done for it here; the rest is the service manager's.
import { Worker } from 'node:worker_threads'
import type { LogForm } from '../log.js'
import { answerWhose } from './whose.js'

/** What the watching thread gets. */
export interface WatchStart {
  /** Milliseconds. */
  readonly maxStall: number
  readonly form: LogForm
}

/** What it says. */
export type WatchReport =
  | { readonly say: 'ping' }
  /** The main thread answers again. `ms`: how long it did not; `where`, `nodes`: as of Stuck. */
  | {
      readonly say: 'back'
      readonly ms: number
      readonly where: string | undefined
      readonly nodes: readonly string[]
    }

type Back = Extract<WatchReport, { say: 'back' }>

/** Watches the thread that it is made on. */
export class MainWatch {
  readonly #worker: Worker

  /** `back` is called when the thread was stuck and is no more. What it is stuck in is in the log by then. */
  constructor(start: WatchStart, back: (report: Back) => void) {
    answerWhose()
    this.#worker = new Worker(new URL('./main-watcher.js', import.meta.url), {
      name: 'watch of main',
      workerData: start,
      resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 2 },
    })
    this.#worker.unref()
    this.#worker.on('message', (report: WatchReport) => {
      if (report.say === 'ping') this.#worker.postMessage('pong')
      else back(report)
    })
    // Without a watch the daemon is what it was.
    this.#worker.on('error', () => {})
  }

  async stop(): Promise<void> {
    await this.#worker.terminate()
  }
}
