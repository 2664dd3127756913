// problems.ts: every way in which the control socket says no. One table: code, HTTP status, title. The codes are stable.
import { type Fault, SendError } from '../host/report.js'

const table = {
  REQUEST_MALFORMED: [400, 'not an HTTP request'],
  JSON_MALFORMED: [400, 'not JSON'],
  QUERY_INVALID: [400, 'a query that cannot be'],
  PATH_UNKNOWN: [404, 'no such resource'],
  NODE_UNKNOWN: [404, 'no such node'],
  METHOD_NOT_ALLOWED: [405, 'method not allowed'],
  HEAD_TIMEOUT: [408, 'the head of the request took too long'],
  BODY_TIMEOUT: [408, 'the body of the request took too long'],
  REFUSED: [409, 'the node refused'],
  CLOSED: [410, 'the node is closed to senders'],
  BODY_TOO_BIG: [413, 'body over the limit'],
  LINE_TOO_BIG: [413, 'line over the limit'],
  TOO_BIG: [413, 'event over the limit'],
  MEDIA_TYPE: [415, 'media type not supported'],
  TYPE_UNKNOWN: [422, 'the node declares no such message'],
  NO_REPLY: [422, 'the message declares no reply'],
  INVALID: [422, 'the event does not fit its message'],
  CONFIG_INVALID: [422, 'the configuration is invalid'],
  FULL: [429, 'the backlog of the node is full'],
  HEAD_TOO_BIG: [431, 'head of the request over the limit'],
  INTERNAL: [500, 'a fault of the daemon'],
  UNANSWERED: [502, 'the node finished with the event and did not answer'],
  DIED: [502, 'the node ended before it answered'],
  UNREGISTERED: [503, 'the node is not registered with the host'],
  HOST_AWAY: [503, 'the host is away'],
  BUSY: [503, 'too many clients'],
  STOPPING: [503, 'the daemon is stopping'],
  TIMEOUT: [504, 'the node did not answer in time'],
} as const satisfies Record<string, readonly [number, string]>

/** The stable name of a refusal. */
export type ProblemCode = keyof typeof table

/** What `application/problem+json` says (RFC 9457), with our members. */
export interface ProblemDocument {
  readonly title: string
  readonly status: number
  readonly code: ProblemCode
  readonly detail: string
  /** JSON pointer (RFC 6901) to the first fault, into the event that was sent. */
  readonly pointer?: string
  readonly faults?: readonly Fault[]
}

/** A refusal, ready to be answered. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly code: ProblemCode
  readonly faults: readonly Fault[]

  constructor(code: ProblemCode, detail: string, faults: readonly Fault[] = []) {
    super(detail)
    this.code = code
    this.faults = faults
  }

  get status(): number {
    return table[this.code][0]
  }

  /** Whether the same request may succeed a little later. */
  get retry(): boolean {
    return this.status === 429 || this.status === 503
  }

  /** Whether no later event of the same request can succeed either. */
  get final(): boolean {
    return ['HOST_AWAY', 'UNREGISTERED', 'CLOSED', 'NODE_UNKNOWN'].includes(this.code)
  }

  document(): ProblemDocument {
    const [status, title] = table[this.code]
    const pointer = this.faults[0]?.pointer
    return {
      title,
      status,
      code: this.code,
      detail: this.message,
      ...(pointer === undefined ? {} : { pointer }),
      ...(this.faults.length > 1 ? { faults: this.faults } : {}),
    }
  }
}

/** The refusal that an error of a send is. What is not a SendError is a fault of ours: INTERNAL. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof SendError) {
    const faults =
      error.code === 'TYPE_UNKNOWN' && error.faults.length === 0
        ? [{ pointer: '/type', message: error.message }]
        : error.faults
    return new Problem(error.code, error.message, faults)
  }
  return new Problem('INTERNAL', 'the daemon could not do that; its log says why')
}

/** All codes with status and title, for documentation and tests. */
export const problems: ReadonlyMap<ProblemCode, { status: number; title: string }> = new Map(
  Object.entries(table).map(([code, [status, title]]) => [code as ProblemCode, { status, title }]),
)
