// fake-ring.ts: an executor's rings in memory, with a host behind them that a test drives by hand.
import { NodeExecutor, type Ring } from '../../daemon/host/slots/executor.js'
import { flags, kinds, record } from '../../shm/ring.js'

const little = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1

export interface FakeEvent {
  readonly kind?: keyof typeof kinds
  readonly code?: number
  readonly payload?: Uint8Array
  readonly seq?: bigint
  readonly timeNs?: bigint
  readonly redelivered?: boolean
  readonly attempts?: number
  readonly answer?: number
}

export interface Command {
  readonly slot: number
  readonly op: string
  readonly call: number
  readonly args: readonly unknown[]
}

/** A record as the ring gives it: head, payload, fill. */
export function encode(event: FakeEvent & { status?: number; more?: boolean }): Uint8Array {
  const payload = event.payload ?? new Uint8Array(0)
  const size = record.bytes + payload.length
  const bytes = new Uint8Array((size + 7) & ~7)
  const view = new DataView(bytes.buffer)
  view.setUint32(record.size, size, little)
  view.setUint8(record.kind, kinds[event.kind ?? 'event'])
  view.setUint8(record.flags, (event.redelivered ? flags.redelivered : 0) | (event.more ? flags.more : 0))
  view.setUint16(record.attempts, event.attempts ?? 0, little)
  view.setUint32(record.type, event.status ?? event.code ?? 1, little)
  view.setUint32(record.answer, event.answer ?? 0, little)
  view.setBigUint64(record.seq, event.seq ?? 0n, little)
  view.setBigUint64(record.time, event.timeNs ?? 0n, little)
  bytes.set(payload, record.bytes)
  return bytes
}

class FakeSlot {
  /** All events ever; those from `copied` on are not copied yet. */
  readonly queued: Uint8Array[] = []
  replies: Uint8Array[] = []
  copied = 0
  handed = 0
  /** Handed over and done with: released by the next flush. */
  done = 0
  released = 0
  deadline = Number.POSITIVE_INFINITY
}

/** The rings; `room` commands fit until the test takes some. */
export class FakeRing implements Ring {
  readonly slots = new Uint32Array(4096)
  readonly commands: Command[] = []
  /** What happened, in order: `take 3 1`, `release 3`, `count 3 0 2`, `flush`, ... */
  readonly trace: string[] = []
  room = Number.POSITIVE_INFINITY
  broken: Error | undefined
  wake: (count: number) => void = () => {}
  readonly #slots = new Map<number, FakeSlot>()

  slot(slot: number): FakeSlot {
    const found = this.#slots.get(slot) ?? new FakeSlot()
    this.#slots.set(slot, found)
    return found
  }

  /** Puts events into the ring of `slot`. Ring the bell with `ready`. */
  put(slot: number, ...events: FakeEvent[]): void {
    this.slot(slot).queued.push(...events.map(encode))
  }

  /** Answers call `call`. */
  reply(slot: number, call: number, status: number, payload = new Uint8Array(0), more = false): void {
    this.slot(slot).replies.push(encode({ kind: 'outcome', status, seq: BigInt(call), payload, more }))
  }

  /** Rings for these slots. */
  ready(...slots: number[]): void {
    this.slots.set(slots)
    this.wake(slots.length)
  }

  drain(slot: number, into: Uint8Array, at: number): number {
    if (this.broken !== undefined) throw this.broken
    const own = this.slot(slot)
    let end = at
    for (let next = own.queued[own.copied]; next !== undefined && next.length <= into.length - end; ) {
      into.set(next, end)
      end += next.length
      next = own.queued[++own.copied]
    }
    return end - at
  }

  take(slot: number, n: number): void {
    const own = this.slot(slot)
    if (own.handed + n > own.copied) throw new Error(`took ${n} with ${own.copied - own.handed} copied`)
    own.done = own.handed
    own.handed += n
    this.trace.push(`take ${slot} ${n}`)
  }

  release(slot: number): void {
    const own = this.slot(slot)
    own.released = own.done = own.handed
    this.trace.push(`release ${slot}`)
  }

  replies(slot: number, into: Uint8Array, at: number): number {
    const { replies } = this.slot(slot)
    let end = at
    while (replies[0] !== undefined && replies[0].length <= into.length - end) {
      into.set(replies[0], end)
      end += replies.shift()!.length
    }
    return end - at
  }

  count(slot: number, counter: number, by: number): boolean {
    return this.#push(slot, 'count', 0, counter, by)
  }

  enqueue(slot: number, call: number, ...args: [number, number, number, number, Uint8Array]): boolean {
    return this.#push(slot, 'enqueue', call, ...args)
  }

  cli(slot: number, call: number, command: string): boolean {
    if (command === '') throw new RangeError('command must have 1 to 65536 bytes and no NUL')
    return this.#push(slot, 'cli', call, command)
  }

  signal(slot: number, call: number, ...args: [string, bigint, bigint]): boolean {
    return this.#push(slot, 'signal', call, ...args)
  }

  send(slot: number, call: number, ...args: [number, number, number, Uint8Array, number?]): boolean {
    return this.#push(slot, 'send', call, ...args)
  }

  answer(slot: number, ...args: [number, number, Uint8Array]): boolean {
    return this.#push(slot, 'answer', 0, ...args)
  }

  deadline(slot: number, at: number): void {
    this.slot(slot).deadline = at
    this.trace.push(`deadline ${slot} ${at}`)
  }

  flush(): void {
    for (const slot of this.#slots.values()) slot.released = Math.max(slot.released, slot.done)
    this.trace.push('flush')
  }

  /** The commands so far, and forgets them. */
  taken(): Command[] {
    return this.commands.splice(0)
  }

  #push(slot: number, op: string, call: number, ...args: unknown[]): boolean {
    if (this.broken !== undefined) throw this.broken
    if (this.commands.length >= this.room) return false
    this.commands.push({ slot, op, call, args })
    this.trace.push([op, slot, ...args.filter(arg => typeof arg === 'number')].join(' '))
    return true
  }
}

/** A ring and an executor on it. `faults`: what the executor told its owner. */
export function fakeExecutor(maxEvent = 4096): { ring: FakeRing; executor: NodeExecutor; faults: unknown[] } {
  const ring = new FakeRing()
  const faults: unknown[] = []
  const open = (onWake: (count: number) => void): Ring => {
    ring.wake = onWake
    return ring
  }
  return { ring, executor: new NodeExecutor(open, maxEvent, error => faults.push(error)), faults }
}

/** The end of this turn of the loop, and of all its ticks and microtasks. */
export function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
