// record.ts: /v1/nodes/{node}/recording: has a node recorded while the daemon runs.
//
//   PUT     {"for": MS, "size": BYTES}, each may be left out: the node starts again and is recorded from its start
//           200 {"folder", "file", "until"}: the file is missing if the host is away, or if the log says why not
//   DELETE  the node starts again and is recorded no more: 200 {}
//
// It is answered when the node has started again, which may take as long as its grace time.
import type { IncomingMessage } from 'node:http'
import type { RecordOrder } from '../host/report.js'
import { StoppingError } from '../host/report.js'
import { type Answer, ok } from './answer.js'
import { unlessStopped } from './ask.js'
import { collect, parseJson } from './body.js'
import { mediaOf, noSuchNode, type Surroundings } from './events.js'
import { Problem } from './problems.js'

const bounds = { for: [1, 0x7fff_ffff], size: [4096, 2 ** 36] } as const

/** Has the node recorded. Throws Problem, or Gone when there is nobody to answer. */
export async function recordNode(around: Surroundings, node: string, req: IncomingMessage): Promise<Answer> {
  const { plane, limits, budget, stop } = around
  if (plane.table(node) === undefined) throw noSuchNode(plane, node)
  if (mediaOf(req) !== 'json') throw new Problem('MEDIA_TYPE', 'how to record is application/json')
  const { bytes, release } = await collect(req, limits.body, limits.idleTimeout, budget, stop)
  release()
  const order = orderOf(parseJson(bytes, 'the body'))
  return ok(await whileRunning(around, plane.record(node, order)))
}

/** Has the node recorded no more. Throws Problem. */
export async function unrecordNode(around: Surroundings, node: string): Promise<Answer> {
  if (around.plane.table(node) === undefined) throw noSuchNode(around.plane, node)
  await whileRunning(around, around.plane.unrecord(node))
  return ok({})
}

async function whileRunning<T>({ stop }: Surroundings, work: Promise<T>): Promise<T> {
  try {
    return await unlessStopped(work, stop, 'the daemon is stopping')
  } catch (error) {
    if (error instanceof StoppingError) throw new Problem('STOPPING', error.message)
    throw error
  }
}

function orderOf(body: unknown): RecordOrder {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw wrong('', 'write an object such as {"for": 60000, "size": 1048576}, or {}')
  }
  for (const [key, value] of Object.entries(body)) {
    if (key !== 'for' && key !== 'size') throw wrong(`/${key}`, 'is unknown: there are "for" and "size"')
    const [least, most] = bounds[key]
    if (!Number.isInteger(value) || value < least || value > most) {
      throw wrong(`/${key}`, `is not a whole number from ${least} to ${most}`)
    }
  }
  return body
}

function wrong(pointer: string, message: string): Problem {
  return new Problem('INVALID', `${pointer} ${message}`.trim(), [{ pointer, message }])
}
