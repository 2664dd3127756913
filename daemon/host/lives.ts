// lives.ts: the lives of one node, one after the other: makes the coroutine of each, and records it if that is wanted.
// Made in the thread that runs the node: it opens files.
import type { AnyEvent } from '../message/message.js'
import type { Log } from '../process/node.js'
import type { NodePort } from '../process/port.js'
import { NodeRuntime, type RunResult } from '../process/runtime.js'
import { RecordFile, type RecordPlace } from '../record/file.js'
import { type RecordedPort, recordPort } from '../record/recorder.js'
import type { LoadedNode } from './modules/loader.js'

/** Milliseconds that setTimeout can wait. */
const longestTimer = 0x7fff_ffff

/** Makes the coroutines of a node. */
export class Lives {
  readonly #node: LoadedNode
  readonly #log: Log

  constructor(node: LoadedNode, log: Log) {
    this.#node = node
    this.#log = log
  }

  /** A life on `port`; run it once. A recording that cannot be begun is told in the log, and the node lives without. */
  begin(port: NodePort<AnyEvent>): NodeRuntime {
    const { definition, config } = this.#node
    const { record } = config
    const left = (record?.until ?? Number.POSITIVE_INFINITY) - Date.now()
    const file = record === undefined || left <= 0 ? undefined : this.#file(record)
    if (file === undefined) return new NodeRuntime(definition, port, this.#node)
    return new RecordedLife(this.#node, recordPort(port, this.#node, file), file, left)
  }

  #file(place: RecordPlace): RecordFile | undefined {
    try {
      const file = RecordFile.begin(this.#node.config.name, place)
      this.#log.info({ file: file.path }, 'is recorded')
      return file
    } catch (error) {
      this.#log.warn(`cannot be recorded: ${error instanceof Error ? error.message : error}`)
      return undefined
    }
  }
}

/** A life whose end is recorded, too. */
class RecordedLife extends NodeRuntime<AnyEvent> {
  readonly #port: RecordedPort
  readonly #file: RecordFile
  readonly #timer: NodeJS.Timeout | undefined

  /** `left`: milliseconds after which it goes on without being recorded. */
  constructor(node: LoadedNode, port: RecordedPort, file: RecordFile, left: number) {
    super(node.definition, port, node)
    this.#port = port
    this.#file = file
    if (left <= longestTimer) this.#timer = setTimeout(() => this.#leave(), left).unref()
  }

  #leave(): void {
    if (this.#port.recording) this.#port.log.info({ file: this.#file.path }, 'is recorded no more')
    this.#port.leave()
    this.#file.close()
  }

  override async run(): Promise<RunResult> {
    const result = await super.run()
    clearTimeout(this.#timer)
    this.#port.end(result)
    this.#file.close()
    return result
  }
}
