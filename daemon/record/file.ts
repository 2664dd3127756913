// file.ts: recordings as files: one for each life of a node, of bounded size, and so many of them.
import { closeSync, existsSync, mkdirSync, openSync, readdirSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { RecordSink } from './recorder.js'

/** Where recordings go. Plain data: it may cross threads. */
export interface RecordPlace {
  /** Absolute path; made if it does not exist, for its owner alone. */
  readonly folder: string
  /** Bytes of the longest one. */
  readonly size: number
  /** Recordings of one node that are kept, the new one included. */
  readonly files: number
  /** When the recording of a life is left and none is begun any more, milliseconds since 1970. Absent: never. */
  readonly until?: number
}

/**
 * The file of one recording. Each line is with the operating system when `write` returns, so that the last thing that a
 * node was given before its process died is in it.
 */
export class RecordFile implements RecordSink {
  readonly path: string
  readonly #size: number
  #fd: number | undefined
  #bytes = 0

  private constructor(path: string, fd: number, size: number) {
    this.path = path
    this.#fd = fd
    this.#size = size
  }

  /**
   * Begins a recording of `node`: a file `NODE-<UTC>.ndjson` that only its owner can read. Removes the oldest of the node
   * before, so that no more than `files` are there.
   * @throws the file system's error
   */
  static begin(node: string, { folder, size, files }: RecordPlace, time = Date.now()): RecordFile {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const before = recordingsOf(node, folder)
    for (const old of before.slice(0, Math.max(0, before.length + 1 - files))) remove(join(folder, old))
    for (let at = time; ; at++) {
      const path = join(folder, `${node}-${stamp(at)}.ndjson`)
      try {
        return new RecordFile(path, openSync(path, 'wx', 0o600), size)
      } catch (error) {
        // Lives may be shorter than a millisecond.
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
    }
  }

  /** Bytes so far. */
  get bytes(): number {
    return this.#bytes
  }

  /** Appends a line. When it cannot, or may not, the file is closed and complete lines are in it, at most one was cut. */
  write(line: string): void {
    if (this.#fd === undefined) throw new Error('it is closed')
    const bytes = Buffer.from(line)
    if (this.#bytes + bytes.length > this.#size) {
      this.close()
      throw new Error(`it would be longer than ${this.#size} bytes`)
    }
    try {
      for (let done = 0; done < bytes.length; ) done += writeSync(this.#fd, bytes, done)
    } catch (error) {
      this.close()
      throw error
    }
    this.#bytes += bytes.length
  }

  /** Idempotent. */
  close(): void {
    if (this.#fd === undefined) return
    closeSync(this.#fd)
    this.#fd = undefined
  }
}

/** Names of the recordings of `node` in `folder`, the oldest first. */
export function recordingsOf(node: string, folder: string): string[] {
  return readdirSync(folder)
    .filter(name => name.startsWith(`${node}-`) && /^\d{8}T\d{6}\.\d{3}Z\.ndjson$/.test(name.slice(node.length + 1)))
    .sort()
}

/** Path of the last recording of `node` in `folder` that was begun at `since` (milliseconds since 1970) or later. */
export function newestRecording(node: string, folder: string, since: number): string | undefined {
  const last = existsSync(folder) ? recordingsOf(node, folder).at(-1) : undefined
  return last !== undefined && last >= `${node}-${stamp(since)}` ? join(folder, last) : undefined
}

/** `20260131T235959.123Z`: sorts by time, and no shell minds it. */
function stamp(time: number): string {
  return new Date(time).toISOString().replace(/[-:]/g, '')
}

function remove(path: string): void {
  try {
    unlinkSync(path)
  } catch {
    // Somebody else has taken it away, or will not have it taken: a file too many harms nobody.
  }
}
