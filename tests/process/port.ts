// port.ts: a node's surroundings in memory: a clock that stands until a test moves it, events that a test puts in, and a
// record of everything the runtime asked for.
import type { AnyEvent } from '../../daemon/message/message.js'
import { processNode } from '../../daemon/process/define.js'
import type { Log, ProcessContext, ProcessNode, Vm } from '../../daemon/process/node.js'
import type { NodePort } from '../../daemon/process/port.js'
import { NodeRuntime, type RunResult } from '../../daemon/process/runtime.js'

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} }

export class TestPort implements NodePort<AnyEvent> {
  readonly name: string = 'test'
  options: unknown = {}
  readonly log = silent
  time = 1000
  /** What the host was told last, and everything it was told. */
  nearest = Number.POSITIVE_INFINITY
  readonly deadlines: number[] = []
  /** Sequence numbers, in the order in which they were released. */
  readonly released: number[] = []
  readonly counted: [number, number][] = []
  readonly packets: {
    next: number
    packet: Uint8Array
    rx: number
    tx: number
    flags: number
  }[] = []
  room = true
  /** Results that came late. */
  lates = 0
  /** What `cli` does. */
  answer: (command: string, signal: AbortSignal) => Promise<string> = async command => `${command}: done`
  readonly #queue: AnyEvent[] = []
  #hand: AnyEvent[] = []
  #closed = false
  #seq = 0

  /** Adds an event; the runtime is not told. */
  put(type: string, fields: object = {}): AnyEvent {
    const event = {
      type,
      seq: BigInt(++this.#seq),
      time: this.time,
      redelivered: false,
      attempts: 0,
      ...fields,
    }
    this.#queue.push(event)
    return event
  }

  /** Adds an event as it is; the runtime is not told. */
  give(event: AnyEvent): void {
    this.#queue.push(event)
  }

  /** No more will be put. */
  end(): void {
    this.#closed = true
  }

  /** Events that wait. */
  get queued(): number {
    return this.#queue.length
  }

  now(): number {
    return this.time
  }

  deadline(at: number): void {
    this.nearest = at
    this.deadlines.push(at)
  }

  take(): AnyEvent | undefined {
    this.release()
    const event = this.#queue.shift()
    if (event !== undefined) this.#hand = [event]
    return event
  }

  takeBatch(): AnyEvent[] {
    this.release()
    this.#hand = this.#queue.splice(0)
    return [...this.#hand]
  }

  release(): void {
    for (const event of this.#hand) this.released.push(Number(event.seq))
    this.#hand = []
  }

  closed(): boolean {
    return this.#closed
  }

  late(): void {
    this.lates++
  }

  count(counter: number, by: number): void {
    this.counted.push([counter, by])
  }

  enqueue(next: number, packet: Uint8Array, rx: number, tx: number, flags: number): boolean {
    if (this.room) this.packets.push({ next, packet: packet.slice(), rx, tx, flags })
    return this.room
  }

  cli(command: string, signal: AbortSignal): Promise<string> {
    return this.answer(command, signal)
  }

  /** Signals to process nodes of the host, and what becomes of them. */
  readonly signals: [string, bigint, bigint][] = []
  signalled: () => Promise<void> = async () => {}

  signal(target: string, code: bigint, data: bigint): Promise<void> {
    this.signals.push([target, code, data])
    return this.signalled()
  }

  peers: readonly string[] = ['a', 'b']
  /** Everything that was sent to peers; `ms` 0: nobody waits for an answer. */
  readonly sent: { peer: number; code: number; event: Uint8Array; ms: number; signal: AbortSignal }[] = []
  /** What `ask` does. */
  peer: (code: number, event: Uint8Array, signal: AbortSignal) => Promise<Uint8Array> = async () => new Uint8Array(0)

  async send(peer: number, code: number, event: Uint8Array, signal: AbortSignal): Promise<bigint> {
    this.sent.push({ peer, code, event, ms: 0, signal })
    return BigInt(this.sent.length)
  }

  ask(peer: number, code: number, event: Uint8Array, ms: number, signal: AbortSignal): Promise<Uint8Array> {
    this.sent.push({ peer, code, event, ms, signal })
    return this.peer(code, event, signal)
  }
}

/** The `node` of a coroutine in these tests. */
export type TestContext = ProcessContext<
  Record<never, never>,
  never,
  never,
  undefined,
  Readonly<Record<string, unknown>>
>

/** One life of a node on a port in memory. */
export class TestNode {
  readonly port: TestPort
  readonly runtime: NodeRuntime
  readonly ended: Promise<RunResult>
  /** How it ended; undefined: it runs. */
  result: RunResult | undefined

  constructor(definition: ProcessNode, port = new TestPort()) {
    this.port = port
    this.runtime = new NodeRuntime(definition, port)
    this.ended = this.runtime.run().then(result => {
      this.result = result
      return result
    })
  }

  /** An event comes, and the runtime is told. */
  send(type: string, fields: object = {}): void {
    this.port.put(type, fields)
    this.runtime.ready()
  }

  /** The inbox is closed, and the runtime is told. */
  close(): void {
    this.port.end()
    this.runtime.ready()
  }

  /** Time passes as the host would have it: it wakes the node at each deadline on the way. */
  async pass(ms: number): Promise<void> {
    const end = this.port.time + ms
    await settle()
    while (this.port.nearest <= end) {
      this.port.time = Math.max(this.port.time, this.port.nearest)
      this.runtime.tick()
      await settle()
    }
    this.port.time = end
  }
}

/** Starts a coroutine, but not before the caller has its node in hand. */
export function start(run: (vm: Vm, node: TestContext) => Promise<void>, port?: TestPort): TestNode {
  const definition = processNode({
    async run(vm, node) {
      await Promise.resolve()
      await run(vm, node)
    },
  })
  return new TestNode(definition, port)
}

/** Runs a coroutine that ends by itself; throws what it threw. */
export async function finish(run: (vm: Vm, node: TestContext) => Promise<void>, port?: TestPort): Promise<TestNode> {
  const node = start(run, port)
  const result = await node.ended
  if (result.how === 'failed') throw result.error
  return node
}

/** Everything that can go on without time or events has gone on. */
export function settle(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
