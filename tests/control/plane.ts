// plane.ts: a daemon in memory, as the control socket sees it. Sends wait where a test wants them to.

import type { ControlLimits, ControlOptions, Log, Plane } from '../../daemon/control/limits.js'
import { ControlServer, type Extras } from '../../daemon/control/server.js'
import {
  type DeadLetter,
  type LettersSettled,
  type NodeReport,
  type RecordOrder,
  type RecordReport,
  type ReloadReport,
  SendError,
  type StatusReport,
} from '../../daemon/host/report.js'
import { message } from '../../daemon/message/message.js'
import { MessageTable } from '../../daemon/message/table.js'
import { Folder } from '../support/folder.js'

/** Keeps what was logged. */
export class Lines implements Log {
  readonly lines: { level: string; fields: object; text: string }[] = []
  debug(fields: object, text: string): void {
    this.lines.push({ level: 'debug', fields, text })
  }
  info(fields: object, text: string): void {
    this.lines.push({ level: 'info', fields, text })
  }
  warn(fields: object, text: string): void {
    this.lines.push({ level: 'warn', fields, text })
  }
  error(fields: object, text: string): void {
    this.lines.push({ level: 'error', fields, text })
  }
}

const table = new MessageTable({ hello: message(1) })

/** A plane with the node `echo`, which takes any message but those that are named for what goes wrong. */
export class FakePlane implements Plane {
  readonly sent: { node: string; type: string; value: unknown }[] = []
  /** Sends that are under way now, and the most there ever were. */
  flying = 0
  mostFlying = 0
  seq = 0n
  extraNodes = 0
  #held: (() => void)[] | undefined

  /** From now on sends wait until `release`. */
  hold(): void {
    this.#held ??= []
  }

  release(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const go of held) go()
  }

  status(): StatusReport {
    return {
      version: '0.1.0',
      pid: process.pid,
      uptimeMs: 1,
      config: '/etc/corod.yaml',
      loaded: '2026-01-01T00:00:00.000Z',
      reloads: 2,
      host: { state: 'connected', socket: '/run/host.sock', since: '2026-01-01T00:00:00Z', attachments: 1 },
      nodes: { total: 1, running: 1, failed: 0 },
      received: 0,
      sent: Number(this.seq),
      rss: 1,
    }
  }

  nodes(): readonly NodeReport[] {
    const report = (name: string): NodeReport => ({
      name,
      module: `/nodes/${name}.js`,
      state: 'running',
      restarts: 0,
      received: 0,
      redelivered: 0,
      rejected: 0,
      filtered: 0,
      gaps: 0,
      missed: 0,
      late: 0,
      deadLetters: 0,
      lostLetters: 0,
      messages: ['ping'],
      executor: 'main',
    })
    return [report('echo'), ...Array.from({ length: this.extraNodes }, (_, i) => report(`extra-${i}`))]
  }

  table(node: string): ReturnType<Plane['table']> {
    return node === 'echo' ? table : undefined
  }

  async send(node: string, type: string, value: unknown): Promise<{ seq: bigint; dropped?: boolean }> {
    this.flying++
    this.mostFlying = Math.max(this.mostFlying, this.flying)
    try {
      const held = this.#held
      if (held !== undefined) await new Promise<void>(go => held.push(go))
      const why = this.#refusal(type)
      if (why !== undefined) throw why
      this.sent.push({ node, type, value })
      this.seq++
      return type === 'dropped' ? { seq: this.seq, dropped: true } : { seq: this.seq }
    } finally {
      this.flying--
    }
  }

  /** What was asked. */
  readonly asked: { node: string; type: string; value: unknown; ms: number }[] = []

  async ask(node: string, type: string, value: unknown, ms: number) {
    this.asked.push({ node, type, value, ms })
    const { seq } = await this.send(node, type, value)
    return { seq, reply: { n: 2n ** 64n - 1n, data: Uint8Array.of(1, 2, 255), text: 'größe' } }
  }

  /** What a reload gives or throws. */
  reloaded: () => Promise<ReloadReport> = async () => ({
    added: ['new'],
    removed: [],
    changed: [{ name: 'echo', why: ['code', 'options'] }],
    adjusted: [],
    unchanged: ['other'],
    settings: [],
    needsRestart: ['host.socket'],
    failed: [],
    ms: 7,
  })

  reload(): Promise<ReloadReport> {
    return this.reloaded()
  }

  /** What the nodes gave up. */
  letters: DeadLetter[] = []
  readonly settled: { how: string; ids: readonly string[] | undefined }[] = []

  deadLetters(): readonly DeadLetter[] {
    return this.letters
  }

  async settleLetters(_node: string, how: 'resend' | 'drop', ids?: readonly string[]): Promise<LettersSettled> {
    this.settled.push({ how, ids })
    return { done: 1, left: 2, failures: [] }
  }

  /** What was to be recorded. */
  readonly recorded: { node: string; order: RecordOrder | undefined }[] = []

  async record(node: string, order: RecordOrder): Promise<RecordReport> {
    this.recorded.push({ node, order })
    return { folder: '/r', file: '/r/f' }
  }

  async unrecord(node: string): Promise<void> {
    this.recorded.push({ node, order: undefined })
  }

  #refusal(type: string): Error | undefined {
    switch (type) {
      case 'no-reply':
        return new SendError('NO_REPLY', 'it declares none')
      case 'refused':
        return new SendError('REFUSED', 'no such key')
      case 'silent':
        return new SendError('TIMEOUT', 'no answer came in time')
      case 'unanswered':
        return new SendError('UNANSWERED', 'the node did not answer')
      case 'died':
        return new SendError('DIED', 'the node ended before it answered')
      case 'unknown':
        return new SendError('TYPE_UNKNOWN', 'echo takes no "unknown"')
      case 'invalid':
        return new SendError('INVALID', 'two faults', [
          { pointer: '/dest', message: 'must be an IPv4 address' },
          { pointer: '/port', message: 'must be 0 to 65535' },
        ])
      case 'full':
        return new SendError('FULL', 'the backlog of echo is full')
      case 'closed':
        return new SendError('CLOSED', 'echo is closed')
      case 'unregistered':
        return new SendError('UNREGISTERED', 'node echo cannot take events yet')
      case 'away':
        return new SendError('HOST_AWAY', 'the host is away')
      case 'big':
        return new SendError('TOO_BIG', 'over 4096 bytes')
      case 'broken':
        return new TypeError('cannot read properties of undefined')
      default:
        return undefined
    }
  }
}

export const defaults: ControlLimits = {
  body: 1024 * 1024,
  line: 4096,
  headerTimeout: 5000,
  idleTimeout: 30_000,
  connections: 64,
}

/** A listening server over a FakePlane, in a folder of its own. */
export class Served implements AsyncDisposable {
  readonly folder = new Folder()
  readonly plane = new FakePlane()
  readonly log = new Lines()
  readonly socket = this.folder.at('control.sock')
  readonly server: ControlServer

  constructor(limits: Partial<ControlLimits>, options: Partial<ControlOptions>, extras: Extras) {
    this.server = new ControlServer(
      this.plane,
      { socket: this.socket, mode: 0o660, ...options, limits: { ...defaults, ...limits } },
      this.log,
      { grace: 50, ...extras },
    )
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.plane.release()
    await this.server.close()
    this.folder[Symbol.dispose]()
  }
}

/** Starts a server. */
export async function serve(
  limits: Partial<ControlLimits> = {},
  options: Partial<ControlOptions> = {},
  extras: Extras = {},
): Promise<Served> {
  const served = new Served(limits, options, extras)
  await served.server.listen()
  return served
}
