// commands.ts: what a node asked its surroundings for, as the kit writes it down.

import type { CompiledNode } from '../process/define.js'
import type { PeerEvent } from './peers.js'
import type { CallAnswer } from './questions.js'

/** The node added to one of its counters. */
export interface CountCommand<Counter extends string = string> {
  /** `node.count`. */
  readonly kind: 'count'
  /** Virtual time, as `vm.now()` gives it. */
  readonly time: number
  /** The counter. */
  readonly counter: Counter
  /** What was added. */
  readonly by: number
}

/** The node sent a packet, or tried to. */
export interface EnqueueCommand<Next extends string = string> {
  /** `node.enqueue`. */
  readonly kind: 'enqueue'
  /** Virtual time, as `vm.now()` gives it. */
  readonly time: number
  /** The next node. */
  readonly next: Next
  /** A copy: what the node does to its own afterwards does not show. */
  readonly packet: Uint8Array
  /** Interface it counts as received on; undefined: none. */
  readonly rx: number | undefined
  /** Interface it is to be sent to; undefined: none. */
  readonly tx: number | undefined
  /** VPP's buffer flags. */
  readonly flags: number
  /** What `enqueue` returned; false: there was no room. */
  readonly taken: boolean
}

/** The node ran a command of the host's CLI. */
export interface CliCommand {
  /** `vm.cli`. */
  readonly kind: 'cli'
  /** Virtual time, as `vm.now()` gives it. */
  readonly time: number
  /** The command line. */
  readonly command: string
}

/** The node sent an event to a peer (`send`), or called it (`call`). */
export interface PeerCommand<Peer extends string = string> {
  /** `peer.send` or `peer.call`. */
  readonly kind: 'send' | 'call'
  /** Virtual time, as `vm.now()` gives it. */
  readonly time: number
  /** As the definition calls it. */
  readonly peer: Peer
  /** The name of the message. */
  readonly type: string
  /** What it carries. */
  readonly fields: Readonly<Record<string, unknown>>
}

/** The node signalled a process node of the host. */
export interface SignalCommand {
  /** Tells it from the others. */
  readonly kind: 'signal'
  /** Virtual time, as `vm.now()` gives it. */
  readonly time: number
  /** The process node. */
  readonly target: string
  /** The type of event. */
  readonly code: bigint
  /** The datum. */
  readonly data: bigint
}

/** The node answered a call, by `event.reply` or `event.refuse`. */
export type AnswerCommand = {
  readonly kind: 'answer'
  readonly time: number
  /** The event that it answered. */
  readonly seq: bigint
} & (
  | { readonly how: 'replied'; readonly value: Readonly<Record<string, unknown>> }
  | { readonly how: 'refused'; readonly reason: string }
)

/** Anything that a node asks for, told apart by `kind`. */
export type Command<Next extends string = string, Counter extends string = string, Peer extends string = string> =
  | CountCommand<Counter>
  | EnqueueCommand<Next>
  | CliCommand
  | PeerCommand<Peer>
  | SignalCommand
  | AnswerCommand

const noInterface = 0xffff_ffff

/** Commands in the order in which they were given. The port speaks in indexes, this in names. */
export class CommandBook {
  readonly all: Command[] = []
  readonly counters: Record<string, number>
  readonly #next: readonly string[]
  readonly #counters: readonly string[]

  constructor({ next, counters }: Pick<CompiledNode, 'next' | 'counters'>) {
    this.#next = next
    this.#counters = counters.map(counter => counter.name)
    this.counters = Object.fromEntries(this.#counters.map(name => [name, 0]))
  }

  count(time: number, index: number, by: number): void {
    const counter = this.#counters[index]!
    this.counters[counter]! += by
    this.all.push({ kind: 'count', time, counter, by })
  }

  enqueue(
    time: number,
    index: number,
    packet: Uint8Array,
    rx: number,
    tx: number,
    flags: number,
    taken: boolean,
  ): void {
    this.all.push({
      kind: 'enqueue',
      time,
      next: this.#next[index]!,
      packet: Uint8Array.from(packet),
      rx: rx === noInterface ? undefined : rx,
      tx: tx === noInterface ? undefined : tx,
      flags,
      taken,
    })
  }

  cli(time: number, command: string): void {
    this.all.push({ kind: 'cli', time, command })
  }

  signal(time: number, target: string, code: bigint, data: bigint): void {
    this.all.push({ kind: 'signal', time, target, code, data })
  }

  peer(time: number, kind: 'send' | 'call', event: PeerEvent): void {
    this.all.push({ kind, time, ...event })
  }

  answer(time: number, seq: bigint, answer: CallAnswer): void {
    if (answer.how === 'replied') {
      this.all.push({ kind: 'answer', time, seq, how: 'replied', value: { ...(answer.value as object) } })
    } else if (answer.how === 'refused') {
      this.all.push({ kind: 'answer', time, seq, how: 'refused', reason: answer.reason })
    }
  }
}
