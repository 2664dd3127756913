// worker-main.ts: where the worker thread of an executor begins.
import { parentPort, workerData } from 'node:worker_threads'
import { now, View } from '../../../shm/ring.js'
import type { Order, Report, ThreadStart } from './executor-protocol.js'
import { ExecutorThread } from './thread.js'
import { loadInThread } from './thread-loader.js'
import { answerWhose } from './whose.js'

// Errors in stacks are told in lines of the TypeScript.
process.setSourceMapsEnabled(true)
answerWhose()
const exit = process.exit
const thread = new ExecutorThread(workerData as ThreadStart, {
  now,
  load: loadInThread,
  open: View.open,
  post: (report: Report) => parentPort?.postMessage(report),
  leave: code => exit(code),
})
// In a worker it ends the thread and not the process: the main thread is told who wanted it.
process.exit = code => {
  thread.exiting(Number(code ?? process.exitCode ?? 0))
  return exit(code)
}
process.on('uncaughtException', error => thread.uncaught(error, 'exception'))
process.on('unhandledRejection', reason => thread.uncaught(reason, 'rejection'))
parentPort?.on('message', (order: Order) => thread.obey(order))
