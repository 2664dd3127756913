// reload.ts: the configuration that the daemon runs, from its first load over every later one. A new one is read and
// checked as a whole, modules included, before anything of it is applied: a bad one changes nothing.
import type { Config, RecordConfig } from '../config/load.js'
import { type Difference, difference, type Version } from './difference.js'
import { type LoadedNode, load } from './modules/loader.js'
import { Modules } from './modules/modules.js'
import { type ReloadReport, type ReloadWatcher, StoppingError } from './report.js'

/** What a reload needs of the daemon. */
export interface ReloadServices {
  /** Reads the file again. @throws ConfigError */
  readonly read: () => Config
  /** Applies what applies to the daemon itself while it runs. */
  readonly adjust: (config: Config) => void
  /** Makes the nodes those of the difference, in `order`. */
  readonly change: (to: Difference, order: readonly string[]) => Promise<void>
  /** Which of these nodes do not run although they should, and why. */
  readonly failed: (names: readonly string[]) => ReloadReport['failed']
  readonly watcher: ReloadWatcher
}

/** The present configuration of a daemon. */
export class Reloads {
  readonly #services: ReloadServices
  readonly #modules = new Modules()
  #version: Version
  #files: readonly string[] = []
  /** Nodes of which somebody wanted at run time that they are recorded, or not. */
  readonly #recorded = new Map<string, RecordConfig | undefined>()
  #since = new Date()
  #count = 0
  #stopping = false
  #turn: Promise<unknown> = Promise.resolve()

  constructor(config: Config, services: ReloadServices) {
    this.#version = { config, nodes: [] }
    this.#services = services
  }

  get config(): Config {
    return this.#version.config
  }

  /** When the present configuration was loaded, and how often one was loaded while the daemon ran. */
  get report(): { readonly loaded: string; readonly reloads: number } {
    return { loaded: this.#since.toISOString(), reloads: this.#count }
  }

  /** Loads the modules of the first configuration. @throws LoadError */
  async first(): Promise<readonly LoadedNode[]> {
    const { config } = this.#version
    const { nodes, files } = await load(config, this.#modules)
    this.#version = { config, nodes }
    this.#files = files
    this.#since = new Date()
    return nodes
  }

  /**
   * Loads the configuration again and applies what changed. One at a time, in the order of the calls.
   * @throws ConfigError with every fault, and nothing has changed; StoppingError
   */
  reload(): Promise<ReloadReport> {
    const turn = this.#turn.then(() => this.#watched())
    this.#turn = turn.catch(() => {})
    return turn
  }

  /**
   * Has a node recorded from now on, or no more, whatever its configuration says, also after later reloads. It starts again
   * for that, with its queue. Resolves when the host has it again, or is away.
   * @throws StoppingError
   */
  record(name: string, record: RecordConfig | undefined): Promise<void> {
    const turn = this.#turn.then(async () => {
      this.#refuseWhenStopping()
      this.#recorded.set(name, record)
      const before = this.#version
      this.#version = { ...before, nodes: this.#asOrdered(before.nodes) }
      const order = this.#version.nodes.map(node => node.config.name)
      await this.#services.change(difference(before, this.#version), order)
    })
    this.#turn = turn.catch(() => {})
    return turn
  }

  #asOrdered(nodes: readonly LoadedNode[]): readonly LoadedNode[] {
    return nodes.map(node => {
      const { name } = node.config
      return this.#recorded.has(name) ? { ...node, config: { ...node.config, record: this.#recorded.get(name) } } : node
    })
  }

  /** Nothing is loaded from now on. Resolves when no reload is under way. */
  async stop(): Promise<void> {
    this.#stopping = true
    await this.#turn
    this.#modules.close()
  }

  async #watched(): Promise<ReloadReport> {
    this.#refuseWhenStopping()
    const { watcher } = this.#services
    watcher.began()
    try {
      const report = await this.#reload()
      watcher.ended({ report })
      return report
    } catch (error) {
      watcher.ended({ error })
      throw error
    }
  }

  async #reload(): Promise<ReloadReport> {
    const began = performance.now()
    const config = this.#services.read()
    const loaded = await load(config, this.#modules)
    const [nodes, files] = [this.#asOrdered(loaded.nodes), loaded.files]
    this.#refuseWhenStopping()
    const to = difference(this.#version, { config, nodes })
    const running = runnable(this.#version.config, config)
    this.#services.adjust(running)
    this.#version = { config: running, nodes }
    this.#files = files
    this.#since = new Date()
    this.#count++
    const names = (list: readonly LoadedNode[]) => list.map(node => node.config.name)
    const keys = (list: typeof to.changed) => list.map(({ node, why }) => ({ name: node.config.name, why }))
    await this.#services.change(to, names(nodes))
    return {
      added: names(to.added),
      removed: names(to.removed),
      changed: keys(to.changed),
      adjusted: keys(to.adjusted),
      unchanged: names(to.unchanged),
      settings: to.settings,
      needsRestart: to.needsRestart,
      failed: this.#services.failed([...to.added, ...to.changed.map(({ node }) => node)].map(node => node.config.name)),
      ms: Math.round(performance.now() - began),
    }
  }

  /** Every file that the daemon is made of: the configuration, the modules and what they import. Absolute paths. */
  get files(): readonly string[] {
    return [this.#version.config.file, ...this.#files]
  }

  #refuseWhenStopping(): void {
    if (this.#stopping) throw new StoppingError('the daemon is stopping')
  }
}

/** `wanted`, but for the settings that take a restart: the next reload compares with what really runs. */
function runnable(before: Config, wanted: Config): Config {
  const { nodes, log, state } = wanted
  const host = { ...wanted.host, socket: before.host.socket }
  const signals = [...new Set([...before.signals, ...wanted.signals])]
  return { ...wanted, ...before, nodes, log, state, host, signals, executors: executorsOf(before, wanted) }
}

/** Those of `wanted`, but for the main thread, which is there already. */
function executorsOf({ executors: before }: Config, { executors: wanted }: Config): Config['executors'] {
  const { main: _, ...others } = wanted
  return before.main === undefined ? others : { ...others, main: before.main }
}
