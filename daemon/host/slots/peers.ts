// peers.ts: what a node sends to other nodes: SEND commands on its own slot, in the order in which it sent them.
import { statusOf } from '../../../shm/ring.js'
import { PeerDiedError, RefusedError, TimeoutError, UnansweredError, UndeliveredError } from '../../process/errors.js'
import { SendError } from '../report.js'
import type { Calls } from './calls.js'
import type { Places } from './directory.js'
import type { NodeExecutor } from './executor.js'
import { littleEndian } from './native.js'
import { NoOutcomeError, type Outcome } from './outcomes.js'

/** A host that has not accepted an event after so long, ms, is as good as away. */
const longestWait = 30_000
/** So much later than the host, ms, this side gives up a call by itself. */
const slack = 1000
/** Bytes before the reply: its event's place in the order of the peer. */
const accepted = 8

/** The sending end of one node in one attachment. */
export class PeerSender {
  readonly #executor: NodeExecutor
  readonly #slot: number
  readonly #calls: Calls
  readonly #directory: Places
  readonly #names: readonly string[]
  /** Events that wait for a peer to be registered, by peer: later ones stay behind them. */
  readonly #early: number[]

  /** `names`: the nodes, by the index of the peer. */
  constructor(executor: NodeExecutor, slot: number, calls: Calls, directory: Places, names: readonly string[]) {
    this.#executor = executor
    this.#slot = slot
    this.#calls = calls
    this.#directory = directory
    this.#names = names
    this.#early = names.map(() => 0)
  }

  /** Resolves with the event's place when it is in the backlog of the peer. Rejects with UndeliveredError. */
  async send(peer: number, code: number, bytes: Uint8Array, signal: AbortSignal): Promise<bigint> {
    const name = this.#names[peer]!
    const outcome = await this.#command(peer, code, bytes, 0, longestWait, signal)
    const seq = placeOf(outcome)
    // Dropped at once by the peer's own policy, it has a place all the same.
    if (seq === undefined) throw undelivered(name, outcome.status)
    return seq
  }

  /** Resolves with the reply. Rejects with what NodePort.ask says. */
  async ask(peer: number, code: number, bytes: Uint8Array, ms: number, signal: AbortSignal): Promise<Uint8Array> {
    const name = this.#names[peer]!
    const { status, bytes: answer } = await this.#command(peer, code, bytes, ms, ms + slack, signal)
    switch (statusOf(status).name) {
      case 'OK':
        return answer.subarray(accepted)
      case 'REFUSED':
        throw new RefusedError(name, new TextDecoder().decode(answer.subarray(accepted)))
      case 'TIMEOUT':
        throw new TimeoutError()
      case 'UNANSWERED':
        throw new UnansweredError(name)
      case 'DIED':
        throw new PeerDiedError(name)
      default:
        throw undelivered(name, status)
    }
  }

  async #command(
    peer: number,
    code: number,
    bytes: Uint8Array,
    wants: number,
    ms: number,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const name = this.#names[peer]!
    try {
      let target = this.#early[peer] === 0 ? this.#directory.find(name) : undefined
      if (target === undefined) {
        this.#early[peer]!++
        try {
          target = await this.#directory.arrival(name, signal)
        } finally {
          this.#early[peer]!--
        }
      }
      // From here to the ring without a pause: nothing that is sent later overtakes.
      const { slot, generation } = target
      const push = (call: number) => this.#executor.ring.send(this.#slot, call, slot, generation, code, bytes, wants)
      return await this.#calls.call(push, { ms, signal })
    } catch (error) {
      if (error instanceof SendError) throw new UndeliveredError(name, error.code, error.message, { cause: error })
      if (!(error instanceof NoOutcomeError)) throw error
      if (error.reason === 'deadline' && wants > 0) throw new TimeoutError()
      const text = `${error.message}; the event may or may not be in the queue`
      throw new UndeliveredError(name, 'HOST_AWAY', text, { cause: error })
    }
  }
}

/** The place of the event in the order of its node; undefined: it has none. */
export function placeOf({ bytes }: Outcome): bigint | undefined {
  if (bytes.byteLength < accepted) return undefined
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, littleEndian)
}

function undelivered(node: string, status: number): UndeliveredError {
  const { name, text } = statusOf(status)
  const gone = name === 'STALE' || name === 'NODE_UNKNOWN'
  return new UndeliveredError(node, gone ? 'CLOSED' : name, gone ? 'it has ended and takes no more events' : text)
}
