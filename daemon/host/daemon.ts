// daemon.ts: the daemon as a whole: one attachment, a supervisor for each node, and what the control plane asks of them.
import { Link, now } from '../../shm/ring.js'
import type { Config } from '../config/load.js'
import { suggest } from '../config/suggest.js'
import { MessageError } from '../message/errors.js'
import type { MessageTable } from '../message/table.js'
import type { Log } from '../process/node.js'
import { ownerOf } from '../process/runtime.js'
import { Attachment } from './attachment.js'
import type { Place } from './binding.js'
import { Directory, type Target } from './directory.js'
import type { InboxCounts } from './inbox.js'
import { Lives } from './lives.js'
import { load } from './loader.js'
import { Modules } from './modules.js'
import { matcher } from './pattern.js'
import { Registrar, type Tenant } from './registrar.js'
import {
  type Accepted,
  type Answered,
  type ControlPlane,
  type NodeReport,
  SendError,
  type StatusReport,
} from './report.js'
import type { Sender } from './sender.js'
import type { OpenLink, Session } from './session.js'
import { Supervisor } from './supervisor.js'
import { version } from './version.js'

/** A log that makes logs of its own for parts: pino's. */
export interface RootLog extends Log {
  child(fields: object): Log
}

/** What a test puts in the place of the real thing. */
export interface Surroundings {
  readonly open: OpenLink
  /** CLOCK_MONOTONIC milliseconds. */
  readonly now: () => number
}

interface Node extends Tenant {
  readonly supervisor: Supervisor
}

const notRunning = ['idle', 'stopped']
/** States in which a node that has no place will have one soon, or says why not. */
const registering = ['waiting-for-host', 'starting', 'stopping']

/** A daemon. `load`, then `start`, then `stop`, each once. */
export class Daemon implements ControlPlane {
  readonly #config: Config
  readonly #log: RootLog
  readonly #attachment: Attachment
  readonly #nodes = new Map<string, Node>()
  readonly #modules = new Modules()
  readonly #directory = new Directory(name => this.#place(name))
  readonly #registrar: Registrar
  readonly #started = performance.now()
  #sent = 0
  #loaded = false
  #changed: () => void = () => {}

  constructor(config: Config, log: RootLog, { open = Link.open, now: clock = now }: Partial<Surroundings> = {}) {
    this.#config = config
    this.#log = log
    this.#registrar = new Registrar({ now: clock, directory: this.#directory })
    const { host, signals } = config
    this.#attachment = new Attachment({ host, signals, program: `corod-${version}` }, open, log, {
      attached: session => this.#attached(session),
      lost: reason => this.#lost(reason),
      changed: () => this.#changed(),
    })
  }

  /** Loads the modules. @throws ConfigError */
  async load(): Promise<void> {
    if (this.#loaded) return
    for (const loaded of (await load(this.#config, this.#modules)).nodes) {
      const { name } = loaded.config
      const log = this.#log.child({ node: name })
      const counts: InboxCounts = { received: 0, redelivered: 0, rejected: 0, filtered: 0, gaps: 0, missed: 0, late: 0 }
      const supervisor = new Supervisor(loaded, log, counts)
      const lives = new Lives(loaded, log)
      this.#nodes.set(name, { supervisor, loaded, lives, counts, wanted: matcher(loaded.config.interfaces), log })
    }
    this.#loaded = true
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
    await Promise.all([...this.#nodes.values()].map(node => node.supervisor.stop()))
    // The last commands are pushed at the end of this turn.
    await new Promise(resolve => setImmediate(resolve))
    this.#attachment.stop()
    this.#registrar.detach('the daemon is stopping')
    this.#modules.close()
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
    const runtime = ownerOf(error)
    if (runtime === undefined) return undefined
    for (const { supervisor } of this.#nodes.values()) if (supervisor.blame(runtime, error)) break
    return runtime.name
  }

  status(): StatusReport {
    const states = [...this.#nodes.values()].map(node => node.supervisor.report())
    const failing = ({ state, lastError }: NodeReport) =>
      state === 'backing-off' || state === 'crash-loop' || (state === 'stopped' && lastError !== undefined)
    return {
      version,
      pid: process.pid,
      uptimeMs: Math.round(performance.now() - this.#started),
      config: this.#config.file,
      host: this.#attachment.report(),
      nodes: {
        total: states.length,
        running: states.filter(node => node.state === 'running').length,
        failed: states.filter(failing).length,
      },
      received: states.reduce((sum, node) => sum + node.received, 0),
      sent: this.#sent,
      rss: process.memoryUsage.rss(),
    }
  }

  nodes(): NodeReport[] {
    return [...this.#nodes.values()].map(node => node.supervisor.report())
  }

  table(node: string): MessageTable | undefined {
    return this.#nodes.get(node)?.loaded.table
  }

  async send(node: string, type: string, value: unknown): Promise<Accepted> {
    const { code, bytes } = this.#encode(node, type, value)
    return this.sendEncoded(node, code, bytes)
  }

  async ask(node: string, type: string, value: unknown, ms: number): Promise<Answered> {
    const { code, bytes } = this.#encode(node, type, value)
    const { table } = this.#node(node).loaded
    if (!table.calls.includes(type)) {
      throw new SendError('NO_REPLY', `message ${JSON.stringify(type)} of node ${node} declares no reply: send it`)
    }
    const { sender, place } = this.#reach(node)
    const { seq, bytes: reply } = await sender.ask(place, code, bytes, ms)
    this.#sent++
    return { seq, reply: table.decodeReply(type, reply) }
  }

  async sendEncoded(node: string, code: number, bytes: Uint8Array): Promise<Accepted> {
    const { sender, place } = this.#reach(node)
    const accepted = await sender.send(place, code, bytes)
    this.#sent++
    return accepted
  }

  #encode(node: string, type: string, value: unknown): { readonly code: number; readonly bytes: Uint8Array } {
    const { table } = this.#node(node).loaded
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
    const { supervisor } = this.#node(node)
    const { sender } = this.#registrar
    const bound = this.#registrar.bound(node)
    if (bound === undefined || supervisor.binding !== bound.binding || sender === undefined) {
      throw this.#unreachable(node, supervisor)
    }
    if (this.#attachment.state === 'stalled') throw new SendError('HOST_AWAY', 'the host does not answer')
    return { sender, place: bound.place }
  }

  /** Where a node is for its peers; undefined: it is being registered. @throws SendError */
  #place(name: string): Target | undefined {
    const { supervisor } = this.#node(name)
    const bound = this.#registrar.bound(name)
    if (bound !== undefined && supervisor.binding === bound.binding) return bound.place
    const connected = this.#attachment.report().state === 'connected'
    if (connected && registering.includes(supervisor.state)) return undefined
    throw this.#unreachable(name, supervisor)
  }

  #node(name: string): Node {
    const node = this.#nodes.get(name)
    if (node !== undefined) return node
    const near = suggest(name, this.#nodes.keys())
    throw new SendError(
      'NODE_UNKNOWN',
      `there is no node ${name}${near === undefined ? '' : `: did you mean ${near}?`}`,
    )
  }

  #unreachable(name: string, supervisor: Supervisor): SendError {
    const { state, lastError } = supervisor.report()
    if (notRunning.includes(state)) return new SendError('CLOSED', `node ${name} has ended and takes no more events`)
    const host = this.#attachment.report()
    if (host.state === 'connected') {
      return new SendError('UNREGISTERED', `node ${name} cannot take events yet: ${lastError ?? 'it is starting'}`)
    }
    return new SendError('HOST_AWAY', `the host is away: ${host.lastError ?? `nobody at ${host.socket}`}`)
  }

  #attached(session: Session): void {
    this.#registrar.attach(session)
    const nodes = [...this.#nodes.values()]
    void Promise.all(nodes.map(node => node.supervisor.attach(this.#registrar.register(node))))
      .then(() => session.ready())
      .then(({ removed, discarded }) => {
        if (removed > 0) this.#log.warn({ removed, discarded }, `${removed} nodes of an earlier daemon were removed`)
        this.#changed()
      })
      .catch(() => {})
  }

  #lost(reason: string): void {
    this.#registrar.detach(reason)
    for (const { supervisor } of this.#nodes.values()) supervisor.detach()
    this.#directory.settleAll()
  }
}
