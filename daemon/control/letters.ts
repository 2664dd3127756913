// letters.ts: /v1/nodes/{node}/dead-letters: the events that a node gave up.
//
//   GET ?limit=N   200 {"total", "letters": [...]}: the newest N of them (1 to 10000, 100 if not said), the oldest first
//   POST           {"how": "resend" | "drop", "ids": [...]}: sends them again or drops them, all of them without "ids"
//                  200 {"done", "left", "failures": [{"id", "code", "detail"}]}
import type { IncomingMessage } from 'node:http'
import { type Answer, ok } from './answer.js'
import { collect, parseJson } from './body.js'
import { mediaOf, noSuchNode, type Surroundings } from './events.js'
import { Problem, problemOf } from './problems.js'

const [usual, most] = [100, 10_000]

/** The newest dead letters of a node. Throws Problem. */
export function listLetters(around: Surroundings, node: string, req: IncomingMessage): Answer {
  const limit = limitOf(req)
  return told(around, node, () => {
    const letters = around.plane.deadLetters(node)
    return ok({ total: letters.length, letters: letters.slice(-limit) })
  })
}

/** Sends dead letters again, or drops them. Throws Problem, or Gone when there is nobody to answer. */
export async function settleLetters(around: Surroundings, node: string, req: IncomingMessage): Promise<Answer> {
  const { plane, limits, budget, stop } = around
  if (plane.table(node) === undefined) throw noSuchNode(plane, node)
  if (mediaOf(req) !== 'json') throw new Problem('MEDIA_TYPE', 'what to do with dead letters is application/json')
  const { bytes, release } = await collect(req, limits.body, limits.idleTimeout, budget, stop)
  try {
    const { how, ids } = orderOf(parseJson(bytes, 'the body'))
    return ok(await plane.settleLetters(node, how, ids))
  } catch (error) {
    throw explained(around, error)
  } finally {
    release()
  }
}

function told(around: Surroundings, node: string, work: () => Answer): Answer {
  if (around.plane.table(node) === undefined) throw noSuchNode(around.plane, node)
  try {
    return work()
  } catch (error) {
    throw explained(around, error)
  }
}

function explained(around: Surroundings, error: unknown): Problem {
  const problem = problemOf(error)
  if (problem.code === 'INTERNAL') around.fault(error)
  return problem
}

function limitOf(req: IncomingMessage): number {
  const limit = new URLSearchParams((req.url ?? '').split('?')[1] ?? '').get('limit')
  if (limit === null) return usual
  const number = /^[0-9]{1,5}$/.test(limit) ? Number(limit) : 0
  if (number >= 1 && number <= most) return number
  throw new Problem('QUERY_INVALID', `limit=${limit}: a number of dead letters, 1 to ${most}`)
}

function orderOf(body: unknown): { readonly how: 'resend' | 'drop'; readonly ids?: readonly string[] } {
  const { how, ids, ...rest } = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>
  const example = 'write {"how": "resend"} or {"how": "drop"}, with "ids": [...] for some of them'
  if (how !== 'resend' && how !== 'drop') throw wrong('/how', `is not "resend" or "drop": ${example}`)
  const [odd] = Object.keys(rest)
  if (odd !== undefined) throw wrong(`/${odd}`, `is unknown: ${example}`)
  if (ids === undefined) return { how }
  if (Array.isArray(ids) && ids.every(id => typeof id === 'string')) return { how, ids }
  throw wrong('/ids', `is not an array of texts: ${example}`)
}

function wrong(pointer: string, message: string): Problem {
  return new Problem('INVALID', `${pointer} ${message}`, [{ pointer, message }])
}
