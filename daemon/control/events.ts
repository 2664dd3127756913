// events.ts: POST /v1/nodes/{node}/events, the way in for events from outside.
//
// An event is one JSON object: its message's name as `type`, the fields beside it: {"type": "enable", "dest": "10.0.0.1"}.
// The body is one event, an array of events (application/json), or a stream of events, one a line
// (application/x-ndjson; empty lines are skipped and keep a quiet stream open).
//
// Events are sent in order. One that is refused does not keep the others back: all valid ones are sent, failures are
// counted, and the first ones are listed by index or line. Exceptions: after HOST_AWAY, UNREGISTERED, CLOSED or
// NODE_UNKNOWN no later event can succeed, so reading stops there; and a line over the limit has no end to go on from.
//
// 202 means: the body was read to its end, and at least one event is in the backlog of the node, in the host (or there
// was none to send). A single event that is refused, and a request of which none was accepted, get the status of the
// first failure; a request that was cut short gets the status of what cut it. Every answer to an array or a stream has
// the counts: {"accepted", "dropped", "rejected", "lastSeq", "errors"}; what it counts as accepted stays accepted.
import type { IncomingMessage } from 'node:http'
import { suggest } from '../config/suggest.js'
import { type Answer, ok, refusal } from './answer.js'
import { type Budget, collect, parseJson, pour } from './body.js'
import { Intake } from './intake.js'
import type { ControlLimits, Plane } from './limits.js'
import { Lines, LineTooLong } from './lines.js'
import { Problem } from './problems.js'

/** What the handler works with. */
export interface Surroundings {
  readonly plane: Plane
  readonly limits: ControlLimits
  readonly budget: Budget
  /** Aborts when the server wants its requests to end. */
  readonly stop: AbortSignal
  /** Told of errors that are none of the client's. */
  fault(error: unknown): void
}

/** The answer to whoever asks for a node that is not there. */
export function noSuchNode(plane: Plane, name: string): Problem {
  const near = suggest(
    name,
    plane.nodes().map(node => node.name),
  )
  const hint = near === undefined ? '' : `; did you mean "${near}"?`
  return new Problem('NODE_UNKNOWN', `there is no node "${name}"${hint}`)
}

/** Takes the events of `req`. Throws Problem, or Gone when there is nobody to answer. */
export async function takeEvents(around: Surroundings, node: string, req: IncomingMessage): Promise<Answer> {
  if (around.plane.table(node) === undefined) throw noSuchNode(around.plane, node)
  const intake = new Intake(around.plane, node, error => around.fault(error))
  return mediaOf(req) === 'lines' ? takeLines(around, intake, req) : takeJson(around, intake, req)
}

async function takeJson(around: Surroundings, intake: Intake, req: IncomingMessage): Promise<Answer> {
  const { limits, budget, stop } = around
  const { bytes, release } = await collect(req, limits.body, limits.idleTimeout, budget, stop)
  try {
    const body = parseJson(bytes, 'the body')
    if (!Array.isArray(body)) {
      intake.offer(body, { index: 0 }, bytes.length)
      await intake.settled()
      return intake.first === undefined ? ok(intake.summary(), 202) : refusal(intake.first)
    }
    const share = Math.ceil(bytes.length / Math.max(1, body.length))
    for (const [index, event] of body.entries()) {
      if (intake.full) await intake.room()
      if (intake.final !== undefined || stop.aborted) break
      intake.offer(event, { index }, share)
    }
    await intake.settled()
    return conclude(intake, undefined)
  } finally {
    release()
  }
}

async function takeLines(around: Surroundings, intake: Intake, req: IncomingMessage): Promise<Answer> {
  const { limits, stop } = around
  const lines = new Lines(limits.line)
  const offer = (line: Buffer) => {
    const place = { line: lines.number }
    if (isBlank(line)) return
    try {
      intake.offer(parseJson(line, `line ${place.line}`), place, line.length)
    } catch (error) {
      intake.refuse(error as Problem, place)
    }
  }
  /** Offers what the chunk has; false: the window is full. */
  const pump = (): boolean => {
    while (!intake.full) {
      if (intake.final !== undefined) throw intake.final
      const line = lines.next()
      if (line === undefined) return true
      offer(line)
    }
    return false
  }
  // A request that has come completely counts as destroyed although its last chunk is still in hand.
  const isGone = () => req.destroyed && !req.complete
  const pumpSlowly = async () => {
    do await intake.room()
    while (!stop.aborted && !isGone() && !pump())
  }
  let cut: Problem | undefined
  try {
    await pour(req, limits.idleTimeout, stop, chunk => {
      const before = lines.number
      lines.push(chunk)
      return pump() ? lines.number > before : pumpSlowly()
    })
    const last = lines.last()
    if (last !== undefined) offer(last)
  } catch (error) {
    if (error instanceof LineTooLong) cut = new Problem('LINE_TOO_BIG', error.message)
    else if (error instanceof Problem) cut = error
    else throw error
  }
  await intake.settled()
  return conclude(intake, cut)
}

function conclude(intake: Intake, cut: Problem | undefined): Answer {
  const summary = intake.summary()
  const problem = cut ?? intake.final ?? (summary.accepted > 0 ? undefined : intake.first)
  return problem === undefined ? ok(summary, 202) : refusal(problem, summary)
}

function isBlank(line: Buffer): boolean {
  for (const byte of line) if (byte !== 0x20 && byte !== 0x0d && byte !== 0x09) return false
  return true
}

/** What the body of a request is. Throws Problem. */
export function mediaOf(req: IncomingMessage): 'json' | 'lines' {
  const encoding = req.headers['content-encoding'] ?? 'identity'
  if (encoding !== 'identity') throw new Problem('MEDIA_TYPE', `content encoding "${encoding}" is not supported`)
  const given = req.headers['content-type'] ?? ''
  const type = given.split(';', 1)[0]?.trim().toLowerCase()
  if (type === 'application/json') return 'json'
  if (type === 'application/x-ndjson' || type === 'application/ndjson') return 'lines'
  throw new Problem(
    'MEDIA_TYPE',
    `content type "${given}" is not supported: use application/json or application/x-ndjson`,
  )
}
