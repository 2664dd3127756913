// stage.ts: runs a node over the real runtime in virtual time: what the kit and the replay have in common. Knows no
// types of a definition.
//
// At one moment of time things happen in this order, until nothing is left to happen: the agenda, in its order; events
// reach the inbox, all that were sent together; the node's timers; the node runs until it waits again.

import type { AnyEvent } from '../message/message.js'
import { type CompiledNode, compileNode } from '../process/define.js'
import type { ProcessNode, Vm } from '../process/node.js'
import type { NodePort } from '../process/port.js'
import { NodeRuntime, type RunResult } from '../process/runtime.js'
import { type RecordedPort, type RecordSink, recordPort } from '../record/recorder.js'
import { ScriptedCli } from './cli.js'
import { VirtualClock } from './clock.js'
import { ScriptedPeers } from './peers.js'
import { MemoryPort } from './port.js'
import { SpinGuard } from './spin.js'

/** What a stage needs to know. */
export interface StageSetup {
  readonly name: string
  /** As the node gets them. */
  readonly options: unknown
  /** Where the clock starts. */
  readonly start: number
  /** See {@link SpinGuard}. */
  readonly limit: number
  readonly record: RecordSink | undefined
  /** How the time of a recording is told; default: as the clock has it. */
  readonly pace?: Pace
}

/** The time as a recorded node had it. */
export interface Pace {
  /** When a timer goes off that is set for `deadline` at `now`; not before that. */
  late(deadline: number, now: number): number
  /** The clock wakes the node for a timer at `now`. */
  wakes(now: number): void
  /** What the node is told at `now` that the time is. */
  told(now: number): number
}

const never = Number.POSITIVE_INFINITY

/** A node, its surroundings, and the time. */
export class Stage {
  readonly clock: VirtualClock
  readonly cli: ScriptedCli
  readonly others: ScriptedPeers
  readonly port: MemoryPort
  readonly compiled: CompiledNode
  readonly #definition: ProcessNode
  readonly #setup: StageSetup
  readonly #guard: SpinGuard
  // Sent, and not in the inbox yet.
  #staged: AnyEvent[] = []
  #closing = false
  #runtime: NodeRuntime
  #recorded: RecordedPort | undefined
  #result: RunResult | undefined
  #busy = false

  constructor(definition: ProcessNode, setup: StageSetup) {
    this.#setup = setup
    this.compiled = compileNode(definition)
    this.clock = new VirtualClock(setup.start)
    this.cli = new ScriptedCli(this.clock)
    this.others = new ScriptedPeers(this.clock)
    this.#guard = new SpinGuard(setup.limit, () => this.clock.now)
    const guard = this.#guard
    this.#definition = { ...definition, run: (vm: Vm, node: never) => definition.run(guard.watch(vm), node) }
    const { clock, cli, others, compiled } = this
    const { name, options } = setup
    const late = (deadline: number, now: number) => setup.pace?.late(deadline, now) ?? deadline
    this.port = new MemoryPort({ name, options, clock, cli, others, compiled, guard, late })
    this.#runtime = this.#begin()
  }

  /** How the present life of the node ended; undefined: it runs. */
  get result(): RunResult | undefined {
    return this.#result
  }

  /** Whether the inbox was closed in this life. */
  get closed(): boolean {
    return this.#closing || this.port.closed()
  }

  /** Events that the node has not taken. */
  get queued(): number {
    return this.#staged.length + this.port.queued
  }

  /** The event reaches the inbox when the test goes on, with all others that were sent until then. */
  send(event: AnyEvent): void {
    this.#staged.push(event)
  }

  /** The same for the end of the inbox. */
  close(): void {
    this.#closing = true
  }

  destroy(): void {
    this.#runtime.destroy()
  }

  /** A new life. The one before must have ended; what it had in hand is delivered again. */
  restart(): void {
    this.port.rewind()
    this.#closing = false
    this.#result = undefined
    this.#runtime = this.#begin()
  }

  /** When something happens next if nobody does anything; Infinity: never. */
  get next(): number {
    return Math.min(this.clock.next, this.#wake)
  }

  /** Does everything that time does not hold up. */
  async settle(): Promise<void> {
    await this.#alone(() => this.#settle())
  }

  /**
   * Lets time pass until `end`, moment by moment, and stops early when `done` says so after one of them; it is asked
   * before the first, too. True: `done` said so.
   */
  async pass(end: number, done: () => boolean): Promise<boolean> {
    return this.#alone(async () => {
      await this.#settle()
      for (;;) {
        if (done()) return true
        const { next } = this
        if (next > end) break
        this.clock.moveTo(next)
        await this.#settle()
      }
      if (end !== never) this.clock.moveTo(end)
      return false
    })
  }

  // The nearest deadline may be one that the node has cleared: then the clock's wake finds nothing to do.
  get #wake(): number {
    return this.#result === undefined ? this.port.nearest : never
  }

  #begin(): NodeRuntime {
    const { record } = this.#setup
    this.#recorded = record === undefined ? undefined : recordPort(this.port, this.compiled, record)
    const port = this.#paced(this.#recorded ?? this.port)
    const runtime = new NodeRuntime(this.#definition, port, this.compiled)
    runtime.run().then(result => this.#ended(runtime, result))
    return runtime
  }

  // A port that tells the time of a recording; the recorder underneath, and the clock, are asked for theirs, too.
  #paced(port: NodePort<AnyEvent>): NodePort<AnyEvent> {
    const { pace } = this.#setup
    if (pace === undefined) return port
    const now = (checking = false) => {
      if (checking) return port.now(true)
      const told = pace.told(this.clock.now)
      this.clock.moveTo(told)
      port.now()
      return told
    }
    return new Proxy(port, {
      get: (target, key) => {
        const value: unknown = key === 'now' ? now : Reflect.get(target, key, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }

  #ended(runtime: NodeRuntime, result: RunResult): void {
    if (runtime !== this.#runtime) return
    this.#result = result
    this.port.ended()
    this.#recorded?.end(result)
  }

  async #settle(): Promise<void> {
    this.#guard.reset()
    for (;;) {
      this.clock.run()
      this.#arrive()
      if (this.#wake <= this.clock.now) {
        this.port.woken()
        this.#setup.pace?.wakes(this.clock.now)
        this.#runtime.tick()
      }
      await turn()
      const due = this.next <= this.clock.now
      const sent = this.#staged.length > 0 || (this.#closing && !this.port.closed())
      if (!due && !sent && this.#guard.yields === 0) return
    }
  }

  #arrive(): void {
    const sent = this.#staged.length > 0
    if (!sent && !this.#closing) return
    this.port.put(this.#staged)
    this.#staged = []
    if (this.#closing) this.port.close()
    this.#runtime.ready()
  }

  async #alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.#busy) throw new Error('the test does two things at once with this node: await the first one')
    this.#busy = true
    try {
      return await work()
    } finally {
      this.#busy = false
    }
  }
}

// All microtasks have run by then, however many make each other, and the callbacks of `process.nextTick`.
function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}
