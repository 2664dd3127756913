// thread-node.ts: a node of a worker thread during one registration: its module, its binding, its coroutine.
import { discardShared, type SharedSlot } from '../../../shm/ring.js'
import type { NodeConfig } from '../../config/load.js'
import type { RunResult } from '../../process/runtime.js'
import { Lives } from '../lives.js'
import type { LoadedNode } from '../modules/loader.js'
import { matcher } from '../pattern.js'
import { bindNode } from '../slots/bind.js'
import type { NodeBinding, Place } from '../slots/binding.js'
import { NodeCounts } from '../slots/counts.js'
import type { Places } from '../slots/directory.js'
import type { NodeExecutor } from '../slots/executor.js'
import type { Runtime } from '../supervisor.js'
import { pack } from './border.js'
import type { Order, Report } from './executor-protocol.js'
import { ThreadLog, type ThreadLogs } from './thread-log.js'

export type BindOrder = Extract<Order, { do: 'bind' }>

/** The executor of the thread in one attachment. */
export interface Station {
  readonly executor: NodeExecutor
  addSlot(slot: SharedSlot): void
  removeSlot(slot: number): void
}

/** What the nodes of a thread have in common. */
export interface ThreadServices {
  /** CLOCK_MONOTONIC milliseconds. */
  readonly now: () => number
  readonly logs: ThreadLogs
  readonly places: Places
  /** Imports and checks a node. */
  readonly load: (config: NodeConfig, url: string) => Promise<LoadedNode>
  readonly post: (report: Report) => void
}

const stopped = { how: 'stopped' } as const

/** One tenancy. */
export class ThreadNode {
  readonly #order: BindOrder
  readonly #services: ThreadServices
  readonly #station: Station | undefined
  readonly #log: ThreadLog
  readonly #ready: Promise<void>
  #wanted: (name: string) => boolean
  #binding: NodeBinding | undefined
  #fault: unknown
  #gone: string | undefined
  #run: { readonly id: number; runtime: Runtime | undefined; over: boolean } | undefined

  /** `station`: undefined if the attachment has ended already. */
  constructor(order: BindOrder, station: Station | undefined, services: ThreadServices) {
    this.#order = order
    this.#services = services
    this.#station = station
    this.#log = new ThreadLog(order.tenancy, services.logs)
    this.#wanted = matcher(order.config.interfaces)
    this.#ready = this.#bind()
  }

  /** Its run, if `runtime` is that. */
  runOf(runtime: unknown): number | undefined {
    return this.#run?.runtime === runtime ? this.#run?.id : undefined
  }

  /** Its coroutine that lives, if there is one. */
  get living(): { readonly id: number; readonly runtime: Runtime } | undefined {
    const run = this.#run
    return run?.runtime === undefined || run.over ? undefined : { id: run.id, runtime: run.runtime }
  }

  adjust(config: NodeConfig): void {
    this.#wanted = matcher(config.interfaces)
  }

  shut(): void {
    this.#binding?.close()
  }

  /** Runs a coroutine as soon as the module is there. */
  async start(id: number): Promise<void> {
    const run = { id, runtime: undefined as Runtime | undefined, over: false }
    this.#run = run
    await this.#ready
    if (this.#fault !== undefined) this.#ended(run, { how: 'failed', error: this.#fault })
    else if (this.#binding === undefined || this.#gone !== undefined) this.#ended(run, stopped)
    if (run.over) return
    const binding = this.#binding!
    run.runtime = binding.runtime()
    const result = await run.runtime.run()
    binding.settle(result)
    this.#ended(run, result)
  }

  /** A run that has not begun never does. */
  close(id: number): void {
    this.#of(id, runtime => runtime.close())
  }

  destroy(id: number): void {
    this.#of(id, runtime => runtime.destroy())
  }

  fail(id: number, error: unknown): void {
    this.#of(id, runtime => runtime.fail(error))
  }

  /** The host is gone. */
  detach(reason: string): void {
    this.#gone ??= reason
    this.#binding?.detach(reason)
  }

  /** Lets go of the slot: what was done on it is published, nothing is done any more. */
  async unbind(): Promise<void> {
    if (this.#binding !== undefined && this.#gone === undefined) await this.#binding.remove('keep')
    this.#gone ??= 'the node was removed'
    discardShared(this.#order.slot)
  }

  async #bind(): Promise<void> {
    const { config, url, counts, place, slot } = this.#order
    const station = this.#station
    try {
      const loaded = await this.#services.load(config, url)
      if (station === undefined || this.#gone !== undefined) return
      const { now, places } = this.#services
      const tenant = {
        loaded,
        lives: new Lives(loaded, this.#log),
        log: this.#log,
        counts: new NodeCounts(counts),
        wanted: (name: string) => this.#wanted(name),
      }
      this.#binding = bindNode(tenant, place, station.executor, {
        now,
        directory: places,
        close: () => Promise.reject(new Error('only the main thread closes a node to its senders')),
        remove: async ({ slot: number }: Place) => {
          station.executor.unbind(number)
          station.removeSlot(number)
          return 0
        },
      })
      station.addSlot(slot)
    } catch (error) {
      this.#fault = error
    }
  }

  #of(id: number, tell: (runtime: Runtime) => void): void {
    const run = this.#run
    if (run === undefined || run.id !== id || run.over) return
    if (run.runtime === undefined) this.#ended(run, stopped)
    else tell(run.runtime)
  }

  #ended(run: { readonly id: number; over: boolean }, result: RunResult): void {
    if (run.over) return
    run.over = true
    const { how } = result
    const error = how === 'failed' ? { error: pack(result.error) } : {}
    this.#services.post({ say: 'ended', run: run.id, how, ...error, closed: this.#binding?.ended === true })
  }
}
