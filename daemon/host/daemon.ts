// daemon.ts: the daemon as a whole: one attachment, a supervisor for each node, and what the control plane asks of them.
import { setTimeout as sleep } from 'node:timers/promises'
import { Link, now } from '../../shm/ring.js'
import { type Config, letterFolder, loadConfig, recordFolder } from '../config/load.js'
import { recordDefaults } from '../config/schema.js'
import { suggest } from '../config/suggest.js'
import { MessageError } from '../message/errors.js'
import type { MessageTable } from '../message/table.js'
import type { Log } from '../process/node.js'
import { newestRecording } from '../record/file.js'
import { Attachment } from './attachment/attachment.js'
import type { OpenLink, Session } from './attachment/session.js'
import { DeadLetters } from './letters/dead-letters.js'
import { LetterFile } from './letters/letter-file.js'
import type { LogForm } from './log.js'
import { Registrar } from './registrar.js'
import { Reloads } from './reload.js'
import {
  type Accepted,
  type Answered,
  type ControlPlane,
  type DeadLetter,
  type LettersSettled,
  type NodeReport,
  type RecordOrder,
  type RecordReport,
  type ReloadReport,
  type ReloadWatcher,
  SendError,
  type StatusReport,
} from './report.js'
import { type Reach, Roster } from './roster.js'
import type { Place } from './slots/binding.js'
import { Directory, type Target } from './slots/directory.js'
import type { Sender } from './slots/sender.js'
import { Executors } from './threads/executors.js'
import { MainWatch } from './threads/main-watch.js'
import { version } from './version.js'

/** A log that makes logs of its own for parts: pino's. */
export interface RootLog extends Log {
  child(fields: object): Log
  /** The least severe line that is written; if absent, info. */
  readonly level?: string
}

/** What is around a daemon; what is left out is the real thing. */
export interface Surroundings {
  readonly open: OpenLink
  /** CLOCK_MONOTONIC milliseconds. */
  readonly now: () => number
  /** The log is on the standard output in this form: the main thread is watched, and told of there when it is stuck. */
  readonly form: LogForm | undefined
  /** Reads the configuration again. Default: from its file. @throws ConfigError */
  readonly read: () => Config
  /** A configuration was loaded again: applies what is not the daemon's own, such as the level of the log. */
  readonly adjust: (config: Config) => void
  readonly watcher: ReloadWatcher
}

const unwatched: ReloadWatcher = { began: () => {}, ended: () => {} }

const notRunning = ['idle', 'stopped']
const failing = ['backing-off', 'crash-loop', 'stopped']

/** A node that has been registered begins its life within so long, ms; or the log says why not. */
const longestBegin = 1000

/** A daemon. `load`, then `start`, then `stop`, each once. */
export class Daemon implements ControlPlane {
  readonly #log: RootLog
  readonly #attachment: Attachment
  readonly #reloads: Reloads
  readonly #roster: Roster
  readonly #directory = new Directory(name => this.#place(name))
  readonly #executors: Executors
  readonly #form: LogForm | undefined
  readonly #registrar: Registrar
  readonly #letters = new DeadLetters({
    file: name => this.#letterFile(name),
    table: name => this.#table(name),
    send: (name, code, bytes) => this.sendEncoded(name, code, bytes),
  })
  readonly #started = performance.now()
  #watched: { readonly watch: MainWatch; readonly maxStall: number } | undefined
  #sent = 0
  #loaded = false
  #stopping = false
  #changed: () => void = () => {}

  constructor(config: Config, log: RootLog, around: Partial<Surroundings> = {}) {
    const {
      open = Link.open,
      now: clock = now,
      read = () => loadConfig(config.file),
      adjust = () => {},
      watcher = unwatched,
      form,
    } = around
    this.#log = log
    this.#form = form
    this.#executors = new Executors({ log, directory: this.#directory })
    this.#registrar = new Registrar({ now: clock, directory: this.#directory, executors: this.#executors })
    this.#roster = new Roster(this.#registrar, name => log.child({ node: name }))
    const { host, signals } = config
    this.#attachment = new Attachment(
      { host, signals, program: `corod-${version}`, spin: () => this.#executors.mainSpin },
      open,
      log,
      {
        attached: session => this.#attached(session),
        lost: reason => this.#lost(reason),
        changed: () => this.#changed(),
      },
    )
    this.#reloads = new Reloads(config, {
      read,
      adjust: wanted => {
        this.#attachment.adjust(wanted.host, wanted.signals)
        adjust(wanted)
        this.#executors.setLevel(wanted.log.level)
        this.#executors.adjust(wanted)
        this.#watch()
      },
      change: async (to, order) => {
        await this.#roster.change(to, order)
        await this.#executors.trim(this.#reloads.config.nodes)
      },
      failed: names => this.#failed(names),
      watcher,
    })
  }

  /** Loads the modules. @throws ConfigError */
  async load(): Promise<void> {
    if (this.#loaded) return
    this.#roster.fill(await this.#reloads.first())
    this.#executors.adjust(this.#reloads.config)
    this.#loaded = true
  }

  /** From the first nodes that run; anew if the limit has changed. */
  #watch(): void {
    if (this.#stopping) return
    const { mainStall } = this.#executors
    if (this.#form === undefined || this.#watched?.maxStall === mainStall) return
    void this.#watched?.watch.stop()
    const watch = new MainWatch({ maxStall: mainStall, form: this.#form }, ({ ms, where, nodes }) => {
      const seconds = (ms / 1000).toFixed(1)
      const text = `executor main did not answer for ${seconds} s${where === undefined ? '' : `: it was stuck in ${where}`}`
      this.#log.warn({ executor: 'main', suspects: nodes }, text)
      for (const name of nodes) this.#roster.note(name, text)
    })
    this.#watched = { watch, maxStall: mainStall }
  }

  /** Loads what is not loaded and starts to look for the host; it may be found later. @throws ConfigError */
  async start(): Promise<void> {
    await this.load()
    this.#attachment.start()
  }

  /**
   * Stops the nodes, each within its grace time, then leaves the host. Events that were not handled stay there, for the
   * next daemon. Never rejects.
   */
  async stop(): Promise<void> {
    this.#stopping = true
    const reloaded = this.#reloads.stop()
    await this.#roster.stop()
    // The last commands are pushed at the end of this turn.
    await new Promise(resolve => setImmediate(resolve))
    await this.#executors.close()
    await this.#watched?.watch.stop()
    this.#attachment.stop()
    this.#registrar.detach('the daemon is stopping')
    await reloaded
  }

  async reload(): Promise<ReloadReport> {
    try {
      return await this.#reloads.reload()
    } finally {
      this.#changed()
    }
  }

  /** Every file that the present configuration is made of: itself, the modules and what they import. Absolute paths. */
  get files(): readonly string[] {
    return this.#reloads.files
  }

  /** `changed` will be called when the attachment's state changes. */
  onChange(changed: () => void): void {
    this.#changed = changed
  }

  /**
   * An error that nobody caught: if it is known to be a node's, that node fails, and its name is returned. Errors of
   * stopped nodes are theirs too.
   */
  blame(error: unknown): string | undefined {
    return this.#roster.blame(error)
  }

  status(): StatusReport {
    const states = this.nodes()
    const isFailing = ({ state, lastError }: NodeReport) =>
      failing.includes(state) && (state !== 'stopped' || lastError !== undefined)
    return {
      version,
      pid: process.pid,
      uptimeMs: Math.round(performance.now() - this.#started),
      config: this.#reloads.config.file,
      ...this.#reloads.report,
      host: this.#attachment.report(),
      nodes: {
        total: states.length,
        running: states.filter(node => node.state === 'running').length,
        failed: states.filter(isFailing).length,
      },
      received: states.reduce((sum, node) => sum + node.received, 0),
      sent: this.#sent,
      rss: process.memoryUsage.rss(),
    }
  }

  nodes(): NodeReport[] {
    return this.#roster.reports()
  }

  table(node: string): MessageTable | undefined {
    return this.#roster.table(node)
  }

  async send(node: string, type: string, value: unknown): Promise<Accepted> {
    const { code, bytes } = this.#encode(node, type, value)
    return this.sendEncoded(node, code, bytes)
  }

  async ask(node: string, type: string, value: unknown, ms: number): Promise<Answered> {
    const { code, bytes } = this.#encode(node, type, value)
    const table = this.#table(node)
    if (!table.calls.includes(type)) {
      throw new SendError('NO_REPLY', `message ${JSON.stringify(type)} of node ${node} declares no reply: send it`)
    }
    const { sender, place } = this.#reach(node)
    const { seq, bytes: reply } = await sender.ask(place, code, bytes, ms)
    this.#sent++
    return { seq, reply: table.decodeReply(type, reply) }
  }

  deadLetters(node: string): readonly DeadLetter[] {
    return this.#letters.list(node)
  }

  settleLetters(node: string, how: 'resend' | 'drop', ids?: readonly string[]): Promise<LettersSettled> {
    return this.#letters.settle(node, how, ids)
  }

  async record(node: string, order: RecordOrder): Promise<RecordReport> {
    this.#table(node)
    const { nodes, state } = this.#reloads.config
    const own = nodes.find(({ name }) => name === node)?.record ?? { ...recordDefaults, folder: recordFolder(state) }
    const began = Date.now()
    const until = order.for === undefined ? undefined : began + order.for
    const { folder, files } = own
    const size = order.size ?? own.size
    await this.#reloads.record(node, { folder, files, size, ...(until === undefined ? {} : { until }) })
    const file = await this.#recording(node, folder, began)
    return {
      folder,
      ...(file === undefined ? {} : { file }),
      ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
    }
  }

  /** The file that was begun since; on a thread of its own a node begins a little later. */
  async #recording(node: string, folder: string, since: number): Promise<string | undefined> {
    const end = performance.now() + longestBegin
    for (;;) {
      const file = newestRecording(node, folder, since)
      if (file !== undefined || performance.now() > end || this.#attachment.state !== 'connected') return file
      await sleep(10)
    }
  }

  async unrecord(node: string): Promise<void> {
    this.#table(node)
    await this.#reloads.record(node, undefined)
  }

  async sendEncoded(node: string, code: number, bytes: Uint8Array): Promise<Accepted> {
    const { sender, place } = this.#reach(node)
    const accepted = await sender.send(place, code, bytes)
    this.#sent++
    return accepted
  }

  #letterFile(name: string): LetterFile {
    this.#table(name)
    const { state } = this.#reloads.config
    return new LetterFile(name, letterFolder(state))
  }

  #encode(node: string, type: string, value: unknown): { readonly code: number; readonly bytes: Uint8Array } {
    const table = this.#table(node)
    const code = table.code(type)
    if (code === undefined) {
      const near = suggest(type, table.sendable)
      const hint = near === undefined ? `it takes ${table.sendable.join(', ') || 'none'}` : `did you mean ${near}?`
      throw new SendError('TYPE_UNKNOWN', `node ${node} has no message ${JSON.stringify(type)}: ${hint}`)
    }
    try {
      return { code, bytes: table.encode(type, value) }
    } catch (error) {
      if (error instanceof MessageError) throw new SendError('INVALID', error.message, error.faults)
      throw error
    }
  }

  /** Who sends to a node, and where it is. @throws SendError */
  #reach(node: string): { readonly sender: Sender; readonly place: Place } {
    const { sender } = this.#registrar
    const reach = this.#known(node)
    if (reach.place === undefined || sender === undefined) throw this.#unreachable(node, reach)
    if (this.#attachment.state === 'stalled') throw new SendError('HOST_AWAY', 'the host does not answer')
    return { sender, place: reach.place }
  }

  /** Where a node is for its peers; undefined: it is being registered. @throws SendError */
  #place(name: string): Target | undefined {
    const reach = this.#known(name)
    if (reach.place !== undefined) return reach.place
    if (reach.soon && this.#attachment.report().state === 'connected') return undefined
    throw this.#unreachable(name, reach)
  }

  #table(name: string): MessageTable {
    const table = this.#roster.table(name)
    if (table === undefined) throw this.#unknown(name)
    return table
  }

  #failed(names: readonly string[]): ReloadReport['failed'] {
    return this.nodes().flatMap(({ name, state, lastError: error }) =>
      names.includes(name) && failing.includes(state) && error !== undefined ? [{ name, error }] : [],
    )
  }

  #known(name: string): Reach {
    if (!this.#roster.has(name)) throw this.#unknown(name)
    return this.#roster.reach(name)
  }

  #unknown(name: string): SendError {
    const near = suggest(name, this.#roster.names)
    const hint = near === undefined ? '' : `: did you mean ${near}?`
    return new SendError('NODE_UNKNOWN', `there is no node ${name}${hint}`)
  }

  #unreachable(name: string, { state, lastError }: Reach): SendError {
    if (notRunning.includes(state)) return new SendError('CLOSED', `node ${name} has ended and takes no more events`)
    const host = this.#attachment.report()
    if (host.state === 'connected') {
      return new SendError('UNREGISTERED', `node ${name} cannot take events yet: ${lastError ?? 'it is starting'}`)
    }
    return new SendError('HOST_AWAY', `the host is away: ${host.lastError ?? `nobody at ${host.socket}`}`)
  }

  #attached(session: Session): void {
    this.#registrar.attach(session)
    void this.#roster
      .attach()
      .then(() => session.ready())
      .then(({ removed, discarded }) => {
        this.#watch()
        if (removed > 0) this.#log.warn({ removed, discarded }, `${removed} nodes of an earlier daemon were removed`)
        this.#changed()
      })
      .catch(() => {})
  }

  #lost(reason: string): void {
    this.#registrar.detach(reason)
    this.#roster.detach()
    this.#directory.settleAll()
  }
}
