// port.ts: what a node's surroundings give to its runtime. daemon/host implements it on a slot, tests in memory.

import type { AnyEvent } from '../message/message.js'
import type { Log } from './node.js'

/** Everything the runtime needs. None of these may call back into the runtime before it has returned. */
export interface NodePort<E = AnyEvent> {
  readonly name: string
  /** As checked by the definition's schema. */
  readonly options: unknown
  readonly log: Log
  /**
   * A text that occurs in the stack frames of this node's code and of no other node's, such as the URL of its module;
   * tells whose an unhandled rejection is.
   */
  readonly codeUrl?: string
  /**
   * CLOCK_MONOTONIC milliseconds. `checking`: only to see which timers have come; neither the node nor a deadline of its
   * hears of it. A recording is exact without such times, and with them it could not be: how often the surroundings
   * wake the node is no part of its life.
   */
  now(checking?: boolean): number
  /** The node's nearest timer is at that time of `now()`; Infinity: it has none. Then `tick()` is to be called. */
  deadline(at: number): void
  /** Releases the event in hand and hands over the next; undefined: none now. */
  take(): E | undefined
  /** Releases the events in hand and hands over all that are there, within a bound; none: an empty array. */
  takeBatch(): readonly E[]
  /** Releases the events in hand. */
  release(): void
  /** No more will come after those that `take()` still gives. */
  closed(): boolean
  /** A result came that the node does not wait for any more: it was given back or dropped, and is counted. */
  late(): void
  /** `counter` is an index into the definition's counters. */
  count(counter: number, by: number): void
  /** `next` is an index into the definition's next nodes; false: no room. */
  enqueue(next: number, packet: Uint8Array, rx: number, tx: number, flags: number): boolean
  /** Rejects with CliError. When `signal` aborts nobody waits for the result any more. */
  cli(command: string, signal: AbortSignal): Promise<string>
  /** Signals a process node of the host. Rejects with UndeliveredError. */
  signal(target: string, code: bigint, data: bigint, aborted: AbortSignal): Promise<void>
  /** The names of the nodes that the definition's peers stand for. */
  readonly peers: readonly string[]
  /**
   * Sends an event to a peer, an index into `peers`; its place in the peer's order. What is sent first is there first.
   * Rejects with UndeliveredError.
   */
  send(peer: number, code: number, event: Uint8Array, signal: AbortSignal): Promise<bigint>
  /**
   * The same, and waits for the reply, `ms` milliseconds at most. Rejects also with TimeoutError, RefusedError,
   * UnansweredError, PeerDiedError.
   */
  ask(peer: number, code: number, event: Uint8Array, ms: number, signal: AbortSignal): Promise<Uint8Array>
}
