// main-watcher.ts: the thread of main-watch.ts. It writes to the log by itself, because whoever does that usually is the
// one that is stuck.
import { writeSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { inspectMain } from './inspector.js'
import type { WatchReport, WatchStart } from './main-watch.js'
import { Pulse } from './pulse.js'
import { lookAt, type Stuck } from './stuck.js'

const { maxStall, form } = workerData as WatchStart
const post = (report: WatchReport) => parentPort?.postMessage(report)
let stuckSince: number | undefined
let found: Stuck | undefined

const pulse = new Pulse({
  maxStall,
  ask: () => post({ say: 'ping' }),
  stuck: ms => {
    stuckSince = performance.now() - ms
    void look(ms)
  },
})

async function look(ms: number): Promise<void> {
  found = await lookAt(inspectMain)
  const where = found === undefined ? 'in code that is no JavaScript' : `in ${found.where}`
  const text = `executor main did not answer for ${(ms / 1000).toFixed(1)} s: it is stuck ${where}; all of its nodes wait`
  const { nodes: suspects = [] } = found ?? {}
  const [node] = suspects
  const whose = node !== undefined && suspects.length === 1 ? { node } : { suspects }
  const err = { type: 'Error', message: text, stack: `Error: ${text}${found === undefined ? '' : `\n${found.stack}`}` }
  const line = { level: 'error', time: new Date().toISOString(), executor: 'main', ...whose, err, msg: text }
  try {
    writeSync(1, await textOf(line))
  } catch {
    // Nobody reads, or not fast enough: the main thread tells it when it is back.
  }
}

async function textOf(line: Parameters<typeof import('../log.js').prettyLine>[0]): Promise<string> {
  if (!form.pretty) return `${JSON.stringify(line)}\n`
  const { prettyLine } = await import('../log.js')
  return prettyLine(line, form.color)
}

parentPort?.on('message', () => {
  pulse.answered()
  if (stuckSince === undefined) return
  post({ say: 'back', ms: performance.now() - stuckSince, where: found?.where, nodes: found?.nodes ?? [] })
  stuckSince = undefined
  found = undefined
})
pulse.start()
