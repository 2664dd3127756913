// client.ts: the other end of the control socket, for the command line and for programs in Node.js.

import { type ClientRequest, type RequestOptions, request } from 'node:http'
import { Readable } from 'node:stream'
import type { Problem } from '../config/problems.js'
import type {
  DeadLetter,
  LettersSettled,
  NodeReport,
  RecordOrder,
  RecordReport,
  ReloadReport,
  StatusReport,
} from '../host/report.js'
import type { Summary } from './intake.js'
import type { ProblemDocument } from './problems.js'

export type { Failure, Summary } from './intake.js'

/** What JSON makes of a report: its bigints are decimal strings. */
export type Json<T> = T extends bigint
  ? string
  : T extends readonly (infer E)[]
    ? readonly Json<E>[]
    : T extends object
      ? { readonly [K in keyof T]: Json<T[K]> }
      : T

/** A node's reply: the place of the event in its order, and the fields, as JSON has them. */
export interface Reply {
  readonly seq: string
  readonly reply: Readonly<Record<string, unknown>>
}

/** sysexits(3), as far as a client needs them. */
export const exits = { failed: 1, unavailable: 69, retry: 75, permission: 77, config: 78 } as const

/** A reload stops nodes first, and each may have a grace time of up to an hour, ms. */
const longestReload = 3_700_000

/** What the daemon says of a refusal; after a request with several events it has the counts of Summary, too. */
export type Refusal = ProblemDocument &
  Partial<Summary> & {
    /** After a reload: every fault of the configuration. */
    readonly problems?: readonly Problem[]
  }

/**
 * The daemon said no, or could not be asked.
 *
 * `code`: of the problem document; or of the system (ENOENT, EACCES, ...); or TIMEOUT, CONNECTION_LOST, NOT_COROD.
 * `exit`: the status that a command ends with. `body`: the problem document.
 */
export class ControlError extends Error {
  override readonly name = 'ControlError'
  readonly code: string
  readonly exit: number
  readonly status?: number
  readonly body?: Refusal

  constructor(message: string, code: string, exit: number, body?: Refusal) {
    super(message)
    this.code = code
    this.exit = exit
    if (body !== undefined) {
      this.status = body.status
      this.body = body
    }
  }
}

/** Events to send: one, several, or a stream of NDJSON bytes (lines may be cut anywhere). */
export type Events = Readonly<Record<string, unknown>> | readonly object[] | AsyncIterable<Uint8Array | string>

/** Asks a daemon. Every method rejects with ControlError. Nothing is kept open between requests. */
export class ControlClient {
  readonly #socket: string
  readonly #timeout: number

  /** `timeout`: ms that the daemon may leave a complete request without an answer. */
  constructor(socket: string, options: { readonly timeout?: number } = {}) {
    this.#socket = socket
    this.#timeout = options.timeout ?? 10_000
  }

  status(): Promise<Json<StatusReport>> {
    return this.#ask('GET', '/v1/status')
  }

  nodes(): Promise<Json<readonly NodeReport[]>> {
    return this.#ask('GET', '/v1/nodes')
  }

  node(name: string): Promise<Json<NodeReport>> {
    return this.#ask('GET', `/v1/nodes/${encodeURIComponent(name)}`)
  }

  /**
   * Sends events to a node, in order; each is an object with its message's name as `type`. Resolves when all have an
   * outcome: those that Summary counts as accepted are in the host's backlog; others may have been rejected, see there.
   * A stream is read only as fast as the daemon takes it, and closed when the daemon answers before its end.
   */
  async send(node: string, events: Events): Promise<Summary> {
    const path = `/v1/nodes/${encodeURIComponent(node)}/events`
    if (events instanceof Readable) return this.#ask('POST', path, 'application/x-ndjson', events)
    if (Symbol.asyncIterator in events) return this.#ask('POST', path, 'application/x-ndjson', Readable.from(events))
    if (!Array.isArray(events)) return this.#ask('POST', path, 'application/json', json(events))
    return this.#ask('POST', path, 'application/x-ndjson', Readable.from(pieces(events)))
  }

  /**
   * Sends one event of a message that declares a reply, and waits for that, `ms` milliseconds (1 to 3600000). The code of
   * the ControlError says how it failed: REFUSED (`body.detail` is the node's reason), TIMEOUT, DIED, UNANSWERED, …
   */
  async ask(node: string, event: Readonly<Record<string, unknown>>, ms: number): Promise<Reply> {
    const path = `/v1/nodes/${encodeURIComponent(node)}/events?wait=${ms}`
    return this.#ask('POST', path, 'application/json', json(event), ms)
  }

  /**
   * Has the daemon load its configuration again. Resolves when what had to stop has stopped and what is new runs. Rejects
   * with CONFIG_INVALID and every fault in `body.problems`: nothing was changed.
   */
  reload(): Promise<Json<ReloadReport>> {
    return this.#ask('POST', '/v1/reload', undefined, undefined, longestReload)
  }

  /** The newest dead letters of a node, at most `limit` (1 to 10000), the oldest first; and how many there are. */
  deadLetters(node: string, limit = 100): Promise<Json<{ total: number; letters: readonly DeadLetter[] }>> {
    return this.#ask('GET', `/v1/nodes/${encodeURIComponent(node)}/dead-letters?limit=${limit}`)
  }

  /** Has a node recorded, from a new life that begins now; see RecordOrder. Resolves when it has started again. */
  record(node: string, order: RecordOrder = {}): Promise<RecordReport> {
    const path = `/v1/nodes/${encodeURIComponent(node)}/recording`
    return this.#ask('PUT', path, 'application/json', JSON.stringify(order), longestReload)
  }

  /** Has a node recorded no more. Resolves when it has started again. */
  async unrecord(node: string): Promise<void> {
    await this.#ask('DELETE', `/v1/nodes/${encodeURIComponent(node)}/recording`, undefined, undefined, longestReload)
  }

  /** Sends dead letters of a node again, in their order, or drops them: those of `ids`, or all. */
  settleLetters(node: string, how: 'resend' | 'drop', ids?: readonly string[]): Promise<LettersSettled> {
    const path = `/v1/nodes/${encodeURIComponent(node)}/dead-letters`
    return this.#ask('POST', path, 'application/json', JSON.stringify({ how, ids }))
  }

  async #ask<T>(method: string, path: string, type?: string, body?: string | Readable, more = 0): Promise<T> {
    const headers = type === undefined ? {} : { 'content-type': type }
    const { status, text } = await this.#exchange({ method, path, headers }, body, this.#timeout + more)
    const parsed = parse(text)
    if (parsed !== undefined && status >= 200 && status < 300) return parsed as T
    if (isProblem(parsed)) {
      const { title, detail } = parsed
      throw new ControlError(title === detail ? title : `${title}: ${detail}`, parsed.code, exitOf(parsed), parsed)
    }
    throw new ControlError(`${this.#socket}: whoever listens there is no corod daemon`, 'NOT_COROD', exits.unavailable)
  }

  #exchange(
    options: RequestOptions,
    body: string | Readable | undefined,
    timeout: number,
  ): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const req = request({ ...options, socketPath: this.#socket, agent: false })
      let answered = false
      let timer: NodeJS.Timeout | undefined
      const finish = (settle: () => void) => {
        clearTimeout(timer)
        if (body instanceof Readable) body.destroy()
        req.destroy()
        settle()
      }
      const fail = (error: Error) => finish(() => reject(error instanceof ControlError ? error : this.#explain(error)))
      const patience = () => {
        const late = new ControlError(`no answer for ${timeout} ms`, 'TIMEOUT', exits.retry)
        if (!answered) timer = setTimeout(() => fail(late), timeout)
      }
      req.on('error', error => {
        // An answer may come before the body is sent; what the socket says about the rest does not matter then.
        if (!answered) fail(error)
      })
      req.on('response', response => {
        answered = true
        clearTimeout(timer)
        let text = ''
        response.setEncoding('utf8')
        response.on('data', piece => {
          text += piece
        })
        response.on('error', fail)
        response.on('end', () => finish(() => resolve({ status: response.statusCode ?? 0, text })))
      })
      if (body instanceof Readable) {
        // While events are still being read, from a terminal perhaps, silence is nobody's fault.
        feed(body, req, () => answered).then(patience, error => answered || fail(error))
      } else {
        req.end(body)
        patience()
      }
    })
  }

  #explain(error: Error): ControlError {
    const { code = 'FAILED' } = error as NodeJS.ErrnoException
    const socket = this.#socket
    if (code === 'ENOENT' || code === 'ECONNREFUSED') {
      return new ControlError(`no daemon is listening on ${socket}; start it: corod run`, code, exits.unavailable)
    }
    if (code === 'EACCES' || code === 'EPERM') {
      const help = `see its owner (ls -l ${socket}) and add yourself to its group: usermod -aG GROUP $USER`
      return new ControlError(`no permission to use ${socket}: ${help}`, code, exits.permission)
    }
    if (code === 'EAGAIN') return new ControlError(`too many clients wait for ${socket}`, code, exits.retry)
    if (code === 'ECONNRESET' || code === 'EPIPE') {
      return new ControlError(
        `the daemon at ${socket} closed the connection before it answered; what it had accepted is not known`,
        'CONNECTION_LOST',
        exits.unavailable,
      )
    }
    return new ControlError(error.message, code, exits.failed)
  }
}

/** Writes `source` into `req`, held up by it, until the end or until nobody wants more. */
async function feed(source: Readable, req: ClientRequest, enough: () => boolean): Promise<void> {
  for await (const piece of source) {
    if (enough() || req.destroyed) return
    if (!req.write(piece)) await writable(req)
  }
  req.end()
}

/** Resolves when `req` takes more, or never will. */
function writable(req: ClientRequest): Promise<void> {
  return new Promise(resolve => {
    const done = () => {
      req.off('drain', done).off('close', done)
      resolve()
    }
    req.on('drain', done).on('close', done)
  })
}

/** The text of an event. Throws ControlError for one that JSON cannot say, or that is nested too deeply. */
function json(event: unknown): string {
  try {
    return JSON.stringify(event)
  } catch (error) {
    const why = error instanceof RangeError ? 'too many arrays and objects in each other' : (error as Error).message
    throw new ControlError(`an event cannot be written as JSON: ${why}`, 'INVALID', exits.failed)
  }
}

/** NDJSON in pieces of a good size for the socket. */
function* pieces(events: readonly unknown[]): Generator<string> {
  let text = ''
  for (const event of events) {
    text += `${json(event)}\n`
    if (text.length < 32 * 1024) continue
    yield text
    text = ''
  }
  if (text !== '') yield text
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isProblem(value: unknown): value is Refusal {
  return typeof value === 'object' && value !== null && 'code' in value && 'detail' in value && 'status' in value
}

function exitOf(problem: ProblemDocument): number {
  if (problem.code === 'HOST_AWAY' || problem.code === 'DIED') return exits.unavailable
  if (problem.code === 'CONFIG_INVALID') return exits.config
  if ([408, 429, 503, 504].includes(problem.status)) return exits.retry
  return exits.failed
}
