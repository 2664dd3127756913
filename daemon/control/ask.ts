// ask.ts: POST /v1/nodes/{node}/events?wait=MS: one event whose sender waits for the node's reply.
//
// The body is one event (application/json), of a message that declares a reply. It is answered when the node has
// answered, or will not:
//
//   200  {"seq": "12", "reply": {...}}: the place of the event in the order of the node, and the fields of the reply
//   409  REFUSED: the node said no; `detail` is its reason
//   502  UNANSWERED: the node finished with the event and did not answer
//   502  DIED: the node threw, was stopped or died with the event in hand; it may have done what was asked, or half of it
//   504  TIMEOUT: no answer in MS milliseconds (1 to 3600000); the event stays where it is and may still be handled
//   422  NO_REPLY: the message declares no reply
//
// and everything that an event without ?wait can be refused with (events.ts): then the node never sees it. A client that
// goes away stops waiting; its event stays.
import type { IncomingMessage } from 'node:http'
import { type Answer, ok } from './answer.js'
import { collect, parseJson } from './body.js'
import { mediaOf, noSuchNode, type Surroundings } from './events.js'
import { split } from './intake.js'
import { Problem, problemOf } from './problems.js'

const longestWait = 3_600_000

/** The milliseconds that a request wants to wait for a reply; undefined: it does not. Throws Problem. */
export function waitOf(req: IncomingMessage): number | undefined {
  const query = new URLSearchParams((req.url ?? '').split('?')[1] ?? '')
  const wait = query.get('wait')
  if (wait === null) return undefined
  const ms = /^[0-9]{1,7}$/.test(wait) ? Number(wait) : 0
  if (ms >= 1 && ms <= longestWait) return ms
  throw new Problem('QUERY_INVALID', `wait=${wait}: a number of milliseconds, 1 to ${longestWait}`)
}

/** Sends the event of `req` and waits for the reply. Throws Problem, or Gone when there is nobody to answer. */
export async function askNode(around: Surroundings, node: string, ms: number, req: IncomingMessage): Promise<Answer> {
  const { plane, limits, budget, stop } = around
  if (plane.table(node) === undefined) throw noSuchNode(plane, node)
  if (mediaOf(req) !== 'json') throw new Problem('QUERY_INVALID', 'wait takes one event, as application/json')
  const { bytes, release } = await collect(req, limits.body, limits.idleTimeout, budget, stop)
  try {
    const body = parseJson(bytes, 'the body')
    if (Array.isArray(body)) throw new Problem('QUERY_INVALID', 'wait takes one event, not an array')
    const { type, fields } = split(body)
    const text = 'the daemon is stopping; the event may still be handled'
    const { seq, reply } = await unlessStopped(plane.ask(node, type, fields, ms), stop, text)
    return ok({ seq, reply: Object.fromEntries(Object.entries(reply).map(([name, value]) => [name, jsonOf(value)])) })
  } catch (error) {
    const problem = problemOf(error)
    if (problem.code === 'INTERNAL') around.fault(error)
    throw problem
  } finally {
    release()
  }
}

/** What `work` gives, or Problem STOPPING with `text` if the server wants its requests to end before. */
export function unlessStopped<T>(work: Promise<T>, stop: AbortSignal, text: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = () => reject(new Problem('STOPPING', text))
    if (stop.aborted) end()
    else stop.addEventListener('abort', end, { once: true })
    work.then(resolve, reject).finally(() => stop.removeEventListener('abort', end))
  })
}

/** As the socket takes the same kind: bytes are base64. Bigints become decimal strings in answer.ts. */
function jsonOf(value: unknown): unknown {
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value
}
