// server.ts: the control socket: HTTP/1.1 by node:http, one request at a time on each connection, everything bounded.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { activated } from './activation.js'
import { bare, give, refusal } from './answer.js'
import { Budget, Gone } from './body.js'
import { bounds, type ControlOptions, type Log, type Plane } from './limits.js'
import { Problem, problemOf } from './problems.js'
import { Quiet } from './quiet.js'
import { MethodProblem, route } from './routes.js'
import { type Lock, listenAt } from './socket.js'

/** What a server may be given beside its configuration. */
export interface Extras {
  /** Keeps two daemons from replacing one socket at the same moment. */
  readonly lock?: Lock
  /** Milliseconds that running requests have when the server closes. */
  readonly grace?: number
}

interface Connection {
  /** Requests that are answered or wait for their turn, in order. */
  readonly requests: (() => void)[]
  /** Over the limit: was told so and is being closed. */
  refused: boolean
}

/** Serves one Plane on one Unix socket. Listen once, close once. */
export class ControlServer {
  readonly #plane: Plane
  readonly #options: ControlOptions
  readonly #log: Quiet
  readonly #extras: Extras
  readonly #server: Server
  readonly #connections = new Map<Socket, Connection>()
  readonly #budget: Budget
  readonly #stop = new AbortController()
  #closing = false
  #remove: () => void = () => {}

  constructor(plane: Plane, options: ControlOptions, log: Log, extras: Extras = {}) {
    this.#plane = plane
    this.#options = options
    this.#log = new Quiet(log)
    this.#extras = extras
    const { limits } = options
    this.#budget = new Budget(limits.body * bounds.bodies)
    this.#server = createServer({
      maxHeaderSize: bounds.head,
      headersTimeout: limits.headerTimeout,
      keepAliveTimeout: limits.idleTimeout,
      // A stream of events may go on for days; its pauses are limited in body.ts.
      requestTimeout: 0,
      connectionsCheckingInterval: Math.max(10, Math.min(1000, limits.headerTimeout / 2)),
    })
    this.#server.timeout = limits.idleTimeout
    // Those over the limit are told; a flood of them is cut off by the kernel's hand.
    this.#server.maxConnections = limits.connections + 16
    this.#server.on('connection', socket => this.#connected(socket))
    this.#server.on('request', (req, res) => this.#requested(req, res))
    this.#server.on('clientError', (error, socket) => this.#garbled(error, socket as Socket))
    this.#server.on('timeout', socket => this.#silent(socket))
    this.#server.on('drop', () => this.#log.warn('connection-dropped', {}, 'control: far too many connections'))
  }

  /**
   * Starts to listen: on a socket that the service manager passed, else on one of its own. Throws SocketFileError.
   * Clients are served when this has resolved.
   */
  async listen(): Promise<void> {
    const fd = activated()
    if (fd === undefined) {
      this.#remove = await listenAt(this.#server, this.#options, this.#extras.lock)
    } else {
      await new Promise<void>((resolve, reject) => {
        this.#server.once('error', reject)
        this.#server.listen({ fd }, () => {
          this.#server.off('error', reject)
          resolve()
        })
      })
    }
    this.#server.on('error', error => this.#log.error('accept', { err: error }, 'control: cannot accept connections'))
    const socket = fd === undefined ? this.#options.socket : `descriptor ${fd} of the service manager`
    this.#log.through.info({ socket }, 'control socket is open')
  }

  /** Stops accepting, lets running requests finish within the grace time, then ends them. Never rejects. */
  async close(): Promise<void> {
    if (this.#closing) return
    this.#closing = true
    this.#remove()
    const closed = new Promise<void>(resolve => this.#server.close(() => resolve()))
    for (const [socket, { requests }] of this.#connections) if (requests.length === 0) socket.destroy()
    const { grace = 1000 } = this.#extras
    // Streams have no end of their own: at the end of the grace time they get their summary, and a moment to read it.
    const ending = setTimeout(() => this.#stop.abort(), grace)
    const destroying = setTimeout(() => {
      for (const socket of this.#connections.keys()) socket.destroy()
    }, grace + bounds.lingerMs)
    await closed
    clearTimeout(ending)
    clearTimeout(destroying)
  }

  /** Open connections, those that are being refused included. */
  get connections(): number {
    return this.#connections.size
  }

  #connected(socket: Socket): void {
    const refused = this.#closing || this.#connections.size >= this.#options.limits.connections
    this.#connections.set(socket, { requests: [], refused })
    socket.once('close', () => this.#connections.delete(socket))
    if (!refused) return
    const { connections } = this.#options.limits
    this.#log.warn('connections', { connections }, 'control: a connection over the limit was refused')
    this.#end(socket, new Problem('BUSY', `all ${connections} connections are taken; try again`))
  }

  #requested(req: IncomingMessage, res: ServerResponse): void {
    const connection = this.#connections.get(req.socket)
    if (connection === undefined || connection.refused) return
    const { requests } = connection
    if (requests.length > bounds.pipelined) {
      this.#log.warn('pipelined', {}, 'control: a client that sends requests without reading answers was cut off')
      req.socket.destroy()
      return
    }
    // One at a time: answers that nobody reads yet are not even made.
    requests.push(() => void this.#serve(req, res).then(() => this.#expectReading(req.socket, res)))
    res.once('close', () => {
      requests.shift()
      requests[0]?.()
    })
    if (requests.length === 1) requests[0]?.()
  }

  async #serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const around = {
      plane: this.#plane,
      limits: this.#options.limits,
      budget: this.#budget,
      stop: this.#stop.signal,
      fault: (error: unknown) => this.#log.error('fault', { err: error }, 'control: a request failed'),
    }
    try {
      give(req, res, await route(around, req), this.#closing)
    } catch (error) {
      if (error instanceof Gone) return
      if (!(error instanceof Problem)) around.fault(error)
      const problem = problemOf(error)
      const headers = error instanceof MethodProblem ? { allow: error.allow } : {}
      this.#log.debug({ code: problem.code, url: req.url }, 'control: refused')
      give(req, res, refusal(problem, {}, headers), this.#closing)
    }
  }

  /** An answer that is not read within the idle time ends its connection, whatever else the client sends. */
  #expectReading(socket: Socket, res: ServerResponse): void {
    if (res.closed) return
    const timer = setTimeout(() => {
      this.#log.warn('unread', {}, 'control: a client that does not read its answer was cut off')
      socket.destroy()
    }, this.#options.limits.idleTimeout)
    res.once('close', () => clearTimeout(timer))
  }

  /** What came is no request, or its head was too long or too slow. */
  #garbled(error: NodeJS.ErrnoException, socket: Socket): void {
    const connection = this.#connections.get(socket)
    // In the middle of a request there is no place for another answer.
    if (!socket.writable || connection === undefined || connection.refused || connection.requests.length > 0) {
      socket.destroy()
      return
    }
    this.#log.warn('garbled', { code: error.code }, 'control: a connection was closed: not a proper request')
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
      const { headerTimeout } = this.#options.limits
      this.#end(socket, new Problem('HEAD_TIMEOUT', `the head was not complete after ${headerTimeout} ms`))
    } else if (error.code === 'HPE_HEADER_OVERFLOW') {
      this.#end(socket, new Problem('HEAD_TOO_BIG', `the head of a request has at most ${bounds.head} bytes`))
    } else {
      this.#end(socket, new Problem('REQUEST_MALFORMED', 'this socket speaks HTTP/1.1'))
    }
  }

  /** Nothing moved on the connection for the idle time. */
  #silent(socket: Socket): void {
    const busy = (this.#connections.get(socket)?.requests.length ?? 0) > 0
    // While a request is under way its own limits hold: it may well wait for the host.
    if (busy) socket.setTimeout(this.#options.limits.idleTimeout)
    else socket.destroy()
  }

  #end(socket: Socket, problem: Problem): void {
    const connection = this.#connections.get(socket)
    if (connection !== undefined) connection.refused = true
    socket.end(bare(problem))
    // Bytes that were never read would reset the connection under the answer; wait a moment for the client to close.
    socket.resume()
    const timer = setTimeout(() => socket.destroy(), bounds.lingerMs)
    socket.once('close', () => clearTimeout(timer))
  }
}
