// peer.ts: a daemon without a coroutine: attaches to a host over shm/ring.ts, keeps every event it is handed, and gives
// each command's outcome. For what a test must see exactly as the host said it.
import {
  type Executor,
  type HostMessage,
  kinds,
  type Leave,
  Link,
  type NodeAsk,
  now,
  record,
  statusOf,
} from '../../shm/ring.js'
import { waitFor } from '../support/wait.js'

/** An event as it crossed. */
export interface PeerEvent {
  readonly kind: number
  readonly type: number
  readonly seq: bigint
  /** CLOCK_MONOTONIC milliseconds at which the host took it. */
  readonly time: number
  readonly flags: number
  readonly payload: Buffer
}

/** How a command ended. */
export interface Outcome {
  readonly status: string
  readonly bytes: Buffer
}

type Answer = Extract<HostMessage, { call: number }>
type NodeAnswer = Extract<HostMessage, { kind: 'node' }>

/** A node of this peer. */
export class PeerNode {
  readonly events: PeerEvent[] = []
  /** Called for each event instead of keeping it. */
  onEvent: ((event: PeerEvent) => void) | undefined
  readonly #peer: Peer
  readonly answer: NodeAnswer

  constructor(peer: Peer, answer: NodeAnswer) {
    this.#peer = peer
    this.answer = answer
  }

  get slot(): number {
    return this.answer.slot
  }

  /** VPP's index of the process node. */
  get index(): number {
    return this.answer.node
  }

  /** Waits until `n` events are there, and gives all. */
  async got(n: number, ms?: number): Promise<readonly PeerEvent[]> {
    await waitFor(
      `${n} events, got ${this.events.length}`,
      () => this.events.length >= n,
      ms === undefined ? {} : { ms },
    )
    return this.events
  }

  enqueue(next: number, packet: Uint8Array, rx = 0xffffffff, tx = 0xffffffff, flags = 0): Promise<Outcome> {
    return this.#peer.command((e, call) => e.enqueue(this.slot, call, next, rx, tx, flags, packet))
  }

  cli(text: string): Promise<Outcome> {
    return this.#peer.command((e, call) => e.cli(this.slot, call, text))
  }

  signal(node: string, type: bigint, data: bigint): Promise<Outcome> {
    return this.#peer.command((e, call) => e.signal(this.slot, call, node, type, data))
  }

  count(counter: number, by: number): boolean {
    const done = this.#peer.executor.count(this.slot, counter, by)
    this.#peer.executor.flush()
    return done
  }
}

/** An attachment with one executor. */
export class Peer implements Disposable {
  readonly #link: Link
  readonly #asked = new Map<number, (answer: Answer) => void>()
  readonly #commands = new Map<bigint, { parts: Buffer[]; done: (outcome: Outcome) => void }>()
  readonly #nodes = new Map<number, PeerNode>()
  readonly #buffer = Buffer.alloc(1 << 20)
  #greeted: (message: HostMessage) => void = () => {}
  #executor: Executor | undefined
  #calls = 0
  /** Why the attachment ended, if it did. */
  ended: string | undefined

  private constructor(socket: string) {
    this.#link = Link.open(socket, {
      message: message => {
        if (message.kind === 'welcome' || message.kind === 'refused') this.#greeted(message)
        else this.#asked.get(message.call)?.(message)
      },
      closed: reason => {
        this.ended = reason
      },
    })
  }

  /** Connects, greets, opens executor 0. Throws what the host refuses with. */
  static async attach(socket: string): Promise<Peer> {
    const peer = new Peer(socket)
    const greeting = await new Promise<HostMessage>(resolve => {
      peer.#greeted = resolve
      peer.#link.hello('peer')
    })
    if (greeting.kind === 'refused') throw new Error(`${greeting.status}: ${greeting.text} (process ${greeting.pid})`)
    await peer.ask(call => peer.#link.addExecutor(call, 0))
    peer.#executor = peer.#link.executor(0, count => peer.#wake(count))
    return peer
  }

  get executor(): Executor {
    return this.#executor as Executor
  }

  get link(): Link {
    return this.#link
  }

  /** Asks the host and gives its answer; throws a refusal. */
  async ask(send: (call: number) => void): Promise<Answer> {
    const call = ++this.#calls
    const answer = await new Promise<Answer>(resolve => {
      this.#asked.set(call, resolve)
      send(call)
    })
    this.#asked.delete(call)
    if (answer.kind === 'failed') throw new Error(`${answer.status}: ${answer.text}`)
    return answer
  }

  /** Registers a node with some defaults. */
  async node(name: string, ask: Partial<NodeAsk> = {}): Promise<PeerNode> {
    const whole: NodeAsk = {
      name,
      executor: 0,
      overflow: 'reject',
      next: [],
      counters: [],
      codes: [{ code: 1, maxSize: 4096 }],
      ...ask,
    }
    const answer = await this.ask(call => this.#link.addNode(call, whole))
    const node = new PeerNode(this, answer as NodeAnswer)
    this.#nodes.set(node.slot, node)
    return node
  }

  /** Ends registration. */
  async ready(): Promise<Answer> {
    return this.ask(call => this.#link.ready(call))
  }

  /** Lets go of a node; gives how many events were discarded with it. */
  async remove(node: PeerNode, how: Leave = 'discard'): Promise<Answer> {
    const answer = await this.ask(call => this.#link.removeNode(call, node.slot, node.answer.generation, how))
    this.#nodes.delete(node.slot)
    return answer
  }

  /** Pushes a command, again and again while its ring is full, and gives its outcome. */
  async command(push: (executor: Executor, call: number) => boolean): Promise<Outcome> {
    const call = ++this.#calls
    const outcome = new Promise<Outcome>(done => this.#commands.set(BigInt(call), { parts: [], done }))
    await waitFor('room in the command ring', () => push(this.executor, call), { every: 1 })
    this.executor.flush()
    return outcome
  }

  #wake(count: number): void {
    for (let i = 0; i < count; i++) {
      const slot = this.executor.slots[i] as number
      this.#events(slot)
      this.#replies(slot)
    }
  }

  #events(slot: number): void {
    const node = this.#nodes.get(slot)
    for (let bytes = 1; bytes > 0; ) {
      bytes = this.executor.drain(slot, this.#buffer, 0)
      let n = 0
      for (let at = 0; at < bytes; n++) {
        const size = this.#buffer.readUInt32LE(at + record.size)
        const event: PeerEvent = {
          kind: this.#buffer.readUInt8(at + record.kind),
          flags: this.#buffer.readUInt8(at + record.flags),
          type: this.#buffer.readUInt32LE(at + record.type),
          seq: this.#buffer.readBigUInt64LE(at + record.seq),
          time: Number(this.#buffer.readBigUInt64LE(at + record.time)) / 1e6,
          payload: Buffer.from(this.#buffer.subarray(at + record.bytes, at + size)),
        }
        if (node?.onEvent) node.onEvent(event)
        else node?.events.push(event)
        at += (size + 7) & ~7
      }
      if (n > 0) {
        this.executor.take(slot, n)
        this.executor.release(slot)
      }
    }
  }

  #replies(slot: number): void {
    for (let bytes = 1; bytes > 0; ) {
      bytes = this.executor.replies(slot, this.#buffer, 0)
      for (let at = 0; at < bytes; ) {
        const size = this.#buffer.readUInt32LE(at + record.size)
        const seq = this.#buffer.readBigUInt64LE(at + record.seq)
        const command = this.#commands.get(seq)
        command?.parts.push(Buffer.from(this.#buffer.subarray(at + record.bytes, at + size)))
        if (command && (this.#buffer.readUInt8(at + record.flags) & 2) === 0) {
          this.#commands.delete(seq)
          const status = statusOf(this.#buffer.readUInt32LE(at + record.type)).name
          command.done({ status, bytes: Buffer.concat(command.parts) })
        }
        at += (size + 7) & ~7
      }
    }
  }

  /** Detaches, as a death would. */
  close(): void {
    this.#link.close()
  }

  [Symbol.dispose](): void {
    this.close()
  }
}

/** CLOCK_MONOTONIC milliseconds, as `time` of events. */
export { kinds, now }
