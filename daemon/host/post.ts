// post.ts: events from outside to nodes by name, and why one cannot be reached now. The control plane sends through it,
// and the nodes' peers ask it where a node is.
import { suggest } from '../config/suggest.js'
import { MessageError } from '../message/errors.js'
import type { MessageTable } from '../message/table.js'
import type { Attachment } from './attachment/attachment.js'
import type { Registrar } from './registrar.js'
import { type Accepted, type Answered, SendError } from './report.js'
import type { Reach, Roster } from './roster.js'
import type { Place } from './slots/binding.js'
import type { Target } from './slots/directory.js'
import type { Sender } from './slots/sender.js'

const notRunning = ['idle', 'stopped']

/** Sends to the nodes of a daemon. What it throws is a SendError that says why, and what would be right. */
export class Post {
  readonly #roster: Roster
  readonly #registrar: Registrar
  readonly #attachment: Attachment
  #sent = 0

  constructor(roster: Roster, registrar: Registrar, attachment: Attachment) {
    this.#roster = roster
    this.#registrar = registrar
    this.#attachment = attachment
  }

  /** Events that hosts have accepted from here. */
  get sent(): number {
    return this.#sent
  }

  /** Resolves when the event is in the backlog of the node. */
  async send(node: string, type: string, value: unknown): Promise<Accepted> {
    const { code, bytes } = this.#encode(node, type, value)
    return this.sendEncoded(node, code, bytes)
  }

  async sendEncoded(node: string, code: number, bytes: Uint8Array): Promise<Accepted> {
    const { sender, place } = this.#reach(node)
    const accepted = await sender.send(place, code, bytes)
    this.#sent++
    return accepted
  }

  /** The same for a message that declares a reply, which it waits for, `ms` milliseconds at most. */
  async ask(node: string, type: string, value: unknown, ms: number): Promise<Answered> {
    const { code, bytes } = this.#encode(node, type, value)
    const table = this.table(node)
    if (!table.calls.includes(type)) {
      throw new SendError('NO_REPLY', `message ${JSON.stringify(type)} of node ${node} declares no reply: send it`)
    }
    const { sender, place } = this.#reach(node)
    const { seq, bytes: reply } = await sender.ask(place, code, bytes, ms)
    this.#sent++
    return { seq, reply: table.decodeReply(type, reply) }
  }

  /** The messages of a node. @throws SendError if there is no such node */
  table(name: string): MessageTable {
    const table = this.#roster.table(name)
    if (table === undefined) throw this.#unknown(name)
    return table
  }

  /** Where a node is for its peers; undefined: it is being registered. @throws SendError */
  place(name: string): Target | undefined {
    const reach = this.#known(name)
    if (reach.place !== undefined) return reach.place
    if (reach.soon && this.#attachment.report().state === 'connected') return undefined
    throw this.#unreachable(name, reach)
  }

  #encode(node: string, type: string, value: unknown): { readonly code: number; readonly bytes: Uint8Array } {
    const table = this.table(node)
    const code = table.code(type)
    if (code === undefined) {
      const near = suggest(type, table.sendable)
      const hint = near === undefined ? `it takes ${table.sendable.join(', ') || 'none'}` : `did you mean ${near}?`
      throw new SendError('TYPE_UNKNOWN', `node ${node} has no message ${JSON.stringify(type)}: ${hint}`)
    }
    try {
      return { code, bytes: table.encode(type, value) }
    } catch (error) {
      if (error instanceof MessageError) throw new SendError('INVALID', error.message, error.faults)
      throw error
    }
  }

  /** Who sends to a node, and where it is. @throws SendError */
  #reach(node: string): { readonly sender: Sender; readonly place: Place } {
    const { sender } = this.#registrar
    const reach = this.#known(node)
    if (reach.place === undefined || sender === undefined) throw this.#unreachable(node, reach)
    if (this.#attachment.state === 'stalled') throw new SendError('HOST_AWAY', 'the host does not answer')
    return { sender, place: reach.place }
  }

  #known(name: string): Reach {
    if (!this.#roster.has(name)) throw this.#unknown(name)
    return this.#roster.reach(name)
  }

  #unknown(name: string): SendError {
    const near = suggest(name, this.#roster.names)
    const hint = near === undefined ? '' : `: did you mean ${near}?`
    return new SendError('NODE_UNKNOWN', `there is no node ${name}${hint}`)
  }

  #unreachable(name: string, { state, lastError }: Reach): SendError {
    if (notRunning.includes(state)) return new SendError('CLOSED', `node ${name} has ended and takes no more events`)
    const host = this.#attachment.report()
    if (host.state === 'connected') {
      return new SendError('UNREGISTERED', `node ${name} cannot take events yet: ${lastError ?? 'it is starting'}`)
    }
    return new SendError('HOST_AWAY', `the host is away: ${host.lastError ?? `nobody at ${host.socket}`}`)
  }
}
