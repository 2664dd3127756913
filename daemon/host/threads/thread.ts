// thread.ts: an executor on a worker thread, from inside: takes the orders of the main thread to its nodes. It has rings,
// a doorbell and a loop of its own; a turn of it needs nothing from the main thread.
import type { View } from '../../../shm/ring.js'
import { ownerOf } from '../../process/runtime.js'
import { NodeExecutor } from '../slots/executor.js'
import { pack, unpack } from './border.js'
import { framesOf } from './death.js'
import { LogCredit, type Order, type ThreadStart } from './executor-protocol.js'
import { type BindOrder, type Station, ThreadNode, type ThreadServices } from './thread-node.js'
import { ThreadPlaces } from './thread-places.js'

/** What is around a thread; tests give fakes. */
export interface ThreadSurroundings extends Pick<ThreadServices, 'now' | 'load' | 'post'> {
  readonly open: (...args: Parameters<typeof View.open>) => Pick<View, 'executor' | 'addSlot' | 'removeSlot' | 'close'>
  /** Ends the thread. */
  readonly leave: (code: number) => void
}

interface Attached extends Station {
  close(): void
}

/** The executor of this thread. */
export class ExecutorThread {
  readonly #around: ThreadSurroundings
  readonly #services: ThreadServices
  readonly #places: ThreadPlaces
  readonly #nodes = new Map<number, ThreadNode>()
  readonly #runs = new Map<number, ThreadNode>()
  #attached: Attached | undefined

  constructor(start: ThreadStart, around: ThreadSurroundings) {
    const { now, load, post } = around
    this.#around = around
    this.#places = new ThreadPlaces(post)
    const logs = { level: start.level, dropped: 0, credit: new LogCredit(start.credit), post }
    this.#services = { now, load, post, logs, places: this.#places }
  }

  /** Does what the main thread says. */
  obey(order: Order): void {
    switch (order.do) {
      case 'ping':
        this.#around.post({ say: 'pong' })
        break
      case 'attach':
        this.#attach(order)
        break
      case 'detach':
        this.#detach(order.reason)
        break
      case 'bind':
        this.#bind(order)
        break
      case 'adjust':
        this.#nodes.get(order.tenancy)?.adjust(order.config)
        break
      case 'shut':
        this.#nodes.get(order.tenancy)?.shut()
        break
      case 'unbind':
        void this.#unbind(order.tenancy)
        break
      case 'start':
        void this.#start(order.tenancy, order.run)
        break
      case 'close':
      case 'destroy':
        this.#runs.get(order.run)?.[order.do](order.run)
        break
      case 'fail':
        this.#runs.get(order.run)?.fail(order.run, unpack(order.error))
        break
      case 'place':
        this.#places.tell(order.name, order.target)
        break
      case 'arrived':
        this.#places.arrived(order.ask, order.target)
        break
      case 'unreachable':
        this.#places.unreachable(order.ask, order.code, order.text)
        break
      case 'level':
        this.#services.logs.level = order.level
        break
      case 'end':
        this.#end()
        break
      default:
        order satisfies never
    }
  }

  /**
   * An error that nobody caught. It is that of a node if that is known, or if the thread has no other one; then that
   * node fails.
   */
  uncaught(error: unknown, how: 'exception' | 'rejection'): void {
    const { owner, node } = this.#whose(error)
    const living = node?.living
    if (living !== undefined) {
      living.runtime.fail(error)
      this.#around.post({ say: 'blamed', run: living.id, error: pack(error) })
    } else if (owner === undefined && (how === 'exception' || node === undefined)) {
      this.#around.post({ say: 'stray', how, error: pack(error) })
      if (how === 'exception') this.#around.leave(1)
    }
  }

  /** Code of a node calls process.exit. */
  exiting(code: number): void {
    const error = new Error('process.exit')
    const { node } = this.#whose(error)
    this.#around.post({ say: 'exiting', code, run: node?.living?.id, stack: framesOf(error) })
  }

  /** The node of which an error is: that of its owner, if that is known, or the only one there is. */
  #whose(error: unknown): { readonly owner: ReturnType<typeof ownerOf>; readonly node: ThreadNode | undefined } {
    const owner = ownerOf(error)
    const all = [...this.#nodes.values()]
    const alone = all.length === 1 ? all[0] : undefined
    return { owner, node: owner === undefined ? alone : all.find(one => one.runOf(owner) !== undefined) }
  }

  #attach({ executor: shared, maxEvent, spin }: Extract<Order, { do: 'attach' }>): void {
    const broken = (why: unknown) => {
      if (this.#attached !== attached) return
      const text = why instanceof Error ? why.message : String(why)
      this.#detach(text)
      this.#around.post({ say: 'broken', text })
    }
    let attached: Attached | undefined
    try {
      let view: ReturnType<ThreadSurroundings['open']> | undefined
      const open = (onWake: (count: number) => void) => {
        view = this.#around.open(shared, onWake, broken, { spin })
        return view.executor
      }
      const executor = new NodeExecutor(open, maxEvent, broken)
      const { addSlot, removeSlot, close } = view!
      attached = {
        executor,
        addSlot: addSlot.bind(view),
        removeSlot: removeSlot.bind(view),
        close: close.bind(view),
      }
      this.#attached = attached
    } catch (error) {
      // An attachment that ended before its executor came here is no fault: the main thread says so next.
      if (!(error instanceof Error && 'code' in error && error.code === 'GONE')) broken(error)
    }
  }

  #detach(reason: string): void {
    const attached = this.#attached
    this.#attached = undefined
    this.#places.clear()
    for (const node of this.#nodes.values()) node.detach(reason)
    attached?.executor.detach()
    attached?.close()
  }

  #bind(order: BindOrder): void {
    for (const [name, target] of order.peers) this.#places.tell(name, target)
    this.#nodes.set(order.tenancy, new ThreadNode(order, this.#attached, this.#services))
  }

  async #unbind(tenancy: number): Promise<void> {
    const node = this.#nodes.get(tenancy)
    this.#nodes.delete(tenancy)
    await node?.unbind().catch(() => {})
    this.#around.post({ say: 'unbound', tenancy })
  }

  async #start(tenancy: number, run: number): Promise<void> {
    const node = this.#nodes.get(tenancy)
    if (node === undefined) return
    this.#runs.set(run, node)
    await node.start(run)
    this.#runs.delete(run)
  }

  /** What the nodes did last is published at the end of this turn. */
  #end(): void {
    setImmediate(() => {
      this.#detach('the daemon is stopping')
      this.#around.leave(0)
    })
  }
}
