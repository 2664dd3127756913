// binding.ts: a node in one attachment: what its coroutine reaches of the host, and the host of it. Events come through
// inbox.ts; counts, packets and commands go out here.
import { type Leave, RingError, statuses, statusOf } from '../../../shm/ring.js'
import type { AnyEvent } from '../../message/message.js'
import { CliError, NodeStoppedError, UndeliveredError } from '../../process/errors.js'
import type { Log } from '../../process/node.js'
import type { NodePort } from '../../process/port.js'
import type { RunResult } from '../../process/runtime.js'
import type { LoadedNode } from '../modules/loader.js'
import type { Binding, Runtime } from '../supervisor.js'
import { Answers } from './answers.js'
import { Calls } from './calls.js'
import type { Places } from './directory.js'
import type { Client, NodeExecutor } from './executor.js'
import { Inbox, type InboxOptions } from './inbox.js'
import { NoOutcomeError } from './outcomes.js'
import { PeerSender } from './peers.js'

/** What registration said of the node. */
export interface Place {
  readonly slot: number
  readonly generation: number
  /** The host's index of the process node. */
  readonly node: number
}

export interface BindingServices {
  /** CLOCK_MONOTONIC milliseconds. */
  readonly now: () => number
  readonly log: Log
  readonly runtime: (port: NodePort<AnyEvent>) => Runtime
  readonly close: (place: Place) => Promise<void>
  readonly remove: (place: Place, how: Leave) => Promise<number>
  /** Where its peers are. */
  readonly directory: Places
}

/** The host may ring this much before a deadline, ms: it is asked for again then. */
const earlyMs = 0.05
const never = Number.POSITIVE_INFINITY
const cut = statuses.find(status => status.name === 'CUT')!.code

/** A node of the present attachment. */
export class NodeBinding implements Binding, Client, NodePort<AnyEvent> {
  readonly name: string
  readonly options: unknown
  readonly log: Log
  readonly codeUrl: string
  readonly peers: readonly string[]
  readonly #place: Place
  readonly #executor: NodeExecutor
  readonly #services: BindingServices
  readonly #inbox: Inbox
  readonly #calls: Calls
  readonly #answers: Answers
  readonly #sender: PeerSender
  readonly #counts: Float64Array
  readonly #lateResults: { late: number }
  #counted = false
  /** Those who wait for the counts to be in the ring. */
  readonly #unpaid: (() => void)[] = []
  #runtime: Runtime | undefined
  #deadline = never
  #published = never
  /** The executor will flush it at the end of the turn. */
  #dirty = false
  /** Why the host, or its node, is not there any more. */
  #gone: string | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(
    node: LoadedNode,
    place: Place,
    executor: NodeExecutor,
    inbox: Omit<InboxOptions, 'beforeRelease' | 'handedOver' | 'table' | 'atMostOnce' | 'answers'>,
    services: BindingServices,
  ) {
    this.name = node.config.name
    this.options = node.options
    this.log = services.log
    this.codeUrl = `${node.config.module}:`
    this.#place = place
    this.#executor = executor
    this.#services = services
    this.#counts = new Float64Array(node.counters.length)
    this.#lateResults = inbox.counts
    this.#calls = new Calls(
      executor,
      place.slot,
      () => this.#touch(),
      () => this.late(),
    )
    this.#answers = new Answers(executor, place.slot, this.#calls)
    this.peers = node.peers.map(peer => peer.node)
    this.#sender = new PeerSender(executor, place.slot, this.#calls, services.directory, this.peers)
    this.#inbox = new Inbox(executor, place.slot, {
      ...inbox,
      answers: this.#answers,
      table: node.table,
      atMostOnce: node.config.delivery === 'at-most-once',
      beforeRelease: () => this.#pushCounts(),
      handedOver: () => this.#touch(),
    })
    executor.bind(place.slot, this)
  }

  // ---- what the supervisor sees

  get slot(): number {
    return this.#place.slot
  }

  get index(): number {
    return this.#place.node
  }

  get ended(): boolean {
    return this.#inbox.ended
  }

  runtime(): Runtime {
    this.#deadline = never
    this.#runtime = this.#services.runtime(this)
    return this.#runtime
  }

  settle(result: RunResult): void {
    this.#runtime = undefined
    this.deadline(never)
    if (result.how === 'returned') this.#guard(() => this.#inbox.release())
    else if (result.how === 'failed') this.#guard(() => this.#inbox.rewind(result.error))
    this.#guard(() => this.#answers.died())
  }

  close(): void {
    this.#inbox.close()
  }

  finish(): Promise<void> {
    return this.#services.close(this.#place)
  }

  async remove(how: Leave): Promise<number> {
    // What it did last goes before, also counts that wait for room.
    this.flush()
    this.#guard(() => this.#executor.ring.flush())
    if (this.#counted && this.#gone === undefined) await new Promise<void>(resolve => this.#unpaid.push(resolve))
    const removed = this.#services.remove(this.#place, how)
    this.#leave('the node was removed')
    return removed
  }

  /** The attachment is gone: the inbox is at its end, commands go nowhere, calls fail with `reason`. */
  detach(reason: string): void {
    this.#leave(reason)
    this.#alarm()
  }

  // ---- what the executor sees

  wake(): void {
    if (this.#gone !== undefined) return
    try {
      this.#calls.wake()
      if (this.#counted) this.#touch()
      this.#inbox.wake()
      this.#runtime?.ready()
      if (this.#deadline !== never) this.#tick()
    } catch (error) {
      this.#executor.fault(error)
    }
  }

  flush(): void {
    this.#dirty = false
    if (this.#gone !== undefined) return
    try {
      this.#pushCounts()
      if (this.#deadline !== this.#published) {
        this.#executor.ring.deadline(this.#place.slot, this.#deadline)
        this.#published = this.#deadline
      }
    } catch (error) {
      this.#executor.fault(error)
    }
  }

  // ---- what the coroutine sees

  now(): number {
    return this.#services.now()
  }

  deadline(at: number): void {
    this.#deadline = at
    if (this.#gone !== undefined) this.#alarm()
    else if (at !== this.#published) this.#touch()
  }

  take(): AnyEvent | undefined {
    try {
      return this.#inbox.take()
    } catch (error) {
      this.#executor.fault(error)
      return undefined
    }
  }

  takeBatch(): AnyEvent[] {
    try {
      return this.#inbox.takeBatch()
    } catch (error) {
      this.#executor.fault(error)
      return []
    }
  }

  release(): void {
    this.#guard(() => this.#inbox.release())
  }

  closed(): boolean {
    return this.#inbox.closed
  }

  late(): void {
    this.#lateResults.late++
  }

  count(counter: number, by: number): void {
    if (this.#gone !== undefined) return
    this.#counts[counter]! += by
    this.#counted = true
    this.#touch()
  }

  enqueue(next: number, packet: Uint8Array, rx: number, tx: number, flags: number): boolean {
    if (this.#gone !== undefined || this.#calls.waiting) return false
    const pushed = this.#executor.ring.enqueue(this.#place.slot, 0, next, rx, tx, flags, packet)
    if (pushed) this.#touch()
    return pushed
  }

  async cli(command: string, signal: AbortSignal): Promise<string> {
    if (this.#gone !== undefined) throw new CliError(command, 'HOST_AWAY', this.#gone)
    try {
      const { ring } = this.#executor
      const push = (call: number) => ring.cli(this.#place.slot, call, command)
      const { status, bytes } = await this.#calls.call(push, { signal })
      const output = new TextDecoder().decode(bytes)
      if (status === 0) return output
      const { name, text } = statusOf(status)
      throw new CliError(command, name, status === cut ? text : saidOr(output, text), output)
    } catch (error) {
      if (error instanceof NoOutcomeError) {
        const name = error.reason === 'too-big' ? 'CUT' : 'HOST_AWAY'
        throw new CliError(command, name, error.message, '', { cause: error })
      }
      // Empty, with a NUL in it, or longer than the ring takes: the ring refuses to carry it.
      if (error instanceof RingError || error instanceof RangeError)
        throw new CliError(command, 'INVALID', error.message, '', { cause: error })
      throw signal.aborted && !(error instanceof CliError) ? new NodeStoppedError(this.name, { cause: error }) : error
    }
  }

  async signal(target: string, code: bigint, data: bigint, aborted: AbortSignal): Promise<void> {
    try {
      const { ring } = this.#executor
      const push = (call: number) => ring.signal(this.#place.slot, call, target, code, data)
      const { status } = await this.#calls.call(push, { signal: aborted })
      if (status === 0) return
      const { name, text } = statusOf(status)
      throw new UndeliveredError(target, name, text)
    } catch (error) {
      if (error instanceof NoOutcomeError)
        throw new UndeliveredError(target, 'HOST_AWAY', error.message, { cause: error })
      throw error
    }
  }

  send(peer: number, code: number, event: Uint8Array, signal: AbortSignal): Promise<bigint> {
    return this.#sender.send(peer, code, event, signal)
  }

  ask(peer: number, code: number, event: Uint8Array, ms: number, signal: AbortSignal): Promise<Uint8Array> {
    return this.#sender.ask(peer, code, event, ms, signal)
  }

  // ---- between

  #touch(): void {
    if (this.#dirty) return
    this.#dirty = true
    this.#executor.dirty(this)
  }

  /** Counts that find the ring full wait, and grow, until there is room. Whether none does. */
  #pushCounts(): boolean {
    if (!this.#counted) return true
    const counts = this.#counts
    for (let counter = 0; counter < counts.length; counter++) {
      const by = counts[counter]!
      if (by === 0) continue
      if (!this.#executor.ring.count(this.#place.slot, counter, by)) return false
      counts[counter] = 0
    }
    this.#counted = false
    this.#paid()
    return true
  }

  /** No counts wait any more: they are in the ring, and the host is told of them at the end of this turn. */
  #paid(): void {
    for (const resolve of this.#unpaid.splice(0)) resolve()
  }

  #tick(): void {
    const left = this.#deadline - this.#services.now()
    if (left <= 0) this.#runtime?.tick()
    else if (left < earlyMs) this.#executor.again(this.#place.slot)
  }

  #guard(work: () => void): void {
    if (this.#gone !== undefined) return
    try {
      work()
    } catch (error) {
      this.#executor.fault(error)
    }
  }

  #leave(reason: string): void {
    if (this.#gone !== undefined) return
    this.#gone = reason
    this.#paid()
    this.#inbox.detach()
    this.#answers.end()
    this.#calls.end(reason)
  }

  /** Without a host nobody watches the deadline: this process does, for the grace time that the coroutine has. */
  #alarm(): void {
    clearTimeout(this.#timer)
    if (this.#deadline === never || this.#runtime === undefined) return
    const wait = Math.min(Math.max(0, this.#deadline - this.#services.now()), 0x7fff_ffff)
    this.#timer = setTimeout(() => {
      if (this.#deadline > this.#services.now()) this.#alarm()
      else this.#runtime?.tick()
    }, Math.ceil(wait))
  }
}

function saidOr(output: string, text: string): string {
  const said = output.trim().split('\n')[0]
  return said === undefined || said === '' ? text : said
}
