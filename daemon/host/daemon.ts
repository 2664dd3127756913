// daemon.ts: the daemon as a whole: one attachment, a supervisor for each node, and what the control plane asks of them.
import { Link, now } from '../../shm/ring.js'
import { type Config, letterFolder, loadConfig } from '../config/load.js'
import type { MessageTable } from '../message/table.js'
import type { Log } from '../process/node.js'
import { Attachment } from './attachment/attachment.js'
import type { OpenLink, Session } from './attachment/session.js'
import { DeadLetters } from './letters/dead-letters.js'
import { LetterFile } from './letters/letter-file.js'
import type { LogForm } from './log.js'
import { Post } from './post.js'
import { Recordings } from './recordings.js'
import { Registrar } from './registrar.js'
import { Reloads } from './reload.js'
import type {
  Accepted,
  Answered,
  ControlPlane,
  DeadLetter,
  LettersSettled,
  NodeReport,
  RecordOrder,
  RecordReport,
  ReloadReport,
  ReloadWatcher,
  StatusReport,
} from './report.js'
import { Roster } from './roster.js'
import { Directory } from './slots/directory.js'
import { Executors } from './threads/executors.js'
import { MainGuard } from './threads/main-guard.js'
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

const failing = ['backing-off', 'crash-loop', 'stopped']

/** A daemon. `load`, then `start`, then `stop`, each once. */
export class Daemon implements ControlPlane {
  readonly #log: RootLog
  readonly #attachment: Attachment
  readonly #reloads: Reloads
  readonly #roster: Roster
  readonly #directory = new Directory(name => this.#post.place(name))
  readonly #executors: Executors
  readonly #registrar: Registrar
  readonly #letters = new DeadLetters({
    file: name => this.#letterFile(name),
    table: name => this.#post.table(name),
    send: (name, code, bytes) => this.sendEncoded(name, code, bytes),
  })
  readonly #post: Post
  readonly #recordings: Recordings
  readonly #guard: MainGuard
  readonly #started = performance.now()
  #loaded = false
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
    this.#executors = new Executors({ log, directory: this.#directory })
    this.#registrar = new Registrar({ now: clock, directory: this.#directory, executors: this.#executors })
    this.#roster = new Roster(this.#registrar, name => log.child({ node: name }))
    this.#guard = new MainGuard(form, log, (name, text) => this.#roster.note(name, text))
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
        this.#guard.watch(this.#executors.mainStall)
      },
      change: async (to, order) => {
        await this.#roster.change(to, order)
        await this.#executors.trim(this.#reloads.config.nodes)
      },
      failed: names => this.#failed(names),
      watcher,
    })
    this.#post = new Post(this.#roster, this.#registrar, this.#attachment)
    this.#recordings = new Recordings(this.#reloads, this.#post, this.#attachment)
  }

  /** Loads the modules. @throws ConfigError */
  async load(): Promise<void> {
    if (this.#loaded) return
    this.#roster.fill(await this.#reloads.first())
    this.#executors.adjust(this.#reloads.config)
    this.#loaded = true
  }

  /** Loads what is not loaded and starts to look for the host; it may be found later. @throws ConfigError */
  async start(): Promise<void> {
    await this.load()
    // Before there are coroutines: to start a thread takes this one a millisecond or two.
    this.#guard.watch(this.#executors.mainStall)
    this.#attachment.start()
  }

  /**
   * Stops the nodes, each within its grace time, then leaves the host. Events that were not handled stay there, for the
   * next daemon. Never rejects.
   */
  async stop(): Promise<void> {
    const reloaded = this.#reloads.stop()
    this.#executors.leave()
    await this.#roster.stop()
    // The last commands are pushed at the end of this turn.
    await new Promise(resolve => setImmediate(resolve))
    await this.#executors.close()
    await this.#guard.stop()
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

  /**
   * The same if it is a node's and cannot be told of which: those that it may be of fail, and start again. Their names;
   * none: it is of one that has ended; undefined: it is an error of the daemon itself.
   */
  suspect(error: unknown): readonly string[] | undefined {
    return this.#roster.suspect(error)
  }

  /** The node whose code runs now, on this thread; undefined if it cannot be told. */
  running(): string | undefined {
    return this.#roster.running()
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
      sent: this.#post.sent,
      rss: process.memoryUsage.rss(),
    }
  }

  nodes(): NodeReport[] {
    return this.#roster.reports()
  }

  table(node: string): MessageTable | undefined {
    return this.#roster.table(node)
  }

  deadLetters(node: string): readonly DeadLetter[] {
    return this.#letters.list(node)
  }

  settleLetters(node: string, how: 'resend' | 'drop', ids?: readonly string[]): Promise<LettersSettled> {
    return this.#letters.settle(node, how, ids)
  }

  record(node: string, order: RecordOrder): Promise<RecordReport> {
    return this.#recordings.begin(node, order)
  }

  unrecord(node: string): Promise<void> {
    return this.#recordings.end(node)
  }

  send(node: string, type: string, value: unknown): Promise<Accepted> {
    return this.#post.send(node, type, value)
  }

  sendEncoded(node: string, code: number, bytes: Uint8Array): Promise<Accepted> {
    return this.#post.sendEncoded(node, code, bytes)
  }

  ask(node: string, type: string, value: unknown, ms: number): Promise<Answered> {
    return this.#post.ask(node, type, value, ms)
  }

  #letterFile(name: string): LetterFile {
    this.#post.table(name)
    const { state } = this.#reloads.config
    return new LetterFile(name, letterFolder(state))
  }

  #failed(names: readonly string[]): ReloadReport['failed'] {
    return this.nodes().flatMap(({ name, state, lastError: error }) =>
      names.includes(name) && failing.includes(state) && error !== undefined ? [{ name, error }] : [],
    )
  }

  #attached(session: Session): void {
    this.#registrar.attach(session)
    void this.#roster
      .attach()
      .then(() => session.ready())
      .then(({ removed, discarded }) => {
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
