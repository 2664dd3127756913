// errors.ts: what can go wrong for a coroutine, each with a code that stays the same.

/** Every code of a {@link ProcessError}, and when it is thrown. docs/writing-a-node.md lists the same. */
export const errorCodes = {
  ERR_TIMEOUT: 'the deadline of vm.timeout has come before a value or a result',
  ERR_CHANNEL_CLOSED: 'send() on a channel whose receiver is gone, or by a sender that was closed',
  ERR_RECEIVER_BUSY: 'two waits at once on the same inbox, receiver, timer or Unordered',
  ERR_NODE_STOPPED: 'the node was stopped: every wait and call ends so',
  ERR_CLI: 'the host refused the command of vm.cli, or it failed',
  ERR_UNDELIVERED: 'an event for a peer did not reach its queue: it is full, closed, not there',
  ERR_REFUSED: 'the peer refused the call, and said why',
  ERR_UNANSWERED: 'the peer finished with the call without an answer',
  ERR_PEER_DIED: 'the peer ended before it answered the call',
  ERR_DISPOSED: 'a timer was used after it was disposed of',
  ERR_INVALID_ARGUMENT: 'an argument that can never be right: a duration of NaN, an unknown counter, an empty packet',
} as const

/** A stable name of what went wrong, in every {@link ProcessError}; compare this, not the message. */
export type ErrorCode = keyof typeof errorCodes

const brand = Symbol.for('corod.processError')

/**
 * The class of all errors that the runtime throws. `instanceof` also recognises errors of another copy of this package,
 * because a node module may have its own.
 */
export class ProcessError extends Error {
  /** What went wrong; the same for ever, unlike `message`. */
  readonly code: ErrorCode
  /** @internal The code of all errors of a class; undefined for ProcessError itself, which stands for all. */
  static readonly code: ErrorCode | undefined = undefined

  /** @internal */
  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
    this.code = code
    Object.defineProperty(this, brand, { value: true })
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore-start lint/complexity/noThisInStatic: the class on the right of instanceof, which may be derived
    // A class that an author derives has the code of its parent, but not all errors of that code are of it.
    if (!Object.hasOwn(this, 'code')) return Function.prototype[Symbol.hasInstance].call(this, value)
    if (typeof value !== 'object' || value === null || !(brand in value)) return false
    return this.code === undefined || (value as { code?: unknown }).code === this.code
    // biome-ignore-end lint/complexity/noThisInStatic: the class on the right of instanceof, which may be derived
  }
}

/**
 * `ERR_TIMEOUT`: the deadline of `vm.timeout` or of `peer.call` came first. Its message is "deadline has elapsed", as in
 * the `Elapsed` of Rust's futures. Of `vm.timeout` with a source, the source is as it was before.
 */
export class TimeoutError extends ProcessError {
  static override readonly code = 'ERR_TIMEOUT'

  /** @internal */
  constructor() {
    super('ERR_TIMEOUT', 'deadline has elapsed')
  }
}

/**
 * `ERR_CHANNEL_CLOSED`: `Sender.send` or `Sender.clone` after this sender was closed, or after the receiver is gone. What
 * was not sent is still the caller's.
 */
export class ChannelClosedError extends ProcessError {
  static override readonly code = 'ERR_CHANNEL_CLOSED'

  /** @internal */
  constructor(message = 'the channel is closed') {
    super('ERR_CHANNEL_CLOSED', message)
  }
}

/**
 * `ERR_RECEIVER_BUSY`: somebody else already waits on this inbox, receiver, timer or `Unordered`. A value can go to one
 * only, and nobody could say which. Nothing was taken.
 */
export class ReceiverBusyError extends ProcessError {
  static override readonly code = 'ERR_RECEIVER_BUSY'

  /** @internal */
  constructor(what: string) {
    super('ERR_RECEIVER_BUSY', `somebody already waits on this ${what}: one wait at a time`)
  }
}

/**
 * `ERR_NODE_STOPPED`: the node was destroyed while it waited, or waits after that. Let it pass: `finally` and `using`
 * run. To catch it and go on is of no use, since every wait that follows ends so, too. `cause` is the error that ended
 * the node, if one did.
 */
export class NodeStoppedError extends ProcessError {
  static override readonly code = 'ERR_NODE_STOPPED'

  /** @internal */
  constructor(node: string, options?: ErrorOptions) {
    super('ERR_NODE_STOPPED', `node "${node}" was stopped`, options)
  }
}

/**
 * `ERR_CLI`: a command of `vm.cli` was refused or failed.
 *
 * @example
 * try {
 *   await vm.cli('set interface state loop0 up')
 * } catch (error) {
 *   if (!(error instanceof CliError)) throw error
 *   node.log.warn({ status: error.status, output: error.output }, 'no loop0')
 * }
 */
export class CliError extends ProcessError {
  static override readonly code = 'ERR_CLI'
  /** The command, as it was given. */
  readonly command: string
  /**
   * The host's name for what happened: `CLI_FAILED` (the command did), `CLI_BUSY` (too many wait), `CLI_SUSPENDS` (it would
   * hold up VPP's workers), `CUT` (more than 16 MiB of output), `HOST_AWAY`. See `enum corod_status` in `shm/layout.h`.
   */
  readonly status: string
  /** What the command had written until then; may be empty. */
  readonly output: string

  /** @internal */
  constructor(command: string, status: string, message: string, output = '', options?: ErrorOptions) {
    super('ERR_CLI', `"${command}": ${message}`, options)
    this.command = command
    this.status = status
    this.output = output
  }
}

/** `ERR_UNDELIVERED`: an event of `peer.send` or `peer.call` did not reach the queue of the peer, and never will. */
export class UndeliveredError extends ProcessError {
  static override readonly code = 'ERR_UNDELIVERED'
  /** The name of the node that it was for. */
  readonly node: string
  /** The host's name for why: `FULL`, `CLOSED`, `UNREGISTERED`, `HOST_AWAY`, `TOO_BIG`, `LIMIT`, … */
  readonly status: string

  /** @internal */
  constructor(node: string, status: string, message: string, options?: ErrorOptions) {
    super('ERR_UNDELIVERED', `node "${node}": ${message}`, options)
    this.node = node
    this.status = status
  }
}

/** `ERR_REFUSED`: the peer of a `peer.call` said no, and why. */
export class RefusedError extends ProcessError {
  static override readonly code = 'ERR_REFUSED'
  /** The name of the peer. */
  readonly node: string
  /** What the peer gave to `event.refuse`: at most 1000 bytes of text. */
  readonly reason: string

  /** @internal */
  constructor(node: string, reason: string) {
    super('ERR_REFUSED', `node "${node}" refused: ${reason}`)
    this.node = node
    this.reason = reason
  }
}

/** `ERR_UNANSWERED`: the peer of a `peer.call` asked for its next event, or returned, and had not answered. */
export class UnansweredError extends ProcessError {
  static override readonly code = 'ERR_UNANSWERED'
  /** The name of the peer. */
  readonly node: string

  /** @internal */
  constructor(node: string) {
    super('ERR_UNANSWERED', `node "${node}" finished with the call and did not answer`)
    this.node = node
  }
}

/**
 * `ERR_PEER_DIED`: the peer of a `peer.call` threw, was stopped, or its process died. It may have done what was asked, or
 * half of it; its next life gets the event again, marked `redelivered`, and answers nobody.
 */
export class PeerDiedError extends ProcessError {
  static override readonly code = 'ERR_PEER_DIED'
  /** The name of the peer. */
  readonly node: string

  /** @internal */
  constructor(node: string) {
    super('ERR_PEER_DIED', `node "${node}" ended before it answered`)
    this.node = node
  }
}

/** An argument that can never be right. */
export function invalid(message: string): ProcessError {
  return new ProcessError('ERR_INVALID_ARGUMENT', message)
}
