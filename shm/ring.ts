// ring.ts: the daemon's attachment to a host, and the door of this folder: everything else of the daemon imports this
// file only. It checks arguments and names errors; the addon does the rest. It knows no node and no policy.
import { type Executor, type ExecutorOptions, openExecutor } from './executor.js'
import { asked, callable, choice, fault, systemError, text, u32 } from './fault.js'
import type { HostMessage, Leave, NodeAsk, Status } from './message.js'
import { type NativeLink, type NativeMessage, native } from './native.js'
import type { SharedExecutor, SharedSlot } from './view.js'

export type { Executor, ExecutorOptions } from './executor.js'
export { RingError } from './fault.js'
export type { HostMessage, Leave, NodeAsk, Status, StatusName } from './message.js'
export { discardShared, type SharedExecutor, type SharedSlot, View } from './view.js'

/** Byte offsets in the head of a record, and `bytes`, the size of the head; the payload follows it. */
export const record = Object.freeze(native.record)
/** Byte offsets (each a u64) in the payload of a gap record. */
export const gap = Object.freeze(native.gap)
/** Values of a record's `kind`. */
export const kinds = Object.freeze(native.kinds)
/** Bits of a record's `flags`. */
export const flags = Object.freeze(native.flags)
/** Codes of events that are corod's own: `reserved` is the first of them. */
export const codes = Object.freeze(native.codes)
/** Limits of the contract: bytes of names, texts and payloads, and how many of each there may be. */
export const limits = Object.freeze(native.limits)
/** Every outcome that a host may tell. */
export const statuses: readonly Status[] = Object.freeze(native.statuses)

const byCode = new Map(statuses.map(status => [status.code, status]))
const overflows = ['reject', 'drop-oldest', 'drop-newest'] as const
const severities = ['info', 'warn', 'error'] as const
const leaves = ['discard', 'keep', 'park'] as const

/** The row for a number that a host sent; UNKNOWN for one that is not in the table. */
export function statusOf(code: number): Status {
  return byCode.get(code) ?? { name: 'UNKNOWN', code, text: `unknown status ${code}` }
}

function hostMessage(message: NativeMessage): HostMessage {
  if (message.status === undefined) return message as unknown as HostMessage
  return { ...message, status: statusOf(message.status).name } as unknown as HostMessage
}

/** What a link tells its owner. */
export interface LinkEvents {
  message(m: HostMessage): void
  /** Once, when the attachment has ended by itself: a sentence that says why. Everything is given back already. */
  closed(reason: string): void
}

/**
 * An attachment. Questions are queued when the socket is full and answered by `on.message` with the same `call`, a
 * number that no unanswered question has. On a link that has ended, questions do nothing: `on.closed` has said so.
 *
 * An open link keeps the process and its callbacks alive, as an open socket does. The end of its thread closes it.
 * @throws RingError MISUSE for a question before its time, NO_MEMORY
 */
export class Link {
  readonly #link: NativeLink

  private constructor(path: string, on: LinkEvents) {
    callable('message', on.message)
    callable('closed', on.closed)
    const message = (m: NativeMessage) => on.message(hostMessage(m))
    const opened = native.open(path, message, why => on.closed(why))
    if (typeof opened === 'number') throw systemError(opened, `cannot connect to ${path}`)
    this.#link = opened
  }

  /**
   * Connects to the host that listens at `path`, at once.
   * @throws RingError with the errno's name: ENOENT, ECONNREFUSED, EACCES, ENAMETOOLONG (over 107 bytes), ...
   */
  static open(path: string, on: LinkEvents): Link {
    return new Link(text('path', path, 4096), on)
  }

  /** The first word; answered by `welcome` or `refused`. `program`: 1 to 63 bytes, shown to users of the host. */
  hello(program: string): void {
    asked(native.hello(this.#link, text('program', program, limits.name)))
  }

  /** Asks for a doorbell; answered by `executor`. `id`: 0 to 15, and below the `maxExecutors` of the welcome. */
  addExecutor(call: number, id: number): void {
    asked(native.addExecutor(this.#link, u32('call', call), u32('id', id, limits.executors - 1)))
  }

  /** Asks for a process node; answered by `node` or `failed`. */
  addNode(call: number, ask: NodeAsk): void {
    const counts = [
      u32('number of next nodes', ask.next.length, limits.next),
      u32('number of counters', ask.counters.length, limits.counters),
      u32('number of codes', ask.codes.length, limits.codes),
    ] as const
    u32('call', call)
    for (const name of ask.next) text('next node', name, limits.name)
    for (const counter of ask.counters) {
      text('counter', counter.name, limits.name)
      text('text of a counter', counter.text, limits.text, 0)
      choice('severity', counter.severity, severities)
    }
    for (const { code, maxSize } of ask.codes) {
      u32('code', code)
      u32('largest payload', maxSize, limits.ringMax)
    }
    asked(
      native.node(
        this.#link,
        call,
        text('name', ask.name, limits.name),
        u32('executor', ask.executor, limits.executors - 1),
        u32('event ring', ask.eventRing ?? 0),
        u32('reply ring', ask.replyRing ?? 0),
        u32('command ring', ask.commandRing ?? 0),
        u32('backlog', ask.backlog ?? 0),
        u32('bytes of the backlog', ask.backlogBytes ?? 0),
        choice('overflow', ask.overflow, overflows),
        counts[0] + counts[1] * 0x100 + counts[2] * 0x1_0000,
      ),
    )
    ask.next.forEach((name, i) => {
      asked(native.nodeNext(this.#link, call, i, name))
    })
    ask.counters.forEach(({ name, text: description, severity }, i) => {
      asked(native.nodeCounter(this.#link, call, i, severities.indexOf(severity), name, description))
    })
    for (const { code, maxSize } of ask.codes) asked(native.nodeCode(this.#link, call, code, maxSize))
    asked(native.nodeEnd(this.#link, call))
  }

  /**
   * Ends a node's inbox in order; answered by `nodeClosed`. Its senders are told CLOSED from then on, and behind the last
   * event that was accepted comes a record of kind `close`. The slot stays until `removeNode`; registering the node
   * anew after that opens it.
   * @throws RingError MISUSE if there is none
   */
  closeNode(call: number, slot: number, generation: number): void {
    asked(native.nodeClose(this.#link, u32('call', call), u32('slot', slot), u32('generation', generation)))
  }

  /**
   * Lets go of a node; answered by `removed`. The slot takes and gives nothing from here on; commands that were pushed
   * before still run. `how` says what becomes of the node:
   * - `discard`: it goes. What is queued is discarded and counted.
   * - `keep`: all stays as after a death of the daemon. Registering a node of that name claims it with its queue; `ready`
   *   of a later attachment removes it if nobody did.
   * - `park`: its senders are told CLOSED, what is queued is discarded and counted, and it stays idle until it is claimed.
   *
   * A node that was kept or parked may be removed again, by the same slot and generation, as long as nobody claimed it.
   * @throws RingError MISUSE if there is none, or while a view of another thread has the slot: it removes it first, or ends
   */
  removeNode(call: number, slot: number, generation: number, how: Leave = 'discard'): void {
    u32('call', call)
    u32('slot', slot)
    u32('generation', generation)
    asked(native.nodeRemove(this.#link, call, slot, generation, choice('how', how, leaves)))
  }

  /** Lists a process node of the host's own that commands may signal; answered by `ready`. */
  allowSignal(call: number, node: string): void {
    asked(native.allowSignal(this.#link, u32('call', call), text('node', node, limits.name)))
  }

  /** Registration is complete: the host removes nodes of an earlier attachment that were not claimed. */
  ready(call: number): void {
    asked(native.ready(this.#link, u32('call', call)))
  }

  /** Asks whether the host's main thread lives; answered by `pong`. */
  ping(call: number): void {
    asked(native.ping(this.#link, u32('call', call)))
  }

  /**
   * Opens an executor that the host has answered for. `onWake(count)` is called when slots may have something (events,
   * replies, room, a deadline), with their numbers in `executor.slots`; microtasks run before the executor goes on.
   * @throws RingError MISUSE if there is none, or it is open or shared
   */
  executor(id: number, onWake: (count: number) => void, options: ExecutorOptions = {}): Executor {
    return openExecutor(this.#link, id, onWake, options)
  }

  /**
   * Lends an executor that the host has answered for, and that is not open here, to another thread of this process:
   * post the object to it, for `View.open`. When that view is closed, or its thread has ended, it can be shared again;
   * the new view starts without slots. An object that no view has taken yet is void then. The executor of the daemon's own slot (the first one asked for) cannot be shared.
   * @throws RingError MISUSE if there is none, it is open, or a view has it already; NO_MEMORY (or descriptors)
   */
  shareExecutor(id: number): SharedExecutor {
    const token = native.shareExecutor(this.#link, u32('id', id, limits.executors - 1))
    if (token < 0) throw fault(token)
    return { executor: id, token }
  }

  /**
   * Gives a slot away to the view that has its executor: post the object to it, for `View.addSlot`. This link's own
   * executors do not touch it any more; `removeNode` still takes it back from the host.
   * @throws RingError MISUSE if there is none, it was given away, or its executor is open here; NO_MEMORY
   */
  shareSlot(slot: number): SharedSlot {
    const shared = native.shareSlot(this.#link, u32('slot', slot, limits.slots - 1))
    if (typeof shared === 'number') throw fault(shared)
    return { slot, executor: shared[1], token: shared[0] }
  }

  /**
   * Gives every descriptor and mapping back, at once. Idempotent; `closed` is not called. What was shared and not used
   * is gone; views that are open see the end of the host's doorbell and end by themselves.
   */
  close(): void {
    native.close(this.#link)
  }
}

/**
 * Tells systemd the service's state (`READY=1`) through $NOTIFY_SOCKET. Waits while systemd's queue is full, but for
 * `WATCHDOG=1`, which is dropped then.
 * @returns false: nobody wants to know ($NOTIFY_SOCKET is not set)
 * @throws RingError with the errno's name
 */
export function notify(state: string): boolean {
  const path = process.env.NOTIFY_SOCKET
  if (!path) return false
  const sent = native.notify(path, Buffer.from(text('state', state, 65_536)), state !== 'WATCHDOG=1')
  if (sent < 0 && !(state === 'WATCHDOG=1' && systemError(sent, '').code === 'EAGAIN'))
    throw systemError(sent, `cannot notify ${path}`)
  return true
}

/**
 * Opens `path` (made with mode 0600; a symbolic link is refused) and locks it for this process.
 * @returns the descriptor, which is the caller's to close and holds the lock until then; undefined: it is locked
 * @throws RingError with the errno's name
 */
export function lockFile(path: string): number | undefined {
  const fd = native.lockFile(text('path', path, 4096))
  if (fd >= 0) return fd
  const error = systemError(fd, `cannot lock ${path}`)
  if (error.code === 'EAGAIN') return undefined
  throw error
}

/** CLOCK_MONOTONIC in milliseconds with fractions: the clock of deadlines and of `time` in records. */
export function now(): number {
  return native.now()
}
