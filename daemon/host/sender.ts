// sender.ts: events from outside into nodes: SEND commands on slot 0, which is the daemon's own, pipelined, in order.
import { statusOf } from '../../shm/ring.js'
import { Calls } from './calls.js'
import type { Client, NodeExecutor } from './executor.js'
import { littleEndian } from './native.js'
import { NoOutcomeError, type Outcome } from './outcomes.js'
import { type Accepted, SendError } from './report.js'

const ownSlot = 0
/** A host that takes longer to accept an event, ms, is as good as away. */
const longestWait = 30_000

/** Whom an event is for. */
export interface Target {
  readonly slot: number
  readonly generation: number
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
  async send({ slot, generation }: Target, code: number, bytes: Uint8Array): Promise<Accepted> {
    const { ring } = this.#executor
    let outcome: Outcome
    try {
      outcome = await this.#calls.call(call => ring.send(ownSlot, call, slot, generation, code, bytes), {
        ms: longestWait,
      })
    } catch (error) {
      if (!(error instanceof NoOutcomeError)) throw error
      throw new SendError('HOST_AWAY', `${error.message}; the event may or may not be in the queue`)
    }
    return accepted(outcome)
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

function accepted({ status, bytes }: Outcome): Accepted {
  const { name, text } = statusOf(status)
  switch (name) {
    case 'OK':
      return { seq: place(bytes) }
    case 'FULL':
    case 'NO_MEMORY':
      if (bytes.byteLength > 0) return { seq: place(bytes), dropped: true }
      throw new SendError('FULL', text)
    case 'CLOSED':
    case 'STALE':
    case 'NODE_UNKNOWN':
      throw new SendError('CLOSED', text)
    case 'TYPE_UNKNOWN':
    case 'TOO_BIG':
      throw new SendError(name, text)
    default:
      throw new Error(`the host answered ${name}: ${text}`)
  }
}

/** The sequence that the target's node assigned. */
function place(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, littleEndian)
}
