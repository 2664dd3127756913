// worker-binding.ts: a node's registration on the executor of another thread, as its supervisor sees it: what is asked of
// it is posted, what the thread answered is remembered.
import type { Leave } from '../../../shm/ring.js'
import type { RunResult } from '../../process/runtime.js'
import type { Tenant } from '../slots/bind.js'
import type { Place } from '../slots/binding.js'
import type { Binding, Runtime, Supervisor } from '../supervisor.js'
import { pack, unpack } from './border.js'
import type { Order, Report } from './executor-protocol.js'

/** What a binding needs of its executor and of the host. */
export interface WorkerBindingWays {
  /** Posts to the thread, or keeps it for the next one. */
  readonly post: (order: Order) => void
  readonly newRun: (runtime: WorkerRuntime) => number
  /** Lets go of the slot; resolves when no thread has it any more. */
  readonly unbind: () => Promise<void>
  /** Its coroutine does not end: ends the executor. */
  readonly abandon: (error: Error) => void
  readonly close: (place: Place) => Promise<void>
  readonly remove: (place: Place, how: Leave) => Promise<number>
}

/** One tenancy, on the main thread. */
export class WorkerBinding implements Binding {
  readonly tenancy: number
  readonly tenant: Tenant
  readonly place: Place
  /** Whom to tell when the executor dies. */
  readonly supervisor: Pick<Supervisor, 'evict' | 'blame'>
  readonly #ways: WorkerBindingWays
  /** The inbox had come to its end when the last coroutine ended. */
  ended = false

  constructor(
    tenancy: number,
    tenant: Tenant,
    place: Place,
    supervisor: Pick<Supervisor, 'evict' | 'blame'>,
    ways: WorkerBindingWays,
  ) {
    this.tenancy = tenancy
    this.tenant = tenant
    this.place = place
    this.supervisor = supervisor
    this.#ways = ways
  }

  get slot(): number {
    return this.place.slot
  }

  get index(): number {
    return this.place.node
  }

  runtime(): WorkerRuntime {
    return new WorkerRuntime(this, this.#ways)
  }

  /** The thread has done it when it said that the coroutine ended. */
  settle(): void {}

  abandon(error: Error): boolean {
    this.#ways.abandon(error)
    return true
  }

  close(): void {
    this.#ways.post({ do: 'shut', tenancy: this.tenancy })
  }

  finish(): Promise<void> {
    return this.#ways.close(this.place)
  }

  async remove(how: Leave): Promise<number> {
    await this.#ways.unbind()
    return this.#ways.remove(this.place, how)
  }

  /** The host is gone: the executor has told its thread. */
  detach(): void {}
}

/** One life of a coroutine on another thread. */
export class WorkerRuntime implements Runtime {
  readonly binding: WorkerBinding
  readonly run: () => Promise<RunResult>
  readonly #ways: WorkerBindingWays
  readonly #id: number
  #resolve: (result: RunResult) => void = () => {}
  #blamed = false

  constructor(binding: WorkerBinding, ways: WorkerBindingWays) {
    this.binding = binding
    this.#ways = ways
    this.#id = ways.newRun(this)
    this.run = () => this.#run()
  }

  /** If the thread dies before, nothing is heard of it any more; the supervisor is told in another way. */
  #run(): Promise<RunResult> {
    return new Promise(resolve => {
      this.#resolve = resolve
      this.#ways.post({ do: 'start', tenancy: this.binding.tenancy, run: this.#id })
    })
  }

  /** The doorbell rings in the thread. */
  ready(): void {}

  tick(): void {}

  close(): void {
    this.#ways.post({ do: 'close', run: this.#id })
  }

  destroy(): void {
    this.#ways.post({ do: 'destroy', run: this.#id })
  }

  fail(error: unknown): void {
    if (!this.#blamed) this.#ways.post({ do: 'fail', run: this.#id, error: pack(error) })
  }

  /** The thread has failed it by itself. */
  blamed(error: unknown): void {
    this.#blamed = true
    this.binding.supervisor.blame(this, error)
  }

  ended({ how, error, closed }: Extract<Report, { say: 'ended' }>): void {
    this.binding.ended = closed
    this.#resolve(how === 'failed' ? { how, error: error && unpack(error) } : { how })
  }
}
