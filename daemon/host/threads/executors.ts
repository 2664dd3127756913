// executors.ts: the threads of a daemon: which there are by the configuration, and on which of them a node is.
import { type ExecutorConfig, executorDefaults } from '../../config/executors.js'
import type { Config, NodeConfig } from '../../config/load.js'
import type { Session } from '../attachment/session.js'
import type { RootLog } from '../daemon.js'
import type { Directory, Target } from '../slots/directory.js'
import { WorkerExecutor } from './worker-executor.js'
import { type Spawn, spawnThread } from './worker-thread.js'

export interface ExecutorsServices {
  readonly log: RootLog
  readonly directory: Directory
  readonly spawn?: Spawn
}

type Settings = Config['executors']

interface Kept {
  readonly executor: WorkerExecutor
  /** In the present attachment: when the host has answered for it. */
  ready: Promise<void> | undefined
}

/** The worker threads; the main one needs no keeping. */
export class Executors {
  readonly #services: Required<ExecutorsServices>
  readonly #all = new Map<string, Kept>()
  /** Of executors that end, until their threads are gone. */
  readonly #ending = new Set<number>()
  #settings: Settings = {}
  #session: Session | undefined

  constructor({ spawn = spawnThread, ...services }: ExecutorsServices) {
    this.#services = { spawn, ...services }
  }

  /** How long the main thread looks for events before it sleeps, milliseconds. */
  get mainSpin(): number {
    return this.#limits('main').spin
  }

  /** How long the main thread may not answer, milliseconds. */
  get mainStall(): number {
    return this.#limits('main').maxStall
  }

  /** The executors of a configuration: starts the threads that its nodes need. */
  adjust({ executors, nodes }: Pick<Config, 'executors' | 'nodes'>): void {
    this.#settings = executors
    for (const node of nodes) this.of(node)
  }

  /** Ends those that no node of a configuration uses. */
  async trim(nodes: readonly NodeConfig[]): Promise<void> {
    const used = new Set(nodes.map(node => this.#key(node)))
    const over = [...this.#all].filter(([key, { executor }]) => !used.has(key) && executor.tenants === 0)
    await Promise.all(
      over.map(async ([key, { executor }]) => {
        this.#all.delete(key)
        this.#ending.add(executor.plan.id)
        await executor.close()
        this.#ending.delete(executor.plan.id)
      }),
    )
  }

  /** The thread of a node; undefined: the main thread. */
  of(node: NodeConfig): WorkerExecutor | undefined {
    return this.#kept(node)?.executor
  }

  /** Resolves when the host has answered for the node's executor. @throws HostRefusedError, HostAwayError */
  async ready(node: NodeConfig, session: Session): Promise<void> {
    const kept = this.#kept(node)
    if (kept === undefined || this.#session !== session) return
    kept.ready ??= kept.executor.attach(session)
    await kept.ready
  }

  /** There is a host. */
  attach(session: Session): void {
    this.#session = session
  }

  /** The host is gone. */
  detach(reason: string): void {
    this.#session = undefined
    for (const kept of this.#all.values()) {
      kept.ready = undefined
      kept.executor.detach(reason)
    }
  }

  /** Where a node is now, for those that send to it; undefined: they must ask. */
  place(name: string, target: Target | undefined): void {
    const plain = target && { slot: target.slot, generation: target.generation }
    for (const { executor } of this.#all.values()) executor.place(name, plain)
  }

  setLevel(level: string): void {
    for (const { executor } of this.#all.values()) executor.setLevel(level)
  }

  /** The nodes stop, for good. */
  leave(): void {
    for (const { executor } of this.#all.values()) executor.leave()
  }

  /** Ends all, for good. */
  async close(): Promise<void> {
    await Promise.all([...this.#all.values()].map(({ executor }) => executor.close()))
    this.#all.clear()
  }

  #kept(node: NodeConfig): Kept | undefined {
    if (node.executor === 'main') return undefined
    const key = this.#key(node)
    const known = this.#all.get(key)
    if (known !== undefined) return known
    const name = node.executor === 'worker' ? `worker ${node.name}` : node.executor
    const kept = {
      executor: new WorkerExecutor({ name, id: this.#freeId(), limits: this.#limits(node.executor) }, this.#services),
      ready: undefined,
    }
    this.#all.set(key, kept)
    return kept
  }

  /** An executor with other limits is another one. */
  #key(node: NodeConfig): string {
    const own = node.executor === 'worker' ? node.name : ''
    return JSON.stringify([node.executor, own, this.#limits(node.executor)])
  }

  #limits(name: string): ExecutorConfig {
    return (Object.hasOwn(this.#settings, name) ? this.#settings[name] : undefined) ?? executorDefaults
  }

  #freeId(): number {
    const used = new Set([...this.#ending, ...[...this.#all.values()].map(({ executor }) => executor.plan.id)])
    let id = 1
    while (used.has(id)) id++
    return id
  }
}
