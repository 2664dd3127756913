// peers.ts: the other nodes that a node sends to, by handles that know their messages.

import { MessageError } from '../message/errors.js'
import type { Call, FieldValues, HostMessage, Message, Messages } from '../message/message.js'
import type { MessageTable } from '../message/table.js'
import type { Clock } from './clock.js'
import { invalid } from './errors.js'
import type { NodePort } from './port.js'
import type { Scope } from './waits.js'
import { Work } from './work.js'

/** A node that `processNode()` made, as far as those who send to it look into it. */
export interface NodeOfMessages {
  /** The messages it takes. */
  readonly messages: Messages
  /** What tells a node from a message table. */
  readonly next: readonly string[]
}

/**
 * What a definition says of its peers: for each a name, and the messages that it takes, or the node itself, which knows
 * them.
 */
export type Peers = Readonly<Record<string, Messages | NodeOfMessages>>

/** The message table of a peer, whichever way the definition says it. */
export type MessagesOfPeer<P> = P extends {
  readonly messages: infer M extends Messages
  readonly next: readonly string[]
}
  ? M
  : P extends Messages
    ? P
    : never

/** The messages that a node can send: all but those that only a host sends. */
type Sent<M extends Messages> = {
  [Type in keyof M & string]: M[Type] extends HostMessage ? never : Type
}[keyof M & string]

/** The messages that declare a reply. */
type Called<M extends Messages> = { [Type in keyof M & string]: M[Type] extends Call ? Type : never }[keyof M & string]

type FieldsArgument<M> =
  M extends Message<infer F>
    ? [keyof F] extends [never]
      ? [fields?: FieldValues<F>]
      : [fields: FieldValues<F>]
    : never

/** How long a call may take, and who may call it off. */
export interface CallOptions {
  /** Milliseconds until it rejects with TimeoutError: 1 to 4294967295, default 5000. There is no call without an end. */
  readonly timeout?: number
  /** Rejects with its reason when it aborts. */
  readonly signal?: AbortSignal
}

/** What the sender of a message made by `call()` gets as the reply. */
export type ReplyTo<M> = M extends Call<infer _, infer R> ? FieldValues<R> : never

/** Another node, as `node.peers` has it. */
export interface Peer<M extends Messages> {
  /** The name of the node that it stands for. */
  readonly name: string
  /**
   * Sends an event. Resolves when it is in the queue of the peer, with its place there; that never waits for the peer
   * itself, so nodes may send to each other in circles. What is sent first is there first, awaited or not.
   *
   * @param type one of its messages.
   * @param fields the fields of that message; left out if it has none.
   * @returns the `seq` that the event has there.
   * @throws UndeliveredError if its queue is full or closed, or there is no such node; MessageError for fields that do not fit;
   * NodeStoppedError.
   * @example await node.peers.routes.send('learn', { dest: '192.0.2.1', via: '192.0.2.254' })
   */
  send<Type extends Sent<M>>(type: Type, ...fields: FieldsArgument<M[Type]>): Promise<bigint>
  /**
   * Sends an event and waits for the reply. While a node only waits here it takes no events: two that call each other
   * at the same time both wait for their timeout, unless they serve their inbox meanwhile (docs/writing-a-node.md).
   *
   * @param type one of its messages that were made by `call()`.
   * @param rest the fields of that message, left out if it has none; then the options.
   * @returns the fields of the reply.
   * @throws RefusedError, UnansweredError or PeerDiedError, as the peer did; TimeoutError after 5 seconds, or what the options
   * say; UndeliveredError; MessageError for fields that do not fit; NodeStoppedError.
   * @example const { via } = await node.peers.routes.call('lookup', { dest: '192.0.2.1' }, { timeout: 200 })
   */
  call<Type extends Called<M>>(
    type: Type,
    ...rest: [...fields: FieldsArgument<M[Type]>, options?: CallOptions]
  ): Promise<ReplyTo<M[Type]>>
}

const usualTimeout = 5000

/** A peer of a definition, compiled. */
export interface CompiledPeer {
  /** What the definition calls it. */
  readonly key: string
  readonly table: MessageTable
}

/** The message tables of a definition's peers. */
export function tablesOf(peers: Peers): Readonly<Record<string, Messages>> {
  const tables = Object.entries(peers).map(([key, of]) => [key, Array.isArray(of?.next) ? of.messages : of])
  return Object.fromEntries(tables) as Record<string, Messages>
}

/** The peers of one life of a node. */
export class NodePeers {
  /** By the names of the definition. */
  readonly handles: Readonly<Record<string, Peer<Messages>>>

  constructor(port: NodePort<unknown>, scope: Scope, clock: Clock, peers: readonly CompiledPeer[]) {
    const handles = peers.map(({ key, table }, i) => [key, new NodePeer(port, scope, clock, i, table)])
    this.handles = Object.freeze(Object.fromEntries(handles)) as Readonly<Record<string, Peer<Messages>>>
  }
}

class NodePeer {
  readonly name: string
  readonly #port: NodePort<unknown>
  readonly #scope: Scope
  readonly #clock: Clock
  readonly #index: number
  readonly #table: MessageTable

  constructor(port: NodePort<unknown>, scope: Scope, clock: Clock, index: number, table: MessageTable) {
    this.name = port.peers[index] ?? ''
    this.#port = port
    this.#scope = scope
    this.#clock = clock
    this.#index = index
    this.#table = table
  }

  send(type: string, fields?: unknown): Promise<bigint> {
    return this.#work(Number.POSITIVE_INFINITY, undefined, () => {
      const { code, bytes } = this.#encode(type, fields)
      return signal => this.#port.send(this.#index, code, bytes, signal)
    })
  }

  async call(type: string, fields?: unknown, options: CallOptions = {}): Promise<unknown> {
    const { timeout = usualTimeout, signal } = options
    const reply = await this.#work(timeout, signal, () => {
      if (!(timeout >= 1 && timeout <= 0xffff_ffff)) throw invalid(`timeout ${timeout}: 1 to 4294967295 milliseconds`)
      const { code, bytes } = this.#encode(type, fields)
      if (!this.#table.calls.includes(type)) throw invalid(`"${type}" declares no reply: send it`)
      return aborted => this.#port.ask(this.#index, code, bytes, Math.ceil(timeout), aborted)
    })
    return this.#table.decodeReply(type, reply)
  }

  #encode(type: string, fields: unknown): { code: number; bytes: Uint8Array } {
    const bytes = this.#table.encode(type, fields)
    return { code: this.#table.code(type)!, bytes }
  }

  // Begins at once, so that the order of the calls is the order of the commands.
  #work<T>(
    ms: number,
    signal: AbortSignal | undefined,
    prepare: () => (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    if (this.#scope.stopped !== undefined) return this.#scope.refuse(this.#scope.stopped)
    try {
      signal?.throwIfAborted()
      return new Work<T>(this.#scope, this.#clock, ms, prepare(), () => this.#port.late(), signal).promise
    } catch (error) {
      return Promise.reject(error instanceof MessageError ? this.#scope.blame(error) : error)
    }
  }
}
