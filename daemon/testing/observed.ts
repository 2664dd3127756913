// observed.ts: what a node under test has done so far, and how it is.

import type { MessageOf, Messages } from '../message/message.js'
import type { Peers } from '../process/peers.js'
import type { RunResult } from '../process/runtime.js'
import type { Command, EnqueueCommand, PeerCommand } from './commands.js'
import type { LogLine } from './log.js'
import type { Stage } from './stage.js'

/** A node that a test looks at. Everything is over all of its lives. */
export abstract class ObservedNode<M extends Messages, Next extends string, Counter extends string, P extends Peers> {
  protected readonly stage: Stage

  constructor(stage: Stage) {
    this.stage = stage
  }

  /** Virtual time in milliseconds, as `vm.now()` tells it. */
  get now(): number {
    return this.stage.clock.now
  }

  /** How the node ended; undefined: it runs. */
  get result(): RunResult | undefined {
    return this.stage.result
  }

  /** The coroutine has not ended. */
  get running(): boolean {
    return this.result === undefined
  }

  /** All that it asked for, in order; over all of its lives. */
  get commands(): readonly Command<Next, Counter, keyof P & string>[] {
    return this.stage.port.book.all as readonly Command[] as readonly Command<Next, Counter, keyof P & string>[]
  }

  /** The packets it sent, without those for which there was no room. */
  get packets(): readonly EnqueueCommand<Next>[] {
    return this.commands.filter(command => command.kind === 'enqueue').filter(command => command.taken)
  }

  /** The sum of each of its counters. */
  get counters(): Readonly<Record<Counter, number>> {
    return { ...(this.stage.port.book.counters as Record<Counter, number>) }
  }

  /** The commands it ran on the host's CLI. */
  get cliCommands(): readonly string[] {
    return this.commands.filter(command => command.kind === 'cli').map(({ command }) => command)
  }

  /** The events it sent to its peers, calls among them. */
  get peerEvents(): readonly PeerCommand<keyof P & string>[] {
    const isPeer = ({ kind }: Command) => kind === 'send' || kind === 'call'
    return this.commands.filter(isPeer) as readonly Command[] as readonly PeerCommand<keyof P & string>[]
  }

  /** The lines it logged. */
  get logs(): readonly LogLine[] {
    return this.stage.port.logs
  }

  /**
   * Results that came when it did not wait for them any more: of `vm.timeout`, of commands and of calls that it gave up.
   * They went to the `late` of `vm.timeout`, or nowhere.
   */
  get late(): number {
    return this.stage.port.lateResults
  }

  /** Events that it has not taken yet. */
  get queued(): number {
    return this.stage.queued
  }

  /** Events that it has taken and is not finished with: they would be delivered again after a crash. */
  get inHand(): readonly MessageOf<M>[] {
    return this.stage.port.hand as readonly unknown[] as readonly MessageOf<M>[]
  }
}
