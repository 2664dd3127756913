// roster.ts: which nodes the daemon has, each with its supervisor, and how one set of them becomes another while the
// rest goes on.
import type { MessageTable } from '../message/table.js'
import type { Log } from '../process/node.js'
import { ownerOf, suspectsOf } from '../process/runtime.js'
import { HostAwayError } from './attachment/session.js'
import type { Difference } from './difference.js'
import { Lives } from './lives.js'
import type { LoadedNode } from './modules/loader.js'
import { matcher } from './pattern.js'
import type { Registrar, Tenant } from './registrar.js'
import type { NodeReport, NodeState } from './report.js'
import type { Place } from './slots/binding.js'
import { NodeCounts } from './slots/counts.js'
import { Supervisor } from './supervisor.js'

/** A node of the daemon, under one name, over attachments and changes. */
class Member {
  /** What senders may send: that of the present registration, also while the next one is on its way. */
  table: MessageTable
  tenant: Tenant
  supervisor: Supervisor
  /** While it is changed: ends when its next registration was answered, or there is no host. Never rejects. */
  moving: Promise<void> | undefined
  /** It was taken out of the configuration and finishes what is queued. */
  going = false
  /** The attachment in which the present supervisor was told to register. */
  attachment: object | undefined

  constructor(tenant: Tenant) {
    this.tenant = tenant
    this.table = tenant.loaded.table
    this.supervisor = new Supervisor(tenant.loaded, tenant.log, tenant.counts)
  }
}

/** What a node is to those who send to it. */
export interface Reach {
  /** Undefined: it has none now. */
  readonly place: Place | undefined
  /** Whether it will have one soon, or say why not. */
  readonly soon: boolean
  readonly state: NodeState
  readonly lastError: string | undefined
}

/** States in which a node that has no place will have one soon, or says why not. */
const registering: readonly NodeState[] = ['waiting-for-host', 'starting', 'stopping']

/** The nodes of a daemon. */
export class Roster {
  readonly #registrar: Registrar
  readonly #log: (name: string) => Log
  #members = new Map<string, Member>()
  #stopping = false

  /** `log`: makes the log of a node. */
  constructor(registrar: Registrar, log: (name: string) => Log) {
    this.#registrar = registrar
    this.#log = log
  }

  /** The first nodes. */
  fill(nodes: readonly LoadedNode[]): void {
    for (const loaded of nodes) this.#members.set(loaded.config.name, new Member(this.#tenant(loaded)))
  }

  get names(): readonly string[] {
    return [...this.#members.keys()]
  }

  has(name: string): boolean {
    return this.#members.has(name)
  }

  table(name: string): MessageTable | undefined {
    return this.#members.get(name)?.table
  }

  reports(): NodeReport[] {
    return [...this.#members.values()].map(({ supervisor }) => supervisor.report())
  }

  /** How to reach a node that is there. */
  reach(name: string): Reach {
    const { supervisor, moving, going } = this.#members.get(name)!
    const { state, lastError } = supervisor.report()
    const bound = this.#registrar.bound(name)
    // One that is changed keeps its place in the host, and its queue there takes events all the time.
    const reachable = bound !== undefined && !going && (moving !== undefined || supervisor.binding === bound.binding)
    return {
      place: reachable ? bound.place : undefined,
      soon: !going && (moving !== undefined || registering.includes(state)),
      state: going ? 'stopped' : state,
      lastError,
    }
  }

  /** There is a host: registers all, and starts them. Resolves when it has answered for each. */
  async attach(): Promise<void> {
    await Promise.all(
      [...this.#members.values()].map(async member => {
        await member.moving
        await this.#register(member)
      }),
    )
  }

  /** The host is gone. */
  detach(): void {
    for (const { supervisor } of this.#members.values()) supervisor.detach()
  }

  /** Stops all for good, each within its grace time. */
  async stop(): Promise<void> {
    this.#stopping = true
    await Promise.all(
      [...this.#members.values()].map(async member => {
        await member.supervisor.stop()
        await member.moving
      }),
    )
  }

  /** Something that a node did, to be told as its last error although it goes on. */
  note(name: string, text: string): void {
    this.#members.get(name)?.supervisor.note(text)
  }

  /** If the error is known to be a node's, that node fails, and its name is returned. */
  blame(error: unknown): string | undefined {
    const runtime = ownerOf(error)
    if (runtime === undefined) return undefined
    for (const { supervisor } of this.#members.values()) if (supervisor.blame(runtime, error)) break
    return runtime.name
  }

  /**
   * An error of one of several nodes, and nothing tells of which: those that it may be of fail and start again, but for
   * those that would not start again. Their names; none if it is of one that has ended; undefined if it is no node's.
   */
  suspect(error: unknown): readonly string[] | undefined {
    const suspects = suspectsOf(error)
    if (suspects === undefined) return undefined
    for (const { tenant, supervisor } of this.#members.values()) {
      const spared = suspects.length > 1 && tenant.loaded.config.restart.policy === 'never'
      if (!spared) suspects.some(runtime => supervisor.blame(runtime, error))
    }
    return suspects.map(({ name }) => name)
  }

  /** Whose code runs now, as far as that can be told. */
  running(): string | undefined {
    return ownerOf(new Error('who runs'))?.name
  }

  /**
   * Makes the nodes those of `to`. Resolves when those that had to stop have stopped and the host, if there is one, has
   * answered for those that are new or changed; they are running then, or say in their report why not.
   */
  async change(to: Difference, order: readonly string[]): Promise<void> {
    const { added, removed, changed, adjusted } = to
    for (const { node } of adjusted) this.#adjust(this.#members.get(node.config.name)!, node)
    const born = added.map(node => {
      const member = new Member(this.#tenant(node))
      this.#members.set(node.config.name, member)
      return { member, node, fresh: true, settle: moves(member) }
    })
    const other = changed.map(({ node }) => {
      const member = this.#members.get(node.config.name)!
      return { member, node, fresh: false, settle: moves(member) }
    })
    const moving = [...born, ...other]
    const moved = new Map(moving.map(({ member, node }) => [node.config.name, member.moving]))
    const work = moving.map(async ({ member, node, fresh, settle }) => {
      // New code may send what the old code of its peers does not know.
      const peers = Promise.all(node.peers.map(peer => moved.get(peer.node)))
      try {
        if (!fresh) await this.#renew(member, node)
        await this.#register(member, peers)
        member.table = node.table
      } finally {
        member.moving = undefined
        settle()
      }
    })
    const left = removed.map(node => this.#remove(this.#members.get(node.config.name)!))
    await Promise.all([...work, ...left])
    this.#members = new Map(order.flatMap(name => (this.has(name) ? [[name, this.#members.get(name)!] as const] : [])))
  }

  /** What was counted under a name goes on being counted. */
  #tenant(loaded: LoadedNode, before?: Tenant): Tenant {
    const log = before?.log ?? this.#log(loaded.config.name)
    return {
      loaded,
      lives: new Lives(loaded, log),
      counts: before?.counts ?? new NodeCounts(),
      wanted: matcher(loaded.config.interfaces),
      log,
    }
  }

  /** `before`: the coroutine starts after that. */
  async #register(member: Member, before?: Promise<unknown>): Promise<void> {
    const { attachment } = this.#registrar
    if (attachment === undefined || this.#stopping || member.attachment === attachment) return
    member.attachment = attachment
    await member.supervisor.attach(this.#registrar.register(member.tenant), before)
  }

  #adjust(member: Member, node: LoadedNode): void {
    member.tenant = { ...member.tenant, loaded: node }
    member.supervisor.adjust(node)
    this.#registrar.adjust(member.tenant)
  }

  /** Ends the coroutine and puts another supervisor in the place of its own; its queue stays with the host. */
  async #renew(member: Member, node: LoadedNode): Promise<void> {
    await member.supervisor.stop()
    // One that was on its way to the host when it was stopped has got there now, or will not.
    await member.supervisor.answered
    await this.#release(member, 'keep')
    member.tenant = this.#tenant(node, member.tenant)
    member.supervisor = new Supervisor(node, member.tenant.log, member.tenant.counts)
    member.attachment = undefined
  }

  /** Closes the node to its senders, lets its coroutine finish what is queued within its grace time, and forgets it. */
  async #remove(member: Member): Promise<void> {
    const { name } = member.tenant.loaded.config
    const { log } = member.tenant
    member.going = true
    await member.supervisor.stop('drain')
    await member.supervisor.answered
    const discarded = await this.#release(member, 'discard')
    if (discarded > 0) log.warn({ discarded }, `removed; ${discarded} events were still queued`)
    else log.info('removed')
    this.#members.delete(name)
  }

  /** Gives back what the host has of the node. The number of events that were discarded. */
  async #release({ tenant: { loaded, log } }: Member, how: 'keep' | 'discard'): Promise<number> {
    try {
      return await this.#registrar.release(loaded.config.name, how)
    } catch (error) {
      // With the host, all that it had of the node is gone or waits for its next registration.
      if (!(error instanceof HostAwayError)) log.error({ err: error }, 'could not be given back to the host')
      return 0
    }
  }
}

/** Marks the member as one that moves until the returned function is called. */
function moves(member: Member): () => void {
  let settle = () => {}
  member.moving = new Promise(resolve => {
    settle = resolve
  })
  return settle
}
