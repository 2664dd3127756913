// sender.ts: events from outside into nodes: SEND commands on slot 0, which is the daemon's own, pipelined, in order.
import { statusOf } from '../../../shm/ring.js'
import { type Accepted, SendError } from '../report.js'
import { Calls } from './calls.js'
import type { Target } from './directory.js'
import type { Client, NodeExecutor } from './executor.js'
import { NoOutcomeError, type Outcome } from './outcomes.js'
import { placeOf } from './peers.js'

const ownSlot = 0
/** A host that takes longer to accept an event, ms, is as good as away. */
const longestWait = 30_000
/** So much later than the host, ms, this side gives up an answer by itself. */
const slack = 1000
/** Bytes of the place before a reply. */
const head = 8

/** A reply, not decoded. */
export interface Reply extends Accepted {
  readonly bytes: Uint8Array
}

/** The sending end of one attachment. */
export class Sender implements Client {
  readonly #executor: NodeExecutor
  readonly #calls: Calls
  #dirty = false

  constructor(executor: NodeExecutor) {
    this.#executor = executor
    this.#calls = new Calls(executor, ownSlot, () => this.#touch())
    executor.bind(ownSlot, this)
  }

  /** Resolves when the event is in the backlog of `target`; calls are accepted in their order. @throws SendError */
  async send(target: Target, code: number, bytes: Uint8Array): Promise<Accepted> {
    return accepted(await this.#command(target, code, bytes, 0, longestWait))
  }

  /** Resolves with the node's reply. `ms`: how long to wait for it, 1 to 4294967295. @throws SendError */
  async ask(target: Target, code: number, bytes: Uint8Array, ms: number): Promise<Reply> {
    return replied(await this.#command(target, code, bytes, ms, ms + slack))
  }

  async #command(
    { slot, generation }: Target,
    code: number,
    bytes: Uint8Array,
    wants: number,
    ms: number,
  ): Promise<Outcome> {
    const { ring } = this.#executor
    try {
      return await this.#calls.call(call => ring.send(ownSlot, call, slot, generation, code, bytes, wants), { ms })
    } catch (error) {
      if (!(error instanceof NoOutcomeError)) throw error
      if (error.reason === 'deadline' && wants > 0) throw new SendError('TIMEOUT', error.message)
      throw new SendError('HOST_AWAY', `${error.message}; the event may or may not be in the queue`)
    }
  }

  /** The attachment is gone. */
  detach(reason: string): void {
    this.#calls.end(reason)
  }

  wake(): void {
    try {
      this.#calls.wake()
    } catch (error) {
      this.#executor.fault(error)
    }
  }

  flush(): void {
    this.#dirty = false
  }

  #touch(): void {
    if (this.#dirty) return
    this.#dirty = true
    this.#executor.dirty(this)
  }
}

function accepted(outcome: Outcome): Accepted {
  const { name } = statusOf(outcome.status)
  const seq = placeOf(outcome)
  if (name === 'OK' && seq !== undefined) return { seq }
  if (seq !== undefined) return { seq, dropped: true }
  throw refused(outcome)
}

function replied(outcome: Outcome): Reply {
  const { name, text } = statusOf(outcome.status)
  const seq = placeOf(outcome)
  const bytes = outcome.bytes.subarray(head)
  if (name === 'OK' && seq !== undefined) return { seq, bytes }
  if (name === 'REFUSED') throw new SendError('REFUSED', new TextDecoder().decode(bytes))
  if (name === 'TIMEOUT' || name === 'UNANSWERED' || name === 'DIED') throw new SendError(name, text)
  throw refused(outcome)
}

function refused({ status }: Outcome): Error {
  const { name, text } = statusOf(status)
  switch (name) {
    case 'FULL':
    case 'NO_MEMORY':
    case 'LIMIT':
      return new SendError('FULL', text)
    case 'CLOSED':
    case 'STALE':
    case 'NODE_UNKNOWN':
      return new SendError('CLOSED', text)
    case 'TYPE_UNKNOWN':
    case 'TOO_BIG':
      return new SendError(name, text)
    default:
      return new Error(`the host answered ${name}: ${text}`)
  }
}
