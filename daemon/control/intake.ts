// intake.ts: the events of one request on their way to the host, pipelined within a window, and what became of them.
// Sends are started in the order of the request and not awaited one by one; the reader of the body asks `full`, and
// waits for `room`, so a slow host holds up its clients instead of filling the daemon's memory.
import { bounds, type Plane } from './limits.js'
import { Problem, type ProblemDocument, problemOf } from './problems.js'

/** Where in the request an event stood: its index in an array, or its line (from 1) in an NDJSON body. */
export type Place = { readonly index: number } | { readonly line: number }

/** A failure as a summary lists it. */
export type Failure = Place & Pick<ProblemDocument, 'code' | 'detail' | 'pointer' | 'faults'>

/** What became of the events of a request. `lastSeq` is a decimal string; null: none was accepted. */
export interface Summary {
  readonly accepted: number
  /** Of the accepted: dropped at once by the node's overflow policy (`drop-newest`). */
  readonly dropped: number
  readonly rejected: number
  readonly lastSeq: string | null
  /** The first failures; `rejected` counts all. */
  readonly errors?: readonly Failure[]
}

/** Takes the events of one request to one node. */
export class Intake {
  readonly #plane: Plane
  readonly #node: string
  readonly #fault: (error: unknown) => void
  #accepted = 0
  #dropped = 0
  #rejected = 0
  #lastSeq: bigint | undefined
  #failures: Failure[] = []
  #first: Problem | undefined
  #final: Problem | undefined
  #flying = 0
  #flyingBytes = 0
  #waiting: { share: number; resume: () => void } | undefined

  /** `fault` is told of errors of the plane that are none of the sender's. */
  constructor(plane: Plane, node: string, fault: (error: unknown) => void) {
    this.#plane = plane
    this.#node = node
    this.#fault = fault
  }

  /** Starts the send of one parsed event. `bytes`: what it took in the request, for the window. */
  offer(event: unknown, place: Place, bytes: number): void {
    let sending: ReturnType<Plane['send']>
    try {
      const { type, fields } = split(event)
      sending = this.#plane.send(this.#node, type, fields)
    } catch (error) {
      this.#failed(error, place)
      return
    }
    this.#flying++
    this.#flyingBytes += bytes
    sending.then(
      accepted => {
        this.#accepted++
        if (accepted.dropped) this.#dropped++
        if (this.#lastSeq === undefined || accepted.seq > this.#lastSeq) this.#lastSeq = accepted.seq
        this.#landed(bytes)
      },
      error => {
        this.#failed(error, place)
        this.#landed(bytes)
      },
    )
  }

  /** Counts something in the place of an event that is none, such as a line that is not JSON. */
  refuse(problem: Problem, place: Place): void {
    this.#failed(problem, place)
  }

  /** Whether the window is used up. */
  get full(): boolean {
    return this.#flying >= bounds.window || this.#flyingBytes >= bounds.windowBytes
  }

  /** Why no later event of this request can succeed; undefined: it may. */
  get final(): Problem | undefined {
    return this.#final
  }

  /** The first failure. */
  get first(): Problem | undefined {
    return this.#first
  }

  /** Resolves when half of the window is free. One caller at a time. */
  room(): Promise<void> {
    return this.#below(0.5)
  }

  /** Resolves when everything that was offered has an outcome. */
  settled(): Promise<void> {
    return this.#below(0)
  }

  /** The outcome so far. */
  summary(): Summary {
    return {
      accepted: this.#accepted,
      dropped: this.#dropped,
      rejected: this.#rejected,
      lastSeq: this.#lastSeq === undefined ? null : String(this.#lastSeq),
      ...(this.#failures.length > 0 ? { errors: this.#failures } : {}),
    }
  }

  /** Resolves when at most `share` of the window is used. */
  #below(share: number): Promise<void> {
    if (this.#fits(share)) return Promise.resolve()
    return new Promise(resume => {
      this.#waiting = { share, resume }
    })
  }

  #fits(share: number): boolean {
    return this.#flying <= bounds.window * share && this.#flyingBytes <= bounds.windowBytes * share
  }

  #landed(bytes: number): void {
    this.#flying--
    this.#flyingBytes -= bytes
    const waiting = this.#waiting
    if (waiting === undefined || !this.#fits(waiting.share)) return
    this.#waiting = undefined
    waiting.resume()
  }

  #failed(error: unknown, place: Place): void {
    const problem = problemOf(error)
    if (problem.code === 'INTERNAL') this.#fault(error)
    this.#rejected++
    this.#first ??= problem
    if (problem.final) this.#final ??= problem
    if (this.#failures.length >= bounds.listed) return
    const { code, detail, pointer, faults } = problem.document()
    this.#failures.push({
      ...place,
      code,
      detail,
      ...(pointer === undefined ? {} : { pointer }),
      ...(faults === undefined ? {} : { faults }),
    })
  }
}

/** An event as senders write it: its type beside its fields. Throws Problem. */
export function split(event: unknown): { type: string; fields: Record<string, unknown> } {
  if (typeof event !== 'object' || event === null || Array.isArray(event)) {
    throw new Problem('INVALID', 'an event is an object: {"type": "name", ...fields}', [
      { pointer: '', message: 'must be an object' },
    ])
  }
  const { type, ...fields } = event as Record<string, unknown>
  if (typeof type !== 'string') {
    throw new Problem('INVALID', 'an event names its message: {"type": "name", ...fields}', [
      { pointer: '/type', message: type === undefined ? 'is missing' : 'must be a text' },
    ])
  }
  return { type, fields }
}
