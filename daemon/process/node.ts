// node.ts: what a node author sees: the definition of a node, and the `vm` and `node` that `run` gets.

import type { MessageOf, Messages } from '../message/message.js'
import type { ChannelReceiver, Sender } from './channel.js'
import type { StandardSchema } from './options.js'
import type { MessagesOfPeer, Peer, Peers } from './peers.js'
import type { Receiver } from './receiver.js'
import type { Selected, Sources } from './select.js'
import type { Source } from './source.js'
import type { Timer } from './timer.js'

/** How much an error counter matters; VPP shows it in `show errors`. */
export type Severity = 'info' | 'warn' | 'error'

/** An error counter: its description, or with a severity (`info` if none is given). */
export type CounterSpec = string | { readonly text: string; readonly severity?: Severity }

/** Writes to the daemon's log, with the node's name. */
export interface Log {
  debug(text: string): void
  debug(fields: object, text?: string): void
  info(text: string): void
  info(fields: object, text?: string): void
  warn(text: string): void
  warn(fields: object, text?: string): void
  error(text: string): void
  error(fields: object, text?: string): void
}

/** The options of a node that declares no schema for them: as the YAML has them. */
export type AnyOptions = Readonly<Record<string, unknown>>

/** Where a packet goes besides its next node. */
export interface Enqueue {
  /** Index of the interface it counts as received on; default: none. */
  readonly rx?: number
  /** Index of the interface it is to be sent to; default: none. */
  readonly tx?: number
  /** VPP's buffer flags; the host refuses those that a node must not set. Default 0. */
  readonly flags?: number
}

/** The node itself: its events, its counters, its packets, its peers. */
export interface ProcessContext<
  M extends Messages,
  Next extends string,
  Counter extends string,
  Data,
  Options,
  P extends Peers = Record<never, never>,
> {
  /** Its name, from the YAML. */
  readonly name: string
  /** Its options, from the YAML; checked, if the node declares a schema for them. */
  readonly options: Options
  /** What the definition's `data` made for this life of the node. */
  readonly data: Data
  readonly log: Log
  /**
   * Its events, in order. An event is finished with when the coroutine asks for the next one (`recv`, `tryRecv`, the
   * next turn of `for await`, a `select` that names the inbox) or returns. One that is not is delivered again after a
   * crash, marked `redelivered`.
   */
  readonly inbox: Receiver<MessageOf<M>>
  /** Adds to an error counter; `by` is a whole number from 0, default 1. */
  count(counter: Counter, by?: number): void
  /**
   * Sends a packet of 1 to 9216 bytes to a next node. The bytes are copied at once.
   *
   * @returns false: the host has no room now, nothing was sent.
   */
  enqueue(next: Next, packet: Uint8Array, to?: Enqueue): boolean
  /** The other nodes that it sends to, by the names of the definition. */
  readonly peers: { readonly [Key in keyof P]: Peer<MessagesOfPeer<P[Key]>> }
}

/** The machine under the node: time, waiting, the host's command line. Every wait ends when the node is stopped. */
export interface Vm {
  /** Aborts when the node is stopped for good, or has ended; for `fetch`, `node:fs` and the like. */
  readonly signal: AbortSignal
  /** CLOCK_MONOTONIC milliseconds, with fractions; comparable with the `time` of events. */
  now(): number
  /** Ends in `ms` milliseconds. Zero and less: at once. Infinity: when the node is stopped. */
  sleep(ms: number): Promise<void>
  /** A timer, set for `ms` from now if given. Make it with `using`, outside of the loop that waits for it. */
  timer(ms?: number): Timer
  /**
   * The next value of a source, or undefined if it has ended. Rejects with TimeoutError if there is none within `ms`
   * milliseconds; the source is as before. A value that is there wins even against 0.
   */
  timeout<T>(ms: number, source: Source<T>): Promise<T | undefined>
  /**
   * The result of `work`. Rejects with TimeoutError after `ms` milliseconds, and aborts the signal that `work` got; a
   * result that comes later goes to `late`, which can give it back, or is dropped.
   */
  timeout<T>(ms: number, work: (signal: AbortSignal) => Promise<T>, late?: (result: T) => void): Promise<T>
  /**
   * Waits until one of the sources has something, and takes from that one only. Ties go to the first named: name timers
   * first where events may come in floods. A source that has ended wins with `done`.
   */
  select<const S extends Sources>(sources: S): Promise<Selected<S>>
  /** Runs one command of the host's CLI; its output. Rejects with CliError. A node's commands run one by one. */
  cli(command: string, options?: { readonly signal?: AbortSignal }): Promise<string>
  /** Lets everything else run: for computations that take long. */
  yield(): Promise<void>
  /** A channel whose waits end when the node is stopped. */
  channel<T extends NonNullable<unknown>>(): [Sender<T>, ChannelReceiver<T>]
}

/** What an author gives to `processNode`. */
export interface ProcessNodeOptions<
  M extends Messages,
  Next extends string,
  Counter extends string,
  Data,
  Options,
  P extends Peers = Record<never, never>,
> {
  /** The messages it takes: `{ enable: message(1, { dest: ip4 }), disable: message(2) }`. */
  readonly messages?: M
  /** The nodes it may send packets to. Registration fails if the host has no node of that name. */
  readonly next?: readonly Next[]
  /** Its error counters, by name. */
  readonly counters?: Readonly<Record<Counter, CounterSpec>>
  /** A validator of its options: zod, valibot, arktype or any other that implements Standard Schema. */
  readonly options?: StandardSchema<Options>
  /** Makes what `node.data` is, anew for each life of the node. Locals of `run` usually do. */
  readonly data?: () => Data
  /**
   * The other nodes that it sends to: for each its message table, or the node as another module exports it. The YAML
   * says which node each stands for (`peers:`); by default the one of the same name.
   */
  readonly peers?: P
  /** The coroutine. When it returns the node is idle, or started again, as its restart policy says. */
  run(vm: Vm, node: ProcessContext<M, Next, Counter, Data, Options, P>): Promise<void>
}

/** A node, ready for the loader. Made by `processNode`. */
export interface DefinedNode<
  M extends Messages,
  Next extends string,
  Counter extends string,
  Data,
  Options,
  P extends Peers = Record<never, never>,
> {
  readonly messages: M
  readonly next: readonly Next[]
  readonly counters: Readonly<Record<Counter, CounterSpec>>
  readonly options: StandardSchema<Options> | undefined
  readonly data: (() => Data) | undefined
  readonly peers: { readonly [Key in keyof P]: MessagesOfPeer<P[Key]> }
  run(vm: Vm, node: ProcessContext<M, Next, Counter, Data, Options, P>): Promise<void>
}

/** Any node: what the loader gets from a module. Only the runtime can call `run` of one. */
export interface ProcessNode {
  readonly messages: Messages
  readonly next: readonly string[]
  readonly counters: Readonly<Record<string, CounterSpec>>
  readonly options: StandardSchema | undefined
  readonly data: (() => unknown) | undefined
  readonly peers: Readonly<Record<string, Messages>>
  run(vm: Vm, node: never): Promise<void>
}
