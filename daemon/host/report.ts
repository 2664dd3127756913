// report.ts: what a daemon says about itself, and what its control plane may ask of it. Types and one error; no I/O.
import type { MessageTable } from '../message/table.js'
import type { DeadLetter } from './letters/letter.js'

export type { DeadLetter, LetterReason } from './letters/letter.js'

/**
 * How the daemon stands to its host: `connecting` (none found yet, tries for ever), `connected`, `stalled` (connected,
 * but the host does not answer pings), `refused` (it answered, with another version or another daemon attached).
 */
export type HostState = 'connecting' | 'connected' | 'stalled' | 'refused'

/** Where a node is in its life. `idle`: its function returned and `restart: never` (or on-failure) leaves it so. */
export type NodeState =
  | 'waiting-for-host'
  | 'starting'
  | 'running'
  | 'idle'
  | 'backing-off'
  | 'crash-loop'
  | 'stopping'
  | 'stopped'

export interface HostReport {
  readonly state: HostState
  /** Path of the attach socket. */
  readonly socket: string
  /** 'vpp' or 'standalone'; absent until one was met. */
  readonly name?: string
  /** The host's own version text. */
  readonly release?: string
  /** While attached. */
  readonly pid?: number
  /** While attached: the attachment's epoch, hexadecimal. */
  readonly epoch?: string
  /** ISO 8601: when `state` was entered. */
  readonly since: string
  /** Successful attachments since the daemon started. */
  readonly attachments: number
  /** Why the last attempt or attachment ended; absent if none did. */
  readonly lastError?: string
}

export interface StatusReport {
  readonly version: string
  readonly pid: number
  readonly uptimeMs: number
  /** Path of the configuration file. */
  readonly config: string
  /** ISO 8601: when the configuration that runs was loaded. */
  readonly loaded: string
  /** How often one was loaded since the daemon started. */
  readonly reloads: number
  readonly host: HostReport
  readonly nodes: { readonly total: number; readonly running: number; readonly failed: number }
  /** Events handed to coroutines, all nodes. */
  readonly received: number
  /** Events that senders on the control socket had accepted. */
  readonly sent: number
  /** Bytes of memory that are resident. */
  readonly rss: number
}

export interface NodeReport {
  readonly name: string
  /** Absolute path of the module. */
  readonly module: string
  readonly state: NodeState
  /** How often its coroutine was started again. */
  readonly restarts: number
  /** Events handed over, redelivered ones included. */
  readonly received: number
  /** Events handed over that a coroutine had in hand before and died. */
  readonly redelivered: number
  /** Records that did not fit the message table: in the dead letters, or skipped. */
  readonly rejected: number
  /** Transitions kept out by the `interfaces` filter. */
  readonly filtered: number
  /** Gap notices. */
  readonly gaps: number
  /** Events that were dropped according to the gap notices. */
  readonly missed: number
  /** Results of its commands and calls that came when it did not wait for them any more. */
  readonly late: number
  /** Events that went to the dead letters. */
  readonly deadLetters: number
  /** Events that should have and could not be stored, and dead letters that were thrown away to make room. */
  readonly lostLetters: number
  /** Message of the last error that ended the coroutine or kept the node from being registered. */
  readonly lastError?: string
  /** Its slot in the present attachment. */
  readonly slot?: number
  /** The host's index of the process node. */
  readonly index?: number
  /** Names of the messages it takes. */
  readonly messages: readonly string[]
  readonly executor: string
}

/** An event that its node's backlog took: it survives every death of the daemon. */
export interface Accepted {
  /** Its place in the total order of its node. */
  readonly seq: bigint
  /** True: the node's overflow policy dropped it at once (`drop-newest`); the node is told by a gap notice. */
  readonly dropped?: boolean
}

/** The reply to an event that was sent by `ask`. */
export interface Answered {
  readonly seq: bigint
  /** The fields that the message declares for its reply. */
  readonly reply: Readonly<Record<string, unknown>>
}

/**
 * `UNREGISTERED`: there is a host, but it has not taken the node (yet). Of `ask` only: `NO_REPLY` (the message declares
 * none), `REFUSED` (the node said no, the error's message is its reason), `TIMEOUT`, `UNANSWERED` (the node finished
 * with the event), `DIED` (the node ended before).
 */
export type SendErrorCode =
  | 'NODE_UNKNOWN'
  | 'TYPE_UNKNOWN'
  | 'INVALID'
  | 'FULL'
  | 'CLOSED'
  | 'UNREGISTERED'
  | 'HOST_AWAY'
  | 'TOO_BIG'
  | 'NO_REPLY'
  | 'REFUSED'
  | 'TIMEOUT'
  | 'UNANSWERED'
  | 'DIED'

/** A dead letter that is still there, and why. */
export interface LetterFailure {
  readonly id: string
  /** Of a SendError; or UNKNOWN: there is no such letter. */
  readonly code: SendErrorCode | 'UNKNOWN'
  readonly detail: string
}

/** What became of dead letters that were to be sent again or dropped. */
export interface LettersSettled {
  /** So many were. */
  readonly done: number
  /** So many are there now. */
  readonly left: number
  readonly failures: readonly LetterFailure[]
}

/** How a node is to be recorded. */
export interface RecordOrder {
  /** Milliseconds after which it is recorded no more, 1 to 2147483647; absent: until it is told so. */
  readonly for?: number
  /** Bytes of the longest recording, from 4096; absent: as configured, or 100 MiB. */
  readonly size?: number
}

/** What became of an order to record a node. */
export interface RecordReport {
  /** The folder with its recordings. */
  readonly folder: string
  /** The recording that has begun; absent: the host is away, or the log says why not. */
  readonly file?: string
  /** ISO 8601: when it ends. */
  readonly until?: string
}

/** What is wrong with one part of a value. */
export interface Fault {
  /** JSON pointer (RFC 6901) to it; '' is the value itself. */
  readonly pointer: string
  readonly message: string
}

/** Why an event was not accepted. */
export class SendError extends Error {
  readonly code: SendErrorCode
  /** INVALID: every fault of the value. */
  readonly faults: readonly Fault[]

  constructor(code: SendErrorCode, message: string, faults: readonly Fault[] = []) {
    super(message)
    this.name = 'SendError'
    this.code = code
    this.faults = faults
  }

  /** INVALID: pointer to the first fault. */
  get pointer(): string | undefined {
    return this.faults[0]?.pointer
  }
}

/** A node whose configuration or code changed. */
export interface ChangedNode {
  readonly name: string
  /** The keys that differ, as the YAML spells them; `code`: its module changed, or something that it imports. */
  readonly why: readonly string[]
}

/** What a reload did. Each node of the old and the new configuration is in one of the lists, by name. */
export interface ReloadReport {
  readonly added: readonly string[]
  readonly removed: readonly string[]
  /** Their coroutines were started again; their queues were kept. */
  readonly changed: readonly ChangedNode[]
  /** Their coroutines go on, with other settings. */
  readonly adjusted: readonly ChangedNode[]
  readonly unchanged: readonly string[]
  /** Keys outside of `nodes` that were applied. */
  readonly settings: readonly string[]
  /** Keys outside of `nodes` that were not: they take a restart of the daemon. */
  readonly needsRestart: readonly string[]
  /** Of the added and changed nodes: those that do not run, because the host refused them for example. */
  readonly failed: readonly { readonly name: string; readonly error: string }[]
  /** How long it took, in milliseconds. */
  readonly ms: number
}

/** Told of every reload, whoever asked for it. */
export interface ReloadWatcher {
  began(): void
  /** It is over, well or not. */
  ended(outcome: { readonly report: ReloadReport } | { readonly error: unknown }): void
}

/** The daemon is stopping and does not begin anything. */
export class StoppingError extends Error {
  override readonly name = 'StoppingError'
}

/** What the control socket needs of a daemon. */
export interface ControlPlane {
  status(): StatusReport
  nodes(): readonly NodeReport[]
  /** The messages of a node, or undefined if there is no such node. */
  table(node: string): MessageTable | undefined
  /**
   * Sends one event, given as a JSON or typed value of its fields. Resolves when it is in the node's backlog.
   * Sends to one node are accepted in the order of the calls.
   * @throws SendError
   */
  send(node: string, type: string, value: unknown): Promise<Accepted>
  /**
   * Sends one event of a message that declares a reply, and waits for that, `ms` milliseconds (1 to 4294967295).
   * @throws SendError
   */
  ask(node: string, type: string, value: unknown, ms: number): Promise<Answered>
  /**
   * Loads the configuration again and applies what changed; a bad one changes nothing. Resolves when what had to stop
   * has stopped and what is new runs.
   * @throws ConfigError with every fault; StoppingError
   */
  reload(): Promise<ReloadReport>
  /** The dead letters of a node, the oldest first. @throws SendError, or the file system's error */
  deadLetters(node: string): readonly DeadLetter[]
  /**
   * Sends dead letters again, in their order, or drops them: those of `ids`, or all. Stops at the first that cannot be
   * sent now; one that does not fit the messages of the node stays and does not stop the others.
   * @throws SendError, or the file system's error
   */
  settleLetters(node: string, how: 'resend' | 'drop', ids?: readonly string[]): Promise<LettersSettled>
  /**
   * Has a node recorded for replay, from the start of a new life that begins now: it starts again, within its grace time,
   * with its queue.
   * @throws SendError, StoppingError
   */
  record(node: string, order: RecordOrder): Promise<RecordReport>
  /** Has a node recorded no more: it starts again. @throws SendError, StoppingError */
  unrecord(node: string): Promise<void>
  /** The same as `send` for an event that `table(node).encode` encoded before. */
  sendEncoded(node: string, code: number, bytes: Uint8Array): Promise<Accepted>
}
