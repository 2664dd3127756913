// recordings.ts: recordings that are begun and ended while the daemon runs.
import { setTimeout as sleep } from 'node:timers/promises'
import { recordFolder } from '../config/load.js'
import { recordDefaults } from '../config/schema.js'
import { newestRecording } from '../record/file.js'
import type { Attachment } from './attachment/attachment.js'
import type { Post } from './post.js'
import type { Reloads } from './reload.js'
import type { RecordOrder, RecordReport } from './report.js'

/** A node that has been registered begins its life within so long, ms; or the log says why not. */
const longestBegin = 1000

/** Begins and ends recordings of nodes: each begins with a life of its node, so the node is started again. */
export class Recordings {
  readonly #reloads: Reloads
  readonly #post: Post
  readonly #attachment: Attachment

  constructor(reloads: Reloads, post: Post, attachment: Attachment) {
    this.#reloads = reloads
    this.#post = post
    this.#attachment = attachment
  }

  /** Resolves when the node is registered again. @throws SendError if there is no such node */
  async begin(node: string, order: RecordOrder): Promise<RecordReport> {
    this.#post.table(node)
    const { nodes, state } = this.#reloads.config
    const own = nodes.find(({ name }) => name === node)?.record ?? { ...recordDefaults, folder: recordFolder(state) }
    const began = Date.now()
    const until = order.for === undefined ? undefined : began + order.for
    const { folder, files } = own
    const size = order.size ?? own.size
    await this.#reloads.record(node, { folder, files, size, ...(until === undefined ? {} : { until }) })
    const file = await this.#file(node, folder, began)
    return {
      folder,
      ...(file === undefined ? {} : { file }),
      ...(until === undefined ? {} : { until: new Date(until).toISOString() }),
    }
  }

  async end(node: string): Promise<void> {
    this.#post.table(node)
    await this.#reloads.record(node, undefined)
  }

  /** The file that was begun since; on a thread of its own a node begins a little later. */
  async #file(node: string, folder: string, since: number): Promise<string | undefined> {
    const end = performance.now() + longestBegin
    for (;;) {
      const file = newestRecording(node, folder, since)
      if (file !== undefined || performance.now() > end || this.#attachment.state !== 'connected') return file
      await sleep(10)
    }
  }
}
