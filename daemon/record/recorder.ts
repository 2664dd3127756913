// recorder.ts: a port that writes down what passes it. It stands between the runtime and the node's real surroundings,
// and neither notices.

import type { AnyEvent } from '../message/message.js'
import type { CompiledNode } from '../process/define.js'
import { CliError } from '../process/errors.js'
import type { Log } from '../process/node.js'
import type { NodePort } from '../process/port.js'
import type { RunResult } from '../process/runtime.js'
import { formatVersion, type Head, type Line, relative, toJson } from './format.js'

const noInterface = 0xffff_ffff

/** Where the lines go: a file, a stream, an array of a test. Gets whole lines, each with its line feed. */
export interface RecordSink {
  write(line: string): unknown
}

/** A port that records. */
export interface RecordedPort extends NodePort<AnyEvent> {
  /** The life of the node is over. Without this line a recording counts as cut off. */
  end(result: RunResult): void
}

/**
 * Records one life of a node: wrap its port and give the result to its runtime. A sink that throws ends the recording,
 * with a line in the node's log; the node goes on.
 *
 * The recording holds the node's options, its events and its packets as they are, secrets included.
 *
 * @param names of the definition, so that the recording does not depend on their order.
 */
export function recordPort(
  port: NodePort<AnyEvent>,
  names: Pick<CompiledNode, 'next' | 'counters'>,
  sink: RecordSink,
): RecordedPort {
  return new Recorder(port, names, sink)
}

class Recorder implements RecordedPort {
  readonly name: string
  readonly options: unknown
  readonly log: Log
  readonly codeUrl?: string
  readonly #port: NodePort<AnyEvent>
  readonly #next: readonly string[]
  readonly #counters: readonly string[]
  readonly #start: number
  #sink: RecordSink | undefined
  #deadline = Number.POSITIVE_INFINITY
  #closed = false
  #calls = 0

  constructor(port: NodePort<AnyEvent>, names: Pick<CompiledNode, 'next' | 'counters'>, sink: RecordSink) {
    this.name = port.name
    this.options = port.options
    this.log = port.log
    if (port.codeUrl !== undefined) this.codeUrl = port.codeUrl
    this.#port = port
    this.#next = names.next
    this.#counters = names.counters.map(counter => counter.name)
    this.#start = port.now()
    this.#sink = sink
    const head = { corod: 'recording', version: formatVersion, node: port.name, start: this.#start } as const
    this.#put(JSON.stringify(withOptions(head, port.options)))
  }

  now(): number {
    const now = this.#port.now()
    if (now >= this.#deadline) {
      this.#write({ at: relative(now, this.#start), timer: relative(this.#deadline, this.#start) })
      this.#deadline = Number.POSITIVE_INFINITY
    }
    return now
  }

  deadline(at: number): void {
    this.#deadline = at
    this.#port.deadline(at)
  }

  take(): AnyEvent | undefined {
    const event = this.#port.take()
    if (event !== undefined) this.#event(event, this.#at())
    return event
  }

  takeBatch(): readonly AnyEvent[] {
    const events = this.#port.takeBatch()
    // One time for all of a batch: a replay hands them over together, too.
    const at = events.length === 0 ? 0 : this.#at()
    for (const event of events) this.#event(event, at)
    return events
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
    this.#write({ at: this.#at(), count: this.#counters[counter] ?? `${counter}`, by })
    this.#port.count(counter, by)
  }

  enqueue(next: number, packet: Uint8Array, rx: number, tx: number, flags: number): boolean {
    const taken = this.#port.enqueue(next, packet, rx, tx, flags)
    this.#write({
      at: this.#at(),
      enqueue: this.#next[next] ?? `${next}`,
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
    this.#sink = undefined
  }

  #event(event: AnyEvent, at: number): void {
    if (this.#sink === undefined) return
    const { type, seq, time, redelivered, attempts, ...rest } = event
    const fields: Record<string, unknown> = {}
    for (const [name, value] of Object.entries(rest)) fields[name] = toJson(value)
    this.#write({
      at,
      event: type,
      seq: `${seq}`,
      time: relative(time, this.#start),
      fields,
      ...(redelivered ? { redelivered } : {}),
      ...(attempts === 0 ? {} : { attempts }),
    })
  }

  #at(): number {
    return relative(this.#port.now(), this.#start)
  }

  #write(line: Line): void {
    this.#put(JSON.stringify(line))
  }

  #put(line: string): void {
    if (this.#sink === undefined) return
    try {
      this.#sink.write(`${line}\n`)
    } catch (error) {
      this.#sink = undefined
      this.log.warn({ error: String(error) }, 'the recording ends here: it cannot be written')
    }
  }
}

// Options come from a schema of the author's and may be anything; a recording without them is better than none.
function withOptions(head: Omit<Head, 'options'>, options: unknown): Head {
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
