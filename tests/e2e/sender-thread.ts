// sender-thread.ts: a thread that sends numbered events to a node, some one by one and some as a stream, and tells how
// many were accepted.
import { parentPort, workerData } from 'node:worker_threads'
import { ControlClient } from '../../daemon/control/client.js'

/** What the thread is told. */
export interface SenderTask {
  /** Control socket of the daemon. */
  readonly socket: string
  /** The number of its first event; the others follow. */
  readonly from: number
  readonly count: number
}

const { socket, from, count } = workerData as SenderTask
const client = new ControlClient(socket)
const alone = Math.min(20, count)

async function* rest() {
  for (let n = alone; n < count; n++) yield `{"type":"number","n":${from + n}}\n`
}

let accepted = 0
for (let n = 0; n < alone; n++) {
  await client.send('rec', { type: 'number', n: from + n })
  accepted++
}
accepted += (await client.send('rec', rest())).accepted
parentPort?.postMessage(accepted)
