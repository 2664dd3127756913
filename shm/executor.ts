// executor.ts: an executor's slots: events and replies in, commands out. On the hot path: one native call per method.
import { bytes, callable, fault, pushed, RingError, text, u32, u53, u64 } from './fault.js'
import { type Code, type NativeExecutor, type NativeLink, type NativeView, native } from './native.js'

const { limits } = native

/** A number of bytes, or throws. */
function copied(code: Code): number {
  if (code < 0) throw fault(code)
  return code
}

/**
 * One executor of a link or a view. Slots are numbers that the host has told; a slot that is gone (node removed, link or view closed) has
 * nothing to read and takes nothing.
 */
export class Executor {
  /** At `onWake(count)`: the first `count` entries are the slots that may have something. 0 is the daemon's own. */
  readonly slots: Uint32Array
  readonly #native: NativeExecutor

  /** For Link and View only. */
  constructor(executor: NativeExecutor, slots: Uint32Array) {
    this.#native = executor
    this.slots = slots
  }

  /**
   * Copies event records that were not copied yet into `into` from byte `at` on: whole records, each filled up to a
   * multiple of 8 bytes. They stay in the ring until `take` and `release`. A slot is told once: drain until 0.
   * @returns bytes written; 0: no more are there, or the next one does not fit behind `at`
   * @throws RingError MALFORMED, or TOO_SMALL if `at` is 0 and the next record does not fit
   */
  drain(slot: number, into: Uint8Array, at: number): number {
    return copied(this.#native.drain(slot, into, at))
  }

  /**
   * Hands over the next `n` copied records: marks them, so that after a death they are delivered again. What was handed
   * over before is done; it is released by `release` or `flush`, or when `onWake` returns, after the commands pushed so far.
   * @throws RingError MISUSE if fewer than `n` were copied
   */
  take(slot: number, n: number): void {
    const code = this.#native.take(slot, n)
    if (code !== undefined) throw fault(code)
  }

  /** Everything that was handed over is done: releases it, after the commands pushed so far. */
  release(slot: number): void {
    const code = this.#native.release(slot)
    if (code !== undefined) throw fault(code)
  }

  /** As `drain`, for the replies to commands, which are released at once. */
  replies(slot: number, into: Uint8Array, at: number): number {
    return copied(this.#native.replies(slot, into, at))
  }

  /**
   * Adds to an error counter. Counts that the host has not seen yet are merged. As for every command, false: the ring is
   * full, and the slot becomes ready when there is room.
   * @throws RingError TOO_BIG if it can never fit, MALFORMED
   */
  count(slot: number, counter: number, by: number): boolean {
    return pushed(this.#native.count(slot, u32('counter', counter), u53('by', by)))
  }

  /** Sends a packet to next node `next`. `call` 0: no outcome wanted. `rx`, `tx`: interface indexes, 0xffffffff: none. */
  enqueue(
    slot: number,
    call: number,
    next: number,
    rx: number,
    tx: number,
    flags: number,
    packet: Uint8Array,
  ): boolean {
    u53('call', call)
    u32('next', next)
    u32('rx', rx)
    u32('tx', tx)
    u32('flags', flags)
    return pushed(this.#native.enqueue(slot, call, next, rx, tx, flags, bytes('packet', packet, limits.packet)))
  }

  /** Runs one CLI command of the host. */
  cli(slot: number, call: number, command: string): boolean {
    return pushed(this.#native.cli(slot, u53('call', call), Buffer.from(text('command', command, 65_536))))
  }

  /** Signals a process node of the host by name. */
  signal(slot: number, call: number, node: string, type: bigint, data: bigint): boolean {
    text('node', node, limits.name)
    return pushed(this.#native.signal(slot, u53('call', call), node, u64('type', type), u64('data', data)))
  }

  /**
   * Sends a message to a node: `target` and `generation` as the host told them, `type` the message's code.
   * `wants`: milliseconds to wait for the node's answer, which is the outcome then; 0: the outcome says that it is there.
   */
  send(
    slot: number,
    call: number,
    target: number,
    generation: number,
    type: number,
    message: Uint8Array,
    wants = 0,
  ): boolean {
    u53('call', call)
    u32('target', target)
    u32('generation', generation)
    u32('type', type)
    u32('wants', wants)
    return pushed(this.#native.send(slot, call, target, generation, type, wants, bytes('message', message)))
  }

  /** Answers an event whose record has `answer` = `handle`, with a number of `statuses`: OK, REFUSED, UNANSWERED, DIED. */
  answer(slot: number, handle: number, status: number, reply: Uint8Array): boolean {
    return pushed(this.#native.answer(slot, u32('handle', handle), u32('status', status), bytes('reply', reply)))
  }

  /**
   * The node's nearest deadline: milliseconds of CLOCK_MONOTONIC, fractions allowed; Infinity: none. The slot becomes
   * ready when it has come, and perhaps also before. Wakes the host only if it would wait too long.
   */
  deadline(slot: number, at: number): void {
    if (typeof at !== 'number' || Number.isNaN(at)) throw new RangeError(`deadline must be a number, not ${at}`)
    this.#native.deadline(slot, at)
  }

  /**
   * Makes what was pushed visible to the host, releases what is done, and wakes the host if it sleeps. Happens by itself
   * when `onWake` returns.
   */
  flush(): void {
    this.#native.flush()
  }

  /** Ends the wakes. Idempotent; closing the link or view does it too. */
  close(): void {
    this.#native.close()
  }
}

/** How an executor waits. */
export interface ExecutorOptions {
  /**
   * Milliseconds, fractions allowed, 0 to 10: for so long at most the thread looks for new work before it sleeps, while
   * events follow each other closely enough for that to find any. Costs processor time, saves the wake. Default: 0, off.
   */
  readonly spin?: number
}

/** Opens executor `id` of a link or a view. */
export function openExecutor(
  base: NativeLink | NativeView,
  id: number,
  onWake: (count: number) => void,
  { spin = 0 }: ExecutorOptions,
): Executor {
  if (typeof spin !== 'number' || !(spin >= 0 && spin <= limits.spin / 1e6))
    throw new RangeError(`spin must be from 0 to ${limits.spin / 1e6} ms, not ${spin}`)
  const slots = new Uint32Array(limits.slots)
  u32('id', id, limits.executors - 1)
  const opened = native.executor(base, id, slots, callable('onWake', onWake), Math.round(spin * 1e6))
  if (typeof opened === 'number') throw opened === native.answers.memory ? fault(opened) : notThere()
  return new Executor(opened, slots)
}

function notThere(): RingError {
  return new RingError(
    'MISUSE',
    'no such executor: the host has not answered for it, it is open or shared, or the link is closed',
  )
}
