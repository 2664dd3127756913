// executor.ts: one thread that runs coroutines: takes the doorbell's wakes to the slots that are ready, and sends what
// they did back to the host, once per turn of the loop. It knows no node, only slots.
import type { Executor } from '../../../shm/ring.js'
import { Slab, Slabs } from './slab.js'

/** What an executor needs of shm/ring.ts; tests give a fake. */
export type Ring = Omit<Executor, 'close'>

/** The owner of a slot. */
export interface Client {
  /** The slot may have events, outcomes or room, or its deadline may have come. Runs no user code, never throws. */
  wake(): void
  /** Push what was held back for the end of the turn. Never throws. */
  flush(): void
}

/** Replies are copied here: more than half of any reply ring that registration asks for. */
const scratchBytes = 64 * 1024
const recordHead = 32

/** Binds slots to their owners. On the main thread now; nothing here depends on that. */
export class NodeExecutor {
  readonly ring: Ring
  /** For replies; what is in it is valid until the next copy. */
  readonly scratch = new Slab(scratchBytes)
  readonly #slabs: Slabs
  readonly #clients: (Client | undefined)[] = []
  readonly #broken: (error: unknown) => void
  readonly #turnEnd = () => this.#settle()
  readonly #nextTurn = () => this.#goOn()
  #dirty: Client[] = []
  #spare: Client[] = []
  #scheduled = false
  #again: number[] = []
  #dead = false

  /**
   * `open` opens the ring with the function to call on a wake. `maxEvent`: payload bytes of the largest event.
   * `broken` is told when the host broke the contract; the attachment must end then.
   */
  constructor(open: (onWake: (count: number) => void) => Ring, maxEvent: number, broken: (error: unknown) => void) {
    this.#slabs = new Slabs((recordHead + maxEvent + 7) & ~7)
    this.#broken = broken
    this.ring = open(count => this.#wake(count))
  }

  bind(slot: number, client: Client): void {
    this.#clients[slot] = client
  }

  unbind(slot: number): void {
    this.#clients[slot] = undefined
  }

  /** `client.flush` will be called at the end of this turn, and the host rung after it. */
  dirty(client: Client): void {
    this.#dirty.push(client)
    if (this.#scheduled) return
    this.#scheduled = true
    // A tick, not a microtask: it runs when all coroutines that this wake resumed have suspended again.
    process.nextTick(this.#turnEnd)
  }

  /** The owner of `slot` will be woken again after the loop had a turn: its budget is used up. */
  again(slot: number): void {
    if (this.#again.push(slot) === 1) setImmediate(this.#nextTurn)
  }

  /** Memory for records of a drain; the caller moves `used` and counts as a holder until it drops the slab. */
  slab(): Slab {
    return this.#slabs.current()
  }

  drop(slab: Slab): void {
    this.#slabs.drop(slab)
  }

  /** A ring call threw: tells the owner of the attachment, once, and not before the caller has returned. */
  fault(error: unknown): void {
    if (this.#dead) return
    this.#dead = true
    process.nextTick(this.#broken, error)
  }

  /** The attachment is gone: no ring call any more. */
  detach(): void {
    this.#dead = true
    this.#clients.length = 0
    this.#dirty.length = 0
    this.#again.length = 0
  }

  #wake(count: number): void {
    const { slots } = this.ring
    for (let i = 0; i < count && !this.#dead; i++) this.#clients[slots[i]!]?.wake()
  }

  #goOn(): void {
    const again = this.#again
    this.#again = []
    for (const slot of again) if (!this.#dead) this.#clients[slot]?.wake()
  }

  #settle(): void {
    this.#scheduled = false
    if (this.#dead) return
    const dirty = this.#dirty
    this.#dirty = this.#spare
    for (const client of dirty) client.flush()
    dirty.length = 0
    this.#spare = dirty
    try {
      this.ring.flush()
    } catch (error) {
      this.fault(error)
    }
  }
}
