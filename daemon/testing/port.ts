// port.ts: a node's surroundings in memory: a queue that a test fills, a book of the commands, a clock that stands.

import { CallEvent } from '../message/call.js'
import type { AnyEvent } from '../message/message.js'
import type { CompiledNode } from '../process/define.js'
import type { Log } from '../process/node.js'
import type { NodePort } from '../process/port.js'
import type { ScriptedCli } from './cli.js'
import type { VirtualClock } from './clock.js'
import { CommandBook } from './commands.js'
import { type LogLine, logInto } from './log.js'
import { peerEvent, type ScriptedPeers } from './peers.js'
import { OpenCalls } from './questions.js'
import type { TakeSignal } from './signals.js'
import type { SpinGuard } from './spin.js'

/** What a port is made of. */
export interface PortParts {
  readonly name: string
  readonly options: unknown
  readonly clock: VirtualClock
  readonly cli: ScriptedCli
  readonly others: ScriptedPeers
  readonly compiled: CompiledNode
  readonly guard: SpinGuard
  readonly late: (deadline: number, now: number) => number
}

/** Milliseconds. */
const justBefore = 0.001

/** Delivers at least once, as a host does: what is in hand when a life of the node ends can be delivered again. */
export class MemoryPort implements NodePort<AnyEvent> {
  readonly name: string
  readonly options: unknown
  readonly log: Log
  readonly peers: readonly string[]
  readonly logs: LogLine[] = []
  readonly book: CommandBook
  readonly calls = new OpenCalls()
  /** When the runtime is to be woken for its nearest deadline. */
  get nearest(): number {
    return this.#nearest
  }
  /** What the host does with a signal to a process node. */
  signalled: TakeSignal = async () => {}
  /** Results that came when the node did not wait for them any more. */
  lateResults = 0
  /** Packets that the host has room for. */
  room = Number.POSITIVE_INFINITY
  /** Whether the host takes the next packet. */
  admit: () => boolean = () => this.room >= 1
  readonly #parts: PortParts
  readonly #queue: AnyEvent[] = []
  #hand: readonly AnyEvent[] = []
  #closed = false
  // The nearest deadline, and when it is seen to have come.
  #deadline = Number.POSITIVE_INFINITY
  #nearest = Number.POSITIVE_INFINITY

  constructor(parts: PortParts) {
    this.name = parts.name
    this.options = parts.options
    this.#parts = parts
    this.peers = parts.compiled.peers.map(peer => peer.key)
    this.book = new CommandBook(parts.compiled)
    this.log = logInto(this.logs, () => parts.clock.now)
  }

  // ---- what the kit does

  /** Events that wait. */
  get queued(): number {
    return this.#queue.length
  }

  /** Events that the node has, and is not done with. */
  get hand(): readonly AnyEvent[] {
    return this.#hand
  }

  put(events: readonly AnyEvent[]): void {
    this.#queue.push(...events)
  }

  close(): void {
    this.#closed = true
  }

  /** A life of the node is over: it answers no calls any more. */
  ended(): void {
    this.calls.died(this.#hand)
  }

  /** A new life begins: what the one before had in hand comes first, and marked; the inbox is open. */
  rewind(): void {
    this.#queue.unshift(...this.#hand.map(again))
    this.#hand = []
    this.#closed = false
    this.woken()
  }

  /** The runtime is woken for its nearest deadline. */
  woken(): void {
    this.#deadline = this.#nearest = Number.POSITIVE_INFINITY
  }

  // ---- what the runtime does

  now(checking = false): number {
    const { now } = this.#parts.clock
    // A timer that is late has not come, whoever looks.
    return checking && now >= this.#deadline && now < this.#nearest ? this.#deadline - justBefore : now
  }

  deadline(at: number): void {
    this.#deadline = at
    this.#nearest = at === Number.POSITIVE_INFINITY ? at : this.#parts.late(at, this.now())
  }

  take(): AnyEvent | undefined {
    this.#parts.guard.step()
    this.release()
    const event = this.#queue.shift()
    this.#hand = event === undefined ? [] : [event]
    return event
  }

  takeBatch(): readonly AnyEvent[] {
    this.#parts.guard.step()
    this.release()
    this.#hand = this.#queue.splice(0)
    return [...this.#hand]
  }

  release(): void {
    for (const event of this.#hand) this.calls.finished(event)
    this.#hand = []
  }

  closed(): boolean {
    return this.#closed
  }

  late(): void {
    this.lateResults++
  }

  count(counter: number, by: number): void {
    this.book.count(this.now(), counter, by)
  }

  enqueue(next: number, packet: Uint8Array, rx: number, tx: number, flags: number): boolean {
    const taken = this.admit()
    if (taken) this.room--
    this.book.enqueue(this.now(), next, packet, rx, tx, flags, taken)
    return taken
  }

  cli(command: string, signal: AbortSignal): Promise<string> {
    this.book.cli(this.now(), command)
    return this.#parts.cli.run(command, signal)
  }

  async signal(target: string, code: bigint, data: bigint): Promise<void> {
    this.book.signal(this.now(), target, code, data)
    await this.signalled(target)
  }

  send(peer: number, code: number, bytes: Uint8Array, signal: AbortSignal): Promise<bigint> {
    const event = peerEvent(this.#parts.compiled.peers[peer]!, code, bytes)
    this.book.peer(this.now(), 'send', event)
    return this.#parts.others.send(event, signal)
  }

  async ask(peer: number, code: number, bytes: Uint8Array, _ms: number, signal: AbortSignal): Promise<Uint8Array> {
    const compiled = this.#parts.compiled.peers[peer]!
    const event = peerEvent(compiled, code, bytes)
    this.book.peer(this.now(), 'call', event)
    return compiled.table.encodeReply(event.type, await this.#parts.others.ask(event, signal))
  }
}

function again(event: AnyEvent): AnyEvent {
  const attempts = event.attempts + 1
  if (event instanceof CallEvent) return event.again(attempts) as AnyEvent
  return { ...event, redelivered: true, attempts }
}
