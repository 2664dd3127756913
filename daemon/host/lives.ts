// lives.ts: the lives of one node, one after the other: makes the coroutine of each, and records it if that is wanted.
// Made in the thread that runs the node: it opens files.
import type { AnyEvent } from '../message/message.js'
import type { Log } from '../process/node.js'
import type { NodePort } from '../process/port.js'
import { NodeRuntime, type RunResult } from '../process/runtime.js'
import { RecordFile, type RecordPlace } from '../record/file.js'
import { type RecordedPort, recordPort } from '../record/recorder.js'
import type { LoadedNode } from './loader.js'

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
    const file = config.record === undefined ? undefined : this.#file(config.record)
    if (file === undefined) return new NodeRuntime(definition, port, this.#node)
    return new RecordedLife(this.#node, recordPort(port, this.#node, file), file)
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

  constructor(node: LoadedNode, port: RecordedPort, file: RecordFile) {
    super(node.definition, port, node)
    this.#port = port
    this.#file = file
  }

  override async run(): Promise<RunResult> {
    const result = await super.run()
    this.#port.end(result)
    this.#file.close()
    return result
  }
}
