// node.ts: what a node author sees: the definition of a node, and the `vm` and `node` that `run` gets.

import type { MessageOf, Messages } from '../message/message.js'
import type { ChannelReceiver, Sender } from './channel.js'
import type { StandardSchema } from './options.js'
import type { MessagesOfPeer, Peer, Peers } from './peers.js'
import type { Receiver } from './receiver.js'
import type { Selected, Sources } from './select.js'
import type { Source } from './source.js'
import type { Timer } from './timer.js'
import type { Unordered } from './unordered.js'

/** How much an error counter matters. VPP shows it in `show errors`; it has no other effect. */
export type Severity = 'info' | 'warn' | 'error'

/**
 * An error counter: its description, 1 to 127 bytes without control characters, alone or with a severity (`info` if none
 * is given).
 *
 * @example counters: { sent: 'beacons sent', full: { text: 'ring full, beacon skipped', severity: 'warn' } }
 */
export type CounterSpec = string | CounterText

/** The description of an error counter, with how much it matters. */
export interface CounterText {
  /** What VPP shows beside the count: 1 to 127 bytes. */
  readonly text: string
  /** Default: `info`. */
  readonly severity?: Severity
}

/**
 * Writes lines to the daemon's log, with the node's name. `log.level` of the configuration says from which level on they
 * are written. Each takes a text, or fields for machines and a text.
 *
 * @example node.log.info({ interface: 'eth0', up: true }, 'link changed')
 */
export interface Log {
  /** For those who look for a fault: not written by default. */
  debug(text: string): void
  debug(fields: object, text?: string): void
  /** What an operator may want to know. */
  info(text: string): void
  info(fields: object, text?: string): void
  /** What an operator should look at some time. */
  warn(text: string): void
  warn(fields: object, text?: string): void
  /** What an operator has to look at. To fail, throw: that is logged by itself. */
  error(text: string): void
  error(fields: object, text?: string): void
}

/** The options of a node that declares no schema for them: as the YAML has them. */
export type AnyOptions = Readonly<Record<string, unknown>>

/** Where a packet of `node.enqueue` goes besides its next node. What a next node needs is its own matter. */
export interface Enqueue {
  /** Index of the interface it counts as received on (VPP's `sw_if_index`); default: none, in VPP `local0`. */
  readonly rx?: number
  /**
   * Index of the interface it is to be sent to, for next nodes that ask for it, such as `interface-output`; default: none.
   * docs/vpp.md says what it means for which.
   */
  readonly tx?: number
  /** VPP's buffer flags; the host refuses all but `VNET_BUFFER_F_LOCALLY_ORIGINATED`. Default 0. */
  readonly flags?: number
}

/** The node itself, the second argument of `run`: its events, its counters, its packets, its peers. */
export interface ProcessContext<
  M extends Messages,
  Next extends string,
  Counter extends string,
  Data,
  Options,
  P extends Peers = Record<never, never>,
  Signalled extends string = never,
> {
  /** Its name, from the YAML. */
  readonly name: string
  /** Its options, from the YAML; checked and made by the schema of the definition, if it has one. */
  readonly options: Options
  /** What the definition's `data` made for this life of the node. */
  readonly data: Data
  /** Writes to the daemon's log, with the node's name. */
  readonly log: Log
  /**
   * Its events, in order. An event is finished with when the coroutine asks for the next one (`recv`, `tryRecv`, the
   * next turn of `for await`, a `select` that names the inbox) or returns. One that is not is delivered again after a
   * crash, marked `redelivered`.
   */
  readonly inbox: Receiver<MessageOf<M>>
  /**
   * Adds to an error counter. It never waits and never fails: if the host has no room now, what is added is summed up and
   * told later. VPP shows the counter in `show errors` and in its statistics segment as `/err/NODE/COUNTER`.
   *
   * @param by a whole number from 0; default 1.
   * @throws ProcessError (`ERR_INVALID_ARGUMENT`) for a counter that is not declared, or another `by`.
   */
  count(counter: Counter, by?: number): void
  /**
   * Sends a packet to a next node. The bytes are copied at once. It never waits; what becomes of the packet is not told
   * here, but in the counters of the next nodes.
   *
   * @param packet 1 to 9216 bytes, from the header that the next node expects: for `ip4-lookup` from the IP header.
   * @returns false: the host has no room now, nothing was sent. Skip it, or try again a little later.
   * @throws ProcessError (`ERR_INVALID_ARGUMENT`) for a next node that is not declared, or no such packet.
   */
  enqueue(next: Next, packet: Uint8Array, to?: Enqueue): boolean
  /** The other nodes that it sends to, by the names of the definition. */
  readonly peers: { readonly [Key in keyof P]: Peer<MessagesOfPeer<P[Key]>> }
  /**
   * Signals a process node of the host, as `vlib_process_signal_event` does: with a code and one 8-byte datum. Resolves
   * when the host has done it. A wrong datum can crash VPP: the configuration lists the nodes for which that is allowed.
   *
   * @param code the type of event that the process node knows, 0 to 2^64 - 1.
   * @param data the datum, 0 to 2^64 - 1; default 0.
   * @throws UndeliveredError if there is no such process node (`NODE_UNKNOWN`), if it is not listed (`NOT_LISTED`), or
   * if the host is away (`HOST_AWAY`); ProcessError (`ERR_INVALID_ARGUMENT`) for numbers that are none;
   * NodeStoppedError.
   * @example await node.signal('dhcp-client-process', 2)
   */
  signal(target: Signalled, code: bigint | number, data?: bigint | number): Promise<void>
}

/**
 * The machine under the node, the first argument of `run`: time, waiting, the host's command line. Every wait ends when
 * the node is stopped: it rejects with {@link NodeStoppedError}.
 */
export interface Vm {
  /** Aborts when the node is destroyed, or has ended; for `fetch`, `node:fs` and the like. Its reason is the error. */
  readonly signal: AbortSignal
  /** CLOCK_MONOTONIC in milliseconds, with fractions; comparable with the `time` of events. */
  now(): number
  /**
   * Waits. It ends at its time or a little later, never earlier.
   *
   * @param ms milliseconds; fractions count. Zero and less: no wait at all. Infinity: until the node is stopped.
   * @throws ProcessError (`ERR_INVALID_ARGUMENT`) for NaN; NodeStoppedError.
   */
  sleep(ms: number): Promise<void>
  /**
   * A timer, to wait for beside other things. Make it with `using`, outside of the loop that waits for it: then an event
   * does not restart it.
   *
   * @param ms milliseconds from now; left out, the timer is not set.
   * @throws ProcessError (`ERR_INVALID_ARGUMENT`) for NaN.
   * @example
   * using due = vm.timer(100)
   * const event = await vm.select({ due, message: node.inbox })
   */
  timer(ms?: number): Timer
  /**
   * The next value of a source, with a deadline. Undefined if the source has ended. A value that is there wins even
   * against a deadline that has passed.
   *
   * @param ms milliseconds; Infinity: no deadline.
   * @throws TimeoutError if there is no value in time; the source is as it was before. NodeStoppedError.
   * @example const event = await vm.timeout(50, node.inbox)
   */
  timeout<T>(ms: number, source: Source<T>): Promise<T | undefined>
  /**
   * The result of any work, with a deadline. When it has passed, or the node is stopped, the signal that `work` got is
   * aborted.
   *
   * @param ms milliseconds; Infinity: no deadline.
   * @param late gets a result that comes too late, to give it back; without it such a result is dropped.
   * @throws TimeoutError; NodeStoppedError; whatever `work` rejects with.
   * @example const file = await vm.timeout(50, () => open(path), late => void late.close())
   */
  timeout<T>(ms: number, work: (signal: AbortSignal) => Promise<T>, late?: (result: T) => void): Promise<T>
  /**
   * Waits until one of the sources has something, and takes from that one only: what loses loses nothing. Ties go to the
   * first named; name timers first where events may come in floods. A source that has ended wins with `done: true`.
   *
   * If the inbox is among the sources, the event in hand is finished with, whoever wins.
   *
   * @throws ReceiverBusyError if somebody already waits on one of them; NodeStoppedError.
   * @example
   * const event = await vm.select({ due, message: node.inbox })
   * if (event.done) return
   * if (event.source === 'due') due.set(100)
   * else node.log.info(event.value.type)
   */
  select<const S extends Sources>(sources: S): Promise<Selected<S>>
  /**
   * Runs one command of the host's CLI. The commands of a node run one after the other, those of several nodes side by
   * side. One that has begun is not undone: when it is not waited for any more, its output is dropped.
   *
   * @param command one line of text.
   * @param options.signal ends the wait, with its reason.
   * @returns what the command printed; at most 16 MiB.
   * @throws CliError if it was refused or failed; ProcessError (`ERR_INVALID_ARGUMENT`) for no such line; NodeStoppedError.
   * @example const version = await vm.timeout(1000, signal => vm.cli('show version', { signal }))
   */
  cli(command: string, options?: { readonly signal?: AbortSignal }): Promise<string>
  /**
   * Lets everything else of the executor run once: events, timers, other nodes. For computations that take long; docs/cpu-bound.md
   * says how often. It takes part in stopping like every wait.
   *
   * @example
   * for (const [i, route] of routes.entries()) {
   *   if (i % 1000 === 0) await vm.yield()
   *   score(route)
   * }
   */
  yield(): Promise<void>
  /**
   * A channel without limit, inside the daemon: any number of senders, one receiver. Its waits end when the node is
   * stopped. `undefined` and `null` cannot be sent.
   *
   * @example const [tx, rx] = vm.channel<string>()
   */
  channel<T extends NonNullable<unknown>>(): [Sender<T>, ChannelReceiver<T>]
  /**
   * Several promises whose results come as they are ready. Its waits end when the node is stopped.
   *
   * @param promises to begin with.
   * @example
   * const outputs = vm.unordered(['show version', 'show runtime'].map(line => vm.cli(line)))
   * for await (const output of outputs) node.log.info(output)
   */
  unordered<T>(promises?: Iterable<PromiseLike<T>>): Unordered<T>
}

/** What an author gives to `processNode()`. Everything but `run` may be left out. */
export interface ProcessNodeOptions<
  M extends Messages,
  Next extends string,
  Counter extends string,
  Data,
  Options,
  P extends Peers = Record<never, never>,
  Signalled extends string = never,
> {
  /** The messages it takes, at most 256: `{ enable: message(1, { dest: ip4 }), disable: message(2) }`. */
  readonly messages?: M
  /** The nodes it may send packets to, at most 64. Registration fails if the host has no node of that name. */
  readonly next?: readonly Next[]
  /** Its error counters, by name, at most 128. Names are 1 to 63 of A-Z a-z 0-9 _ . - */
  readonly counters?: Readonly<Record<Counter, CounterSpec>>
  /** A validator of its options: zod, valibot, arktype or any other that implements Standard Schema. It types them, too. */
  readonly options?: StandardSchema<Options>
  /** Makes what `node.data` is, anew for each life of the node. Locals of `run` usually do. */
  readonly data?: () => Data
  /**
   * The other nodes that it sends to: for each its message table, or the node as another module exports it. The YAML
   * says which node each stands for (`peers:`); by default the one of the same name.
   */
  readonly peers?: P
  /** Process nodes of the host that it signals, at most 64. Those that are not of corod are listed in the YAML, too. */
  readonly signals?: readonly Signalled[]
  /**
   * The coroutine. When it returns, the node is idle or started again, as its restart policy says; when it throws, it is
   * started again, and the event in hand comes again, marked `redelivered`.
   */
  run(vm: Vm, node: ProcessContext<M, Next, Counter, Data, Options, P, Signalled>): Promise<void>
}

/** A node, ready for the loader. Made by `processNode()`; what was left out has its default. */
export interface DefinedNode<
  M extends Messages,
  Next extends string,
  Counter extends string,
  Data,
  Options,
  P extends Peers = Record<never, never>,
  Signalled extends string = never,
> {
  /** The message table. Those who send to the node take it from here. */
  readonly messages: M
  /** The next nodes. */
  readonly next: readonly Next[]
  /** The error counters. */
  readonly counters: Readonly<Record<Counter, CounterSpec>>
  /** The validator of the options; undefined: any will do. */
  readonly options: StandardSchema<Options> | undefined
  /** Makes `node.data`. */
  readonly data: (() => Data) | undefined
  /** The message tables of the peers. */
  readonly peers: { readonly [Key in keyof P]: MessagesOfPeer<P[Key]> }
  /** The process nodes that it signals. */
  readonly signals: readonly Signalled[]
  /** The coroutine. */
  run(vm: Vm, node: ProcessContext<M, Next, Counter, Data, Options, P, Signalled>): Promise<void>
}

/** Any node: what the loader gets from a module. Only the runtime can call `run` of one. */
export interface ProcessNode {
  /** The message table. */
  readonly messages: Messages
  /** The next nodes. */
  readonly next: readonly string[]
  /** The error counters. */
  readonly counters: Readonly<Record<string, CounterSpec>>
  /** The validator of the options; undefined: any will do. */
  readonly options: StandardSchema | undefined
  /** Makes `node.data`. */
  readonly data: (() => unknown) | undefined
  /** The message tables of the peers. */
  readonly peers: Readonly<Record<string, Messages>>
  /** The process nodes that it signals. */
  readonly signals: readonly string[]
  /** The coroutine. */
  run(vm: Vm, node: never): Promise<void>
}
