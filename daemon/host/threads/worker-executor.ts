// worker-executor.ts: an executor on a worker thread, from outside: keeps a thread running, gives it the nodes, and when
// it dies tells their supervisors and starts another one. Nothing of it concerns any other executor.
import { discardShared, type Leave, type SharedExecutor, type SharedSlot } from '../../../shm/ring.js'
import type { ExecutorConfig } from '../../config/executors.js'
import type { Session } from '../attachment/session.js'
import { Backoff } from '../backoff.js'
import type { RootLog } from '../daemon.js'
import type { Tenant } from '../slots/bind.js'
import type { Place } from '../slots/binding.js'
import type { Directory, Target } from '../slots/directory.js'
import type { Supervisor } from '../supervisor.js'
import { within } from '../within.js'
import { unpack, unpackFields } from './border.js'
import { type Death, deathOf, errorOf, framesOf } from './death.js'
import { LogCredit, type Order, type Report } from './executor-protocol.js'
import { Pulse } from './pulse.js'
import { WorkerBinding, type WorkerRuntime } from './worker-binding.js'
import { WorkerPlaces } from './worker-places.js'
import type { Spawn, Thread } from './worker-thread.js'

/** Which executor it is. */
export interface WorkerPlan {
  /** For people: the name in the configuration, or `worker NODE`. */
  readonly name: string
  /** Its number at the host, from 1. */
  readonly id: number
  readonly limits: ExecutorConfig
}

export interface WorkerServices {
  readonly log: RootLog
  readonly spawn: Spawn
  readonly directory: Directory
}

/** How a tenancy gets back to the host. */
export interface HostWays {
  readonly close: (place: Place) => Promise<void>
  readonly remove: (place: Place, how: Leave) => Promise<number>
}

interface Living {
  readonly thread: Thread
  readonly since: number
  readonly pulse: Pulse
  readonly credit: LogCredit
  /** What was shared with it, to be given back when it dies. */
  readonly shared: (SharedExecutor | SharedSlot)[]
  /** Resolves when it is gone. */
  readonly gone: Promise<void>
  /** Why it is being ended. */
  death: Death | undefined
}

interface Attached {
  readonly session: Session
  /** The host has answered for the executor. */
  ready: boolean
}

/** Threads that die sooner after their start, ms, are started again with growing waits. */
const soundMs = 60_000
/** A thread that does not end when it is asked to, ms, is ended. */
const politeMs = 500
const restarts = { min: 100, max: 10_000 }

/** Keeps one executor going. */
export class WorkerExecutor {
  readonly plan: WorkerPlan
  readonly #services: WorkerServices
  readonly #backoff = new Backoff(restarts)
  readonly #tenancies = new Map<number, WorkerBinding>()
  readonly #runs = new Map<number, WorkerRuntime>()
  readonly #unbinding = new Map<number, () => void>()
  readonly #places: WorkerPlaces
  /** Who waits for the next answer to a question whether the thread lives. */
  readonly #probes = new Set<() => void>()
  /** Orders for tenancies that no thread has yet. */
  readonly #kept = new Map<number, Order[]>()
  #living: Living | undefined
  #attached: Attached | undefined
  #timer: NodeJS.Timeout | undefined
  #last = 0
  #died = 0
  /** The daemon stops: a thread that dies now is not started again. */
  #leaving = false
  #closing = false

  constructor(plan: WorkerPlan, services: WorkerServices) {
    this.plan = plan
    this.#services = services
    this.#places = new WorkerPlaces(services.directory, order => this.#post(order))
    this.#spawn()
  }

  /** How many nodes are registered on it. */
  get tenants(): number {
    return this.#tenancies.size
  }

  /** There is a host. Resolves when it has answered for the executor. @throws HostRefusedError, HostAwayError */
  async attach(session: Session): Promise<void> {
    const attached = { session, ready: false }
    this.#attached = attached
    await session.addExecutor(this.plan.id)
    if (this.#attached !== attached) return
    attached.ready = true
    this.#share()
  }

  /** The host is gone. */
  detach(reason: string): void {
    this.#attached = undefined
    this.#tenancies.clear()
    this.#kept.clear()
    for (const settle of this.#unbinding.values()) settle()
    this.#post({ do: 'detach', reason })
  }

  /** Takes a node that the host has registered at `place`. */
  bind(tenant: Tenant, place: Place, supervisor: Pick<Supervisor, 'evict' | 'blame'>, host: HostWays): WorkerBinding {
    const tenancy = ++this.#last
    const binding: WorkerBinding = new WorkerBinding(tenancy, tenant, place, supervisor, {
      post: order => this.#order(binding, order),
      newRun: runtime => this.#newRun(runtime),
      unbind: () => this.#unbind(binding),
      abandon: error => this.#abandon(binding, error),
      ...host,
    })
    this.#tenancies.set(tenancy, binding)
    this.#kept.set(tenancy, [])
    this.#give(binding)
    return binding
  }

  /** Other settings of nodes that go on. */
  adjust(tenant: Tenant): void {
    for (const { tenancy, tenant: own } of this.#tenancies.values()) {
      if (own.loaded.config.name === tenant.loaded.config.name)
        this.#post({ do: 'adjust', tenancy, config: tenant.loaded.config })
    }
  }

  /** Where a node is now, for those here that send to it. */
  place(name: string, target: Target | undefined): void {
    const interested = [...this.#tenancies.values()].some(({ tenant }) =>
      tenant.loaded.peers.some(p => p.node === name),
    )
    if (interested) this.#post({ do: 'place', name, target })
  }

  setLevel(level: string): void {
    this.#post({ do: 'level', level })
  }

  /** From now on its nodes stop, for good. */
  leave(): void {
    this.#leaving = true
  }

  /** Ends it for good. Its nodes have stopped, or were given up. */
  async close(): Promise<void> {
    this.#closing = true
    clearTimeout(this.#timer)
    const living = this.#living
    if (living === undefined) return
    living.pulse.stop()
    living.thread.post({ do: 'end' })
    await within(living.gone, politeMs)
    living.thread.terminate()
    // Code that is not JavaScript is not interrupted: nobody waits for it longer.
    await within(living.gone, politeMs)
  }

  // ---- the thread

  #spawn(): void {
    const { name, limits } = this.plan
    const { log, spawn } = this.#services
    const credit = new LogCredit()
    let gone = () => {}
    const living: Living = {
      since: performance.now(),
      credit,
      shared: [],
      death: undefined,
      gone: new Promise(resolve => {
        gone = resolve
      }),
      thread: spawn({ name, level: log.level ?? 'info', credit: credit.memory }, limits, {
        report: report => this.#heard(living, report),
        died: (error, code) => {
          this.#gone(living, deathOf({ error, code, maxHeap: limits.maxHeap }))
          gone()
        },
      }),
      pulse: new Pulse({
        maxStall: limits.maxStall,
        ask: () => living.thread.post({ do: 'ping' }),
        stuck: ms => void this.#stuck(living, ms),
      }),
    }
    this.#living = living
    // Its first answer comes when it has begun: from then on it must be prompt.
    living.thread.post({ do: 'ping' })
    this.#share()
  }

  /** Gives the thread its end of the host, and the nodes that wait for it. */
  #share(): void {
    const [living, attached] = [this.#living, this.#attached]
    if (living === undefined || attached?.ready !== true || living.death !== undefined) return
    const { session } = attached
    const executor = session.shareExecutor(this.plan.id)
    living.shared.push(executor)
    const { spin } = this.plan.limits
    living.thread.post({ do: 'attach', executor, maxEvent: session.welcome.maxEvent, spin })
    for (const binding of this.#tenancies.values()) this.#give(binding)
  }

  #give(binding: WorkerBinding): void {
    const [living, attached, kept] = [this.#living, this.#attached, this.#kept.get(binding.tenancy)]
    const ready = living !== undefined && living.death === undefined && attached?.ready === true
    if (kept === undefined || !ready || living.shared.length === 0) return
    this.#kept.delete(binding.tenancy)
    const { tenant, tenancy, place } = binding
    const slot = attached.session.shareSlot(place.slot)
    living.shared.push(slot)
    const { loaded, counts } = tenant
    const peers = loaded.peers.flatMap(({ node }) => {
      const target = this.#places.find(node)
      return target === undefined ? [] : [[node, target] as const]
    })
    const { slot: number, generation, node } = place
    living.thread.post({
      do: 'bind',
      tenancy,
      config: loaded.config,
      url: loaded.url,
      place: { slot: number, generation, node },
      slot,
      counts: counts.memory,
      peers,
    })
    for (const order of kept) living.thread.post(order)
  }

  #post(order: Order): void {
    if (this.#living?.death === undefined) this.#living?.thread.post(order)
  }

  #order(binding: WorkerBinding, order: Order): void {
    const kept = this.#kept.get(binding.tenancy)
    if (kept === undefined) this.#post(order)
    else kept.push(order)
  }

  #newRun(runtime: WorkerRuntime): number {
    const run = ++this.#last
    this.#runs.set(run, runtime)
    return run
  }

  async #unbind({ tenancy }: WorkerBinding): Promise<void> {
    const living = this.#living
    const given = !this.#kept.has(tenancy) && this.#tenancies.has(tenancy)
    this.#kept.delete(tenancy)
    this.#tenancies.delete(tenancy)
    if (living === undefined) return
    if (living.death !== undefined) {
      await living.gone
      return
    }
    if (!given) return
    const unbound = new Promise<void>(resolve => this.#unbinding.set(tenancy, resolve))
    this.#post({ do: 'unbind', tenancy })
    await Promise.race([unbound, living.gone])
    this.#unbinding.delete(tenancy)
  }

  // ---- what it says

  #heard(living: Living, report: Report): void {
    if (report.say === 'log') {
      living.credit.take()
      this.#line(report)
      return
    }
    // One that is being ended is not heard any more: its nodes were told that it is dead.
    if (this.#living !== living || living.death !== undefined) return
    switch (report.say) {
      case 'pong':
        living.pulse.answered()
        living.pulse.start()
        for (const answered of this.#probes) answered()
        this.#probes.clear()
        return
      case 'ended':
        this.#runs.get(report.run)?.ended(report)
        this.#runs.delete(report.run)
        return
      case 'blamed':
        this.#runs.get(report.run)?.blamed(unpack(report.error))
        return
      case 'unbound':
        this.#unbinding.get(report.tenancy)?.()
        return
      case 'where':
        void this.#places.where(report.ask, report.name)
        return
      case 'whatever':
        this.#places.whatever(report.ask)
        return
      case 'broken':
        this.#attached?.session.fault(report.text)
        return
      case 'stray':
        this.#stray(living, report.how, unpack(report.error))
        return
      case 'exiting':
        living.death = {
          text: `called process.exit(${report.code})`,
          stack: report.stack,
          nodes: this.#nameOf(report.run),
        }
        this.#die(living, living.death)
        return
      default:
        report satisfies never
    }
  }

  #line({ tenancy, level, fields, text, dropped }: Extract<Report, { say: 'log' }>): void {
    const log = this.#tenancies.get(tenancy)?.tenant.log ?? this.#services.log
    if (dropped > 0) log.warn(`${dropped} lines of its log are missing: it writes faster than they can be taken`)
    log[level](unpackFields(fields), text)
  }

  #stray(living: Living, how: 'exception' | 'rejection', error: unknown): void {
    const err = error instanceof Error ? error : new Error(String(error))
    if (how === 'rejection') {
      this.#services.log.error({ err }, 'a rejected promise that nobody handled, of no node that can be told')
      return
    }
    living.death = { text: `an error that nobody caught: ${err.message}`, stack: framesOf(err), nodes: [] }
    this.#die(living, living.death)
  }

  #nameOf(run: number | undefined): string[] {
    const runtime = run === undefined ? undefined : this.#runs.get(run)
    return runtime === undefined ? [] : [runtime.binding.tenant.loaded.config.name]
  }

  // ---- its end

  async #stuck(living: Living, ms: number): Promise<void> {
    if (living.death !== undefined) return
    const found = await living.thread.look().catch(() => undefined)
    if (living.death !== undefined || this.#living !== living) return
    const where = found === undefined ? 'in code that is no JavaScript' : `in ${found.where}`
    this.#kill(living, {
      text: `did not answer for ${(ms / 1000).toFixed(1)} s: it is stuck ${where}`,
      stack: found?.stack,
      nodes: found?.nodes ?? [],
    })
  }

  /** The coroutine of this binding was to end and does not. If its thread is stuck, that may be another one's fault. */
  async #abandon(binding: WorkerBinding, error: Error): Promise<void> {
    const living = this.#living
    if (living === undefined || living.death !== undefined) return
    const answer = new Promise<true>(resolve => {
      this.#probes.add(() => resolve(true))
      living.thread.post({ do: 'ping' })
    })
    const turns = await within(answer, politeMs)
    if (living.death !== undefined || this.#living !== living) return
    if (turns === undefined) await this.#stuck(living, politeMs)
    else this.#kill(living, { text: error.message, stack: undefined, nodes: [binding.tenant.loaded.config.name] })
  }

  #kill(living: Living, death: Death): void {
    if (living.death !== undefined) return
    living.death = death
    this.#die(living, death)
    living.thread.terminate()
  }

  /** Tells whose nodes were on it. The thread may still be there for a moment. */
  #die(living: Living, death: Death): void {
    living.pulse.stop()
    const { name, limits } = this.plan
    const dead = [...this.#tenancies.values()].filter(({ tenancy }) => !this.#kept.has(tenancy))
    const nodes = dead.map(({ tenant }) => tenant.loaded.config.name)
    const named = death.nodes.length > 0 ? death.nodes : nodes.length === 1 ? nodes : []
    const suspects = named.length > 0 ? named : nodes
    this.#services.log.error(
      {
        executor: name,
        nodes,
        ...(named.length === 1 ? { node: named[0] } : { suspects }),
        ...(limits.maxHeap === undefined ? {} : { maxHeap: limits.maxHeap }),
        ...(death.stack === undefined ? {} : { err: errorOf(death, name) }),
      },
      `executor ${name} ${death.text}; ${this.#leaving ? 'it is ended' : 'it is ended and started again'}`,
    )
    for (const run of [...this.#runs.keys()]) if (dead.includes(this.#runs.get(run)!.binding)) this.#runs.delete(run)
    this.#places.clear()
    for (const binding of dead) this.#tenancies.delete(binding.tenancy)
    for (const binding of dead) {
      const suspect = suspects.includes(binding.tenant.loaded.config.name)
      binding.supervisor.evict(binding, suspect ? errorOf(death, name) : undefined, named.length === 1 && suspect)
    }
  }

  #gone(living: Living, death: Death): void {
    if (living.death === undefined) {
      living.death = death
      if (!this.#closing) this.#die(living, death)
    }
    living.pulse.stop()
    for (const shared of living.shared) discardShared(shared)
    if (this.#living !== living) return
    this.#living = undefined
    if (this.#closing || this.#leaving) return
    const quick = performance.now() - living.since < soundMs
    if (!quick) {
      this.#died = 0
      this.#backoff.reset()
    }
    const wait = this.#died++ === 0 ? 0 : this.#backoff.next()
    this.#timer = setTimeout(() => this.#spawn(), wait)
  }
}
