// limits.ts: what the control socket may cost, where it stands, what it is given. The configuration's `control` section
// fits ControlOptions, the daemon fits Plane.
import type { ControlPlane } from '../host/report.js'

/** What is asked of the daemon. */
export type Plane = Pick<
  ControlPlane,
  'status' | 'nodes' | 'table' | 'send' | 'ask' | 'reload' | 'deadLetters' | 'settleLetters' | 'record' | 'unrecord'
>

/** What clients of the control socket may use. Times are milliseconds, sizes bytes. */
export interface ControlLimits {
  /** Of one JSON body. A body of lines (NDJSON) may be endless: its lines are limited. */
  readonly body: number
  /** Of one line of an NDJSON body, without its end. */
  readonly line: number
  /** Until the head of a request is complete, from its first byte or from connecting. */
  readonly headerTimeout: number
  /** Until a JSON body is complete, the next line of an NDJSON body is complete, or the next request begins. */
  readonly idleTimeout: number
  /** Open connections; one more is answered 503 and closed. */
  readonly connections: number
}

/** Where and how to listen. */
export interface ControlOptions {
  /** Absolute path of the Unix socket, at most 107 bytes. */
  readonly socket: string
  /** File mode of the socket, e.g. 0o660. */
  readonly mode: number
  /** Group that owns the socket, a name or a gid; absent: the daemon's own. */
  readonly group?: string | number | undefined
  readonly limits: ControlLimits
}

/** The part of pino's logger that is used here. */
export interface Log {
  debug(fields: object, text: string): void
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
  error(fields: object, text: string): void
}

/** Bounds that nobody needs to configure. */
export const bounds = {
  /** Events of one request that are sent and not answered yet; then its body is not read on. */
  window: 1024,
  /** Bytes of such events. */
  windowBytes: 256 * 1024,
  /** Bytes of one request's head. */
  head: 16 * 1024,
  /** Requests that one connection may send ahead of the answers. */
  pipelined: 32,
  /** Bodies that are collected at once, in all connections, as a multiple of `body`. */
  bodies: 4,
  /** Failures that a summary lists one by one; all are counted. */
  listed: 10,
  /** A body that nobody wants any more is read and thrown away for so long, so that the client reads the answer. */
  lingerMs: 500,
  lingerBytes: 1024 * 1024,
  /** Connections that wait in the kernel to be accepted. */
  backlog: 128,
} as const
