// letter-file.ts: the dead letters of a node in files: lines are only ever appended, so that threads and daemons can
// share them. A letter that was sent again or dropped is marked so by a line of its own.
//
// Two files bound them: `NODE.ndjson`, and `NODE.ndjson.1`, which the first becomes when it has half of the size.
import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import type { DeadLetter } from './letter.js'

/** What became of a letter. */
interface Mark {
  readonly done: string
  readonly how: 'resent' | 'dropped'
  readonly time: string
}

/** The files of one node. */
export class LetterFile {
  readonly #folder: string
  readonly #path: string
  readonly #size: number

  /** `folder`: absolute; made when a letter is put there. `size`: bytes of all letters of the node; only `put` needs
   * it. */
  constructor(node: string, folder: string, size = 0) {
    this.#folder = folder
    this.#path = join(folder, `${node}.ndjson`)
    this.#size = size
  }

  /**
   * Appends a letter. It is with the operating system when this returns. Only the thread of the node does this: the files
   * are turned here.
   * @returns how many older letters were thrown away for it
   * @throws the file system's error: it was not stored
   */
  put(letter: DeadLetter): number {
    const line = lineOf(letter)
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
    const lost = this.#bytes() + line.length > this.#size / 2 ? this.#turn() : 0
    this.#append(line)
    return lost
  }

  /** Says what became of a letter; from any thread. @throws the file system's error */
  mark(id: string, how: Mark['how']): void {
    this.#append(lineOf({ done: id, how, time: new Date().toISOString() }))
  }

  /** The letters that are still there, the oldest first. What is no letter is passed over. */
  read(): DeadLetter[] {
    return [...this.#letters(this.#old, this.#path).values()]
  }

  get #old(): string {
    return `${this.#path}.1`
  }

  #bytes(): number {
    return statSync(this.#path, { throwIfNoEntry: false })?.size ?? 0
  }

  #append(line: Buffer): void {
    const fd = openSync(this.#path, 'a+', 0o600)
    try {
      // A line that a full disk has cut must not swallow this one.
      const bytes = endsWell(fd) ? line : Buffer.concat([Buffer.from('\n'), line])
      for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done)
    } finally {
      closeSync(fd)
    }
  }

  #turn(): number {
    const lost = this.#letters(this.#old, this.#path)
    for (const id of this.#letters(this.#path).keys()) lost.delete(id)
    renameSync(this.#path, this.#old)
    return lost.size
  }

  #letters(...paths: readonly string[]): Map<string, DeadLetter> {
    const letters = new Map<string, DeadLetter>()
    for (const line of paths.flatMap(linesOf)) {
      if ('done' in line) letters.delete(line.done)
      else letters.set(line.id, line)
    }
    return letters
  }
}

function lineOf(line: DeadLetter | Mark): Buffer {
  return Buffer.from(`${JSON.stringify(line)}\n`)
}

function endsWell(fd: number): boolean {
  const { size } = fstatSync(fd)
  const last = Buffer.alloc(1)
  return size === 0 || (readSync(fd, last, 0, 1, size - 1) === 1 && last[0] === 10)
}

function linesOf(path: string): (DeadLetter | Mark)[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
  return text.split('\n').flatMap(line => parsed(line) ?? [])
}

function parsed(line: string): DeadLetter | Mark | undefined {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value !== 'object' || value === null) return undefined
    if ('done' in value && typeof value.done === 'string') return value as Mark
    return 'id' in value && typeof value.id === 'string' && 'reason' in value ? (value as DeadLetter) : undefined
  } catch {
    // Cut off, or written by somebody else.
    return undefined
  }
}
