// attachment.ts: always one conversation with the host, or on the way to one. Looks for the host for ever, with
// back-off and jitter, finds a new one at once by watching its socket's folder, and tells when it stops answering.
import { statSync } from 'node:fs'
import type { Config } from '../../config/load.js'
import type { Log } from '../../process/node.js'
import { Backoff } from '../backoff.js'
import type { HostReport, HostState } from '../report.js'
import { HostAwayError, type OpenLink, type Refused, Session, type Welcome } from './session.js'
import { FileWatch } from './watch.js'

/** What an attachment tells its owner; `attached` and `lost` alternate. */
export interface AttachmentEvents {
  attached(session: Session): void
  /** Nothing of the session may be used any more. */
  lost(reason: string): void
  /** The state or what is known of the host changed. */
  changed(): void
}

export interface AttachmentOptions {
  readonly host: Config['host']
  /** Native process nodes that may be signalled. */
  readonly signals: readonly string[]
  /** What the daemon calls itself, e.g. 'corod-0.1.0'. */
  readonly program: string
  /** Milliseconds that the main thread looks for events before it sleeps; read at each attempt. Default: 0. */
  readonly spin?: () => number
}

const jitter = 0.5

/** The daemon's attachment to its host, over all conversations. */
export class Attachment {
  #options: AttachmentOptions
  readonly #open: OpenLink
  readonly #log: Log
  readonly #on: AttachmentEvents
  #backoff: Backoff
  readonly #watch: FileWatch
  #state: HostState = 'connecting'
  #since = new Date()
  #session: Session | undefined
  #attachedAt: number | undefined
  #welcome: Welcome | undefined
  #attachments = 0
  #lastError: string | undefined
  #timer: NodeJS.Timeout | undefined
  #tried = Number.NEGATIVE_INFINITY
  /** When the sign of life that has not come yet was asked for. */
  #asked: number | undefined
  /** When the next question is due. */
  #due = 0
  #stopped = false

  constructor(options: AttachmentOptions, open: OpenLink, log: Log, on: AttachmentEvents) {
    this.#options = options
    this.#open = open
    this.#log = log
    this.#on = on
    this.#backoff = new Backoff(options.host.reconnect, jitter)
    this.#watch = new FileWatch(options.host.socket, () => this.#hint())
  }

  /**
   * From now on with these intervals and waits, and with these native process nodes beside those that may be signalled
   * already. The socket stays the one of the start.
   */
  adjust(host: Omit<Config['host'], 'socket'>, signals: readonly string[]): void {
    const more = signals.filter(name => !this.#options.signals.includes(name))
    const { socket } = this.#options.host
    this.#options = { ...this.#options, host: { ...host, socket }, signals: [...this.#options.signals, ...more] }
    this.#backoff = new Backoff(host.reconnect, jitter)
    if (this.#attachedAt === undefined) return
    for (const name of more) {
      this.#session?.allow(name).catch((error: Error) => {
        if (!(error instanceof HostAwayError)) this.#log.error(`${name} cannot be signalled: ${error.message}`)
      })
    }
  }

  /** Starts looking for the host. */
  start(): void {
    this.#try()
  }

  /** Ends the conversation and looks no more; `lost` is not called. */
  stop(): void {
    this.#stopped = true
    clearTimeout(this.#timer)
    this.#watch.close()
    this.#session?.close('the daemon is stopping')
    this.#session = undefined
    this.#attachedAt = undefined
  }

  /** The session while attached. @throws HostAwayError */
  get session(): Session {
    if (this.#session !== undefined && this.#attachedAt !== undefined) return this.#session
    const why = this.#lastError === undefined ? '' : `: ${this.#lastError}`
    throw new HostAwayError(`the host at ${this.#options.host.socket} is away${why}`)
  }

  get state(): HostState {
    return this.#state
  }

  report(): HostReport {
    const { socket } = this.#options.host
    const welcome = this.#welcome
    return {
      state: this.#state,
      socket,
      since: this.#since.toISOString(),
      attachments: this.#attachments,
      ...(welcome === undefined ? {} : { name: welcome.host, release: welcome.release }),
      ...(welcome === undefined || this.#attachedAt === undefined
        ? {}
        : { pid: welcome.hostPid, epoch: welcome.epoch.toString(16) }),
      ...(this.#lastError === undefined ? {} : { lastError: this.#lastError }),
    }
  }

  #enter(state: HostState): void {
    if (state === this.#state) return
    this.#state = state
    this.#since = new Date()
    this.#on.changed()
  }

  #try(): void {
    if (this.#stopped || this.#session !== undefined) return
    const { host, program, signals } = this.#options
    this.#tried = performance.now()
    clearTimeout(this.#timer)
    // Before the attempt, so that a host that appears right after it is seen.
    this.#watch.renew()
    try {
      this.#session = new Session(
        this.#open,
        host.socket,
        program,
        signals,
        {
          attached: session => this.#attached(session),
          refused: message => this.#refused(message),
          heard: () => this.#alive(),
          lost: reason => this.#lost(reason),
        },
        this.#options.spin?.(),
      )
    } catch (error) {
      this.#failed(explain(error, host.socket))
      return
    }
    this.#timer = setTimeout(() => {
      this.#session?.close('no answer')
      this.#lost(`the host at ${host.socket} took the connection and did not answer`)
    }, host.pingTimeout)
  }

  #attached(session: Session): void {
    clearTimeout(this.#timer)
    this.#watch.close()
    const { welcome } = session
    this.#welcome = welcome
    this.#attachments++
    this.#attachedAt = performance.now()
    this.#lastError = undefined
    this.#log.info(
      { host: welcome.host, release: welcome.release, pid: welcome.hostPid, epoch: welcome.epoch.toString(16) },
      `attached to ${welcome.host} ${welcome.release}`,
    )
    this.#enter('connected')
    this.#on.changed()
    const { pingInterval } = this.#options.host
    this.#asked = undefined
    this.#due = performance.now() + pingInterval
    this.#timer = setTimeout(() => this.#ping(session), pingInterval)
    this.#on.attached(session)
  }

  #refused(message: Refused): void {
    this.#session?.close('refused')
    this.#session = undefined
    clearTimeout(this.#timer)
    const why = `${message.text}${unsaid(message)}`
    this.#enter('refused')
    this.#failed(`the host at ${this.#options.host.socket} refused: ${why}`)
  }

  /**
   * Asks for a sign of life each interval; an answer that is late makes the host stalled, a late one sound again. Time
   * in which this process itself was held up (a coroutine that computes) is not the host's silence.
   */
  #ping(session: Session): void {
    const { pingInterval, pingTimeout } = this.#options.host
    const now = performance.now()
    if (this.#asked === undefined) {
      this.#asked = now
      session.ping().catch(() => {})
    } else {
      const heldUp = now - this.#due
      if (heldUp > pingInterval) this.#asked += heldUp
      const quiet = now - this.#asked
      if (quiet >= pingTimeout && this.#state === 'connected') {
        this.#lastError = `no sign of life for ${Math.round(quiet)} ms`
        this.#log.warn(`the host is stalled: ${this.#lastError}`)
        this.#enter('stalled')
      }
    }
    this.#due = now + pingInterval
    this.#timer = setTimeout(() => this.#ping(session), pingInterval)
  }

  #alive(): void {
    this.#asked = undefined
    if (this.#state !== 'stalled') return
    this.#lastError = undefined
    this.#log.info('the host answers again')
    this.#enter('connected')
  }

  #lost(reason: string): void {
    if (this.#session === undefined) return
    this.#session = undefined
    clearTimeout(this.#timer)
    const lasted = this.#attachedAt === undefined ? undefined : performance.now() - this.#attachedAt
    this.#attachedAt = undefined
    this.#enter('connecting')
    if (lasted !== undefined) {
      if (lasted >= this.#backoff.max) this.#backoff.reset()
      this.#log.warn(`lost the host: ${reason}`)
      this.#lastError = reason
      this.#on.lost(reason)
    }
    this.#failed(reason)
  }

  /** Says why, once per reason, and tries again later. */
  #failed(reason: string): void {
    if (this.#stopped) return
    const wait = this.#backoff.next()
    if (reason !== this.#lastError) this.#log.warn({ retryMs: Math.round(wait) }, reason)
    this.#lastError = reason
    this.#timer = setTimeout(() => this.#try(), wait)
  }

  /** The socket's file changed: try now, or as soon as the last attempt is old enough. */
  #hint(): void {
    if (this.#stopped || this.#session !== undefined) return
    const { min } = this.#options.host.reconnect
    // A new socket is a new host: what was learnt about the old one's absence is worth nothing.
    this.#backoff.reset()
    const wait = Math.max(0, Math.min(min, 10) - (performance.now() - this.#tried))
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.#try(), wait)
  }
}

/** What a refusal's text leaves out: the versions of the host, or which process is in the way. */
function unsaid({ status, text, min, max, pid }: Refused): string {
  const [told, addition] =
    status === 'VERSION' ? [`${min} to ${max}`, `the host speaks ${min} to ${max}`] : [String(pid), `process ${pid}`]
  return (status !== 'VERSION' && pid === 0) || new RegExp(`\\b${told}\\b`).test(text) ? '' : ` (${addition})`
}

/** What an attempt that failed means to the one who reads it. */
function explain(error: unknown, socket: string): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (code === 'ENOENT') return `no host at ${socket}: it is not running, or its socket is elsewhere (host.socket)`
  if (code === 'ECONNREFUSED') return `nobody listens at ${socket}: the host was stopped or is starting`
  if (code === 'EACCES' || code === 'EPERM') return `no permission to use ${socket}${ownerOf(socket)}`
  return `cannot attach to ${socket}: ${error instanceof Error ? error.message : error}`
}

function ownerOf(socket: string): string {
  try {
    return `: add this user to its group (gid ${statSync(socket).gid})`
  } catch {
    return ''
  }
}
