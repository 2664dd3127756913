// native.ts: loads the addon and says what it is in types. Only the files of this folder import it.
import { createRequire } from 'node:module'
import type { Status } from './message.js'

/** A number of `enum corod_answer_code`; for questions to the system: 0 or more, or a negative errno. */
export type Code = number

/** A native attachment. */
export type NativeLink = object

/** A native view of an attachment that another thread has. */
export type NativeView = object

/** An executor object of addon_executor.c. Its functions are called on it, never taken off it. */
export interface NativeExecutor {
  drain(slot: number, into: Uint8Array, at: number): Code
  take(slot: number, n: number): Code | undefined
  release(slot: number): Code | undefined
  replies(slot: number, into: Uint8Array, at: number): Code
  count(slot: number, counter: number, by: number): Code | undefined
  enqueue(
    slot: number,
    call: number,
    next: number,
    rx: number,
    tx: number,
    flags: number,
    packet: Uint8Array,
  ): Code | undefined
  cli(slot: number, call: number, text: Uint8Array): Code | undefined
  signal(slot: number, call: number, node: string, type: bigint, data: bigint): Code | undefined
  send(
    slot: number,
    call: number,
    target: number,
    generation: number,
    type: number,
    wants: number,
    bytes: Uint8Array,
  ): Code | undefined
  answer(slot: number, handle: number, status: number, bytes: Uint8Array): Code | undefined
  deadline(slot: number, at: number): Code | undefined
  flush(): void
  close(): void
}

/** A message of the host as addon_message.c makes it: HostMessage, but with the status as its number. */
export type NativeMessage = Record<string, unknown> & { kind: string; status?: number }

interface Native {
  open(path: string, message: (m: NativeMessage) => void, ended: (why: string) => void): NativeLink | Code
  close(base: NativeLink | NativeView): void
  executor(
    base: NativeLink | NativeView,
    id: number,
    slots: Uint32Array,
    onWake: (count: number) => void,
    /** Nanoseconds. */
    spin: number,
  ): NativeExecutor | Code
  /** A token, or a negative code. */
  shareExecutor(link: NativeLink, id: number): number | Code
  shareSlot(link: NativeLink, slot: number): [token: number, executor: number] | Code
  view(token: number, ended: (why: string) => void): NativeView | Code
  addSlot(view: NativeView, token: number): Code
  removeSlot(view: NativeView, slot: number): Code
  discard(token: number): void
  hello(link: NativeLink, program: string): Code
  addExecutor(link: NativeLink, call: number, id: number): Code
  node(
    link: NativeLink,
    call: number,
    name: string,
    executor: number,
    eventRing: number,
    replyRing: number,
    commandRing: number,
    backlog: number,
    backlogBytes: number,
    overflow: number,
    counts: number,
  ): Code
  nodeNext(link: NativeLink, call: number, index: number, name: string): Code
  nodeCounter(link: NativeLink, call: number, index: number, severity: number, name: string, text: string): Code
  nodeCode(link: NativeLink, call: number, code: number, maxSize: number): Code
  nodeEnd(link: NativeLink, call: number): Code
  nodeClose(link: NativeLink, call: number, slot: number, generation: number): Code
  nodeRemove(link: NativeLink, call: number, slot: number, generation: number, how: number): Code
  allowSignal(link: NativeLink, call: number, node: string): Code
  ready(link: NativeLink, call: number): Code
  ping(link: NativeLink, call: number): Code
  now(): number
  notify(path: string, state: Uint8Array, wait: boolean): Code
  lockFile(path: string): Code
  statuses: Status[]
  record: Record<'bytes' | 'size' | 'kind' | 'flags' | 'attempts' | 'type' | 'answer' | 'seq' | 'time', number>
  gap: Record<'bytes' | 'first' | 'last' | 'count', number>
  kinds: Record<'pad' | 'event' | 'signal' | 'gap' | 'close' | 'command' | 'outcome', number>
  flags: Record<'redelivered' | 'more', number>
  codes: Record<'reserved' | 'interfaceChange' | 'gap', number>
  limits: Record<
    | 'name'
    | 'text'
    | 'packet'
    | 'event'
    | 'slots'
    | 'executors'
    | 'ringMin'
    | 'ringMax'
    | 'next'
    | 'counters'
    | 'codes'
    | 'protocol'
    | 'protocolMin'
    | 'spin',
    number
  >
  answers: Record<'done' | 'notNow' | 'broken' | 'misuse' | 'tooLarge' | 'tooSmall' | 'memory' | 'gone', number>
}

/** The addon. dist/shm is two folders below the package's root. */
export const native = createRequire(import.meta.url)('../../build/shm/corod.node') as Native
