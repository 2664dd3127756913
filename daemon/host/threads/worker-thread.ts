// worker-thread.ts: the worker thread of an executor, started and ended: the only file that makes one.
import { Worker } from 'node:worker_threads'
import type { ExecutorConfig } from '../../config/executors.js'
import type { Order, Report, ThreadStart } from './executor-protocol.js'
import { inspectWorker } from './inspector.js'
import { lookAt, type Stuck } from './stuck.js'

/** A thread that runs, from the main thread's side. */
export interface Thread {
  post(order: Order): void
  /** What it is doing, if it does not answer; undefined: that cannot be seen. */
  look(): Promise<Stuck | undefined>
  /** Ends it, whatever it is doing. `died` is called. */
  terminate(): void
}

/** What a thread tells its owner. */
export interface ThreadEvents {
  report(report: Report): void
  /** It has ended, by itself or not, and everything that it posted was reported. `error`: of what, if it was one. */
  died(error: Error | undefined, code: number): void
}

/** Starts a thread. */
export type Spawn = (start: ThreadStart, limits: ExecutorConfig, on: ThreadEvents) => Thread

const mebibyte = 1024 * 1024

/** Starts a worker thread of Node. */
export const spawnThread: Spawn = (start, { maxHeap }, on) => {
  const worker = new Worker(new URL('./worker-main.js', import.meta.url), {
    name: start.name,
    workerData: start,
    resourceLimits: maxHeap === undefined ? {} : { maxOldGenerationSizeMb: maxHeap / mebibyte },
  })
  const { threadId } = worker
  let error: Error | undefined
  worker.on('message', (report: Report) => on.report(report))
  worker.on('error', thrown => {
    error = thrown instanceof Error ? thrown : new Error(String(thrown))
  })
  worker.on('exit', code => on.died(error, code))
  return {
    post: order => worker.postMessage(order),
    look: () => lookAt(listen => inspectWorker(threadId, listen)),
    terminate: () => void worker.terminate(),
  }
}
