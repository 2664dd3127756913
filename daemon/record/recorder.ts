// recorder.ts: a port that writes down what passes it. It stands between the runtime and the node's real surroundings,
// and neither notices.

import { CallEvent } from '../message/call.js'
import type { AnyEvent } from '../message/message.js'
import { recordKind } from '../message/table.js'
import type { CompiledNode } from '../process/define.js'
import { CliError, ProcessError, RefusedError, UndeliveredError } from '../process/errors.js'
import type { Log } from '../process/node.js'
import type { NodePort } from '../process/port.js'
import type { RunResult } from '../process/runtime.js'
import { watchAnswers } from './answering.js'
import {
  formatVersion,
  type PeerLine,
  type RecordingHead,
  type RecordingLine,
  relative,
  toJson,
  toJsonFields,
} from './format.js'

const noInterface = 0xffff_ffff
/** A node that looks at the clock and does nothing else gets a line for so many looks. */
const longestNow = 1000

/** Where the lines of a recording go: a file, a stream, an array of a test. */
export interface RecordSink {
  /** Gets one line with its line feed. If it throws, the recording ends, and the node goes on. */
  write(line: string): unknown
}

/** What of a compiled definition a recording speaks of by name. */
export type RecordedNames = Pick<CompiledNode, 'next' | 'counters' | 'peers'>

/** A port that records. */
export interface RecordedPort extends NodePort<AnyEvent> {
  /** Whether anything is still written. */
  readonly recording: boolean
  /** The life of the node is over. Without this line a recording counts as cut off. */
  end(result: RunResult): void
  /** Writes no more; the node goes on. Not from within a turn of the node. */
  leave(): void
}

/**
 * Records one life of a node: wrap its port and give the result to its runtime. A sink that throws ends the recording,
 * with a line in the node's log; the node goes on.
 *
 * The recording holds the node's options, its events and its packets as they are, secrets included.
 *
 * @param names of the definition, so that the recording does not depend on their order.
 */
export function recordPort(port: NodePort<AnyEvent>, names: RecordedNames, sink: RecordSink): RecordedPort {
  return new Recorder(port, names, sink)
}

class Recorder implements RecordedPort {
  readonly name: string
  readonly options: unknown
  readonly log: Log
  readonly codeUrl?: string
  readonly peers: readonly string[]
  readonly #names: RecordedNames
  readonly #port: NodePort<AnyEvent>
  readonly #start: number
  #sink: RecordSink | undefined
  #deadline = Number.POSITIVE_INFINITY
  #setAt = 0
  // What the node was last told that the time is, and what it was told since the last line.
  #seen: number
  #told: number[] = []
  #closed = false
  #calls = 0
  #sent = 0
  #signals = 0

  constructor(port: NodePort<AnyEvent>, names: RecordedNames, sink: RecordSink) {
    this.name = port.name
    this.options = port.options
    this.log = port.log
    if (port.codeUrl !== undefined) this.codeUrl = port.codeUrl
    this.#port = port
    this.peers = port.peers
    this.#names = names
    this.#start = port.now()
    this.#seen = this.#start
    this.#sink = sink
    const head = { corod: 'recording', version: formatVersion, node: port.name, start: this.#start } as const
    this.#put(JSON.stringify(withOptions(head, port.options)))
  }

  get recording(): boolean {
    return this.#sink !== undefined
  }

  leave(): void {
    this.#write({ at: this.#at(), end: 'left' })
    this.#stop()
  }

  now(checking = false): number {
    const now = this.#port.now(checking)
    if (this.#sink === undefined) return now
    this.#seen = now
    if (checking) {
      if (now >= this.#deadline) this.#due(now)
      return now
    }
    this.#told.push(relative(now, this.#start))
    if (this.#told.length === longestNow) this.#flush()
    return now
  }

  #due(now: number): void {
    const [at, timer] = [now, this.#deadline].map(time => relative(time, this.#start)) as [number, number]
    this.#write({ at, timer, after: relative(this.#deadline, this.#setAt) })
    this.#deadline = Number.POSITIVE_INFINITY
  }

  deadline(at: number): void {
    this.#deadline = at
    // Whoever sets a timer has asked for the time just before.
    this.#setAt = this.#seen
    this.#port.deadline(at)
  }

  take(): AnyEvent | undefined {
    const event = this.#port.take()
    return event === undefined ? undefined : this.#event(event, this.#at())
  }

  takeBatch(): readonly AnyEvent[] {
    const events = this.#port.takeBatch()
    if (this.#sink === undefined) return events
    // One time for all of a batch: a replay hands them over together, too.
    const at = events.length === 0 ? 0 : this.#at()
    return events.map(event => this.#event(event, at))
  }

  late(): void {
    this.#port.late()
  }

  release(): void {
    this.#port.release()
  }

  closed(): boolean {
    const closed = this.#port.closed()
    if (closed && !this.#closed) {
      this.#closed = true
      this.#write({ at: this.#at(), close: true })
    }
    return closed
  }

  count(counter: number, by: number): void {
    if (this.#sink !== undefined) {
      this.#write({ at: this.#at(), count: this.#names.counters[counter]?.name ?? `${counter}`, by })
    }
    this.#port.count(counter, by)
  }

  enqueue(next: number, packet: Uint8Array, rx: number, tx: number, flags: number): boolean {
    const taken = this.#port.enqueue(next, packet, rx, tx, flags)
    if (this.#sink === undefined) return taken
    this.#write({
      at: this.#at(),
      enqueue: this.#names.next[next] ?? `${next}`,
      packet: toJson(packet) as string,
      ...(rx === noInterface ? {} : { rx }),
      ...(tx === noInterface ? {} : { tx }),
      ...(flags === 0 ? {} : { flags }),
      ...(taken ? {} : { refused: true }),
    })
    return taken
  }

  async cli(command: string, signal: AbortSignal): Promise<string> {
    const call = ++this.#calls
    this.#write({ at: this.#at(), cli: call, command })
    try {
      const text = await this.#port.cli(command, signal)
      this.#write({ at: this.#at(), answer: call, text })
      return text
    } catch (error) {
      const failed = error instanceof Error ? error.message : String(error)
      const more = error instanceof CliError ? { status: error.status, output: error.output } : {}
      this.#write({ at: this.#at(), answer: call, failed, ...more })
      throw error
    }
  }

  end(result: RunResult): void {
    const error = result.how === 'failed' ? { error: String(result.error) } : {}
    this.#write({ at: this.#at(), end: result.how, ...error })
    this.#stop()
  }

  async send(peer: number, code: number, bytes: Uint8Array, signal: AbortSignal): Promise<bigint> {
    const to = this.#toPeer('send', peer, code, bytes)
    const place = await this.#outcome(to, this.#port.send(peer, code, bytes, signal))
    this.#write({ at: this.#at(), from: to, place: `${place}` })
    return place
  }

  async ask(peer: number, code: number, bytes: Uint8Array, ms: number, signal: AbortSignal): Promise<Uint8Array> {
    const to = this.#toPeer('call', peer, code, bytes)
    const reply = await this.#outcome(to, this.#port.ask(peer, code, bytes, ms, signal))
    const { table } = this.#names.peers[peer]!
    const type = table.names.find(name => table.code(name) === code)!
    this.#write({ at: this.#at(), from: to, reply: toJsonFields(table.decodeReply(type, reply)) })
    return reply
  }

  async signal(target: string, code: bigint, data: bigint, aborted: AbortSignal): Promise<void> {
    const signal = ++this.#signals
    this.#write({ at: this.#at(), signal, target, code: `${code}`, data: `${data}` })
    try {
      await this.#port.signal(target, code, data, aborted)
      this.#write({ at: this.#at(), signalled: signal })
    } catch (error) {
      const why = error instanceof UndeliveredError ? { why: error.status } : {}
      this.#write({ at: this.#at(), signalled: signal, error: codeOf(error), ...why })
      throw error
    }
  }

  #toPeer(kind: PeerLine['kind'], peer: number, code: number, bytes: Uint8Array): number {
    if (this.#sink === undefined) return 0
    const { key, table } = this.#names.peers[peer]!
    const type = table.names.find(name => table.code(name) === code)!
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    const fields = toJsonFields(table.decode(code, recordKind.event, view, 0, bytes.length))
    const to = ++this.#sent
    this.#write({ at: this.#at(), to, peer: key, kind, type, fields })
    return to
  }

  async #outcome<T>(to: number, outcome: Promise<T>): Promise<T> {
    try {
      return await outcome
    } catch (error) {
      const code = codeOf(error)
      const why = error instanceof RefusedError ? error.reason : error instanceof UndeliveredError ? error.status : ''
      this.#write({ at: this.#at(), from: to, error: code, ...(why === '' ? {} : { why }) })
      throw error
    }
  }

  // The event as the node is to get it: one whose answer is written down, if there can be an answer.
  #event(event: AnyEvent, at: number): AnyEvent {
    if (this.#sink === undefined) return event
    const { type, seq, time, redelivered, attempts, ...rest } = event
    const asked = event instanceof CallEvent && event.asked
    this.#write({
      at,
      event: type,
      seq: `${seq}`,
      time: relative(time, this.#start),
      fields: toJsonFields(rest),
      ...(redelivered ? { redelivered } : {}),
      ...(attempts === 0 ? {} : { attempts }),
      ...(asked ? { asked } : {}),
    })
    if (!asked) return event
    return watchAnswers(event, answer => this.#write({ at: this.#at(), answered: `${seq}`, ...answer }))
  }

  #at(): number {
    return relative(this.#port.now(), this.#start)
  }

  #write(line: RecordingLine): void {
    if (this.#sink === undefined) return
    this.#flush()
    this.#put(JSON.stringify(line))
  }

  #stop(): void {
    this.#sink = undefined
    this.#told = []
  }

  #flush(): void {
    const last = this.#told.at(-1)
    if (last === undefined) return
    this.#put(JSON.stringify({ at: last, now: this.#told } satisfies RecordingLine))
    this.#told = []
  }

  #put(line: string): void {
    if (this.#sink === undefined) return
    try {
      this.#sink.write(`${line}\n`)
    } catch (error) {
      this.#stop()
      this.log.warn(`the recording ends here: ${error instanceof Error ? error.message : error}`)
    }
  }
}

// Options come from a schema of the author's and may be anything; a recording without them is better than none.
function withOptions(head: Omit<RecordingHead, 'options'>, options: unknown): RecordingHead {
  return isPlain(options, 0) ? { ...head, options } : head
}

// Whether JSON gives the same value back. What is nested too deep may be a cycle.
function isPlain(value: unknown, depth: number): boolean {
  if (value === null || value === undefined || typeof value === 'string' || typeof value === 'boolean') return true
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object' || depth === 100) return false
  const inner = Array.isArray(value) || isRecord(value) ? Object.values(value) : undefined
  return inner?.every(one => isPlain(one, depth + 1)) === true
}

function isRecord(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return (prototype === Object.prototype || prototype === null) && !('toJSON' in value)
}

function codeOf(error: unknown): string {
  return error instanceof ProcessError ? error.code : String(error)
}
