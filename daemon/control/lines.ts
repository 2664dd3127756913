// lines.ts: cuts a stream of chunks into lines. Each byte is searched once and copied only if its line spans chunks;
// never more is held than one line and one chunk.

const NEWLINE = 10

/** A line is longer than the limit. Where it ends is not known: nothing after it can be read. */
export class LineTooLong extends Error {}

/** Chunks in, lines out. Push one chunk, take lines until there is none, push the next. */
export class Lines {
  readonly #limit: number
  #number = 0
  #chunk: Buffer = Buffer.alloc(0)
  #at = 0
  #held: Buffer = Buffer.alloc(0)
  #partial = 0

  /** `limit`: bytes of the longest line, without its end. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Number of the line that was given last, from 1; 0 before the first. */
  get number(): number {
    return this.#number
  }

  /** The next chunk. Everything of the one before must have been taken. */
  push(chunk: Buffer): void {
    this.#chunk = chunk
    this.#at = 0
  }

  /**
   * The next complete line without its newline, valid until the next call; undefined: the chunk is used up.
   * Throws LineTooLong, and then nothing more may be asked.
   */
  next(): Buffer | undefined {
    const end = this.#chunk.indexOf(NEWLINE, this.#at)
    const piece = this.#chunk.subarray(this.#at, end < 0 ? this.#chunk.length : end)
    this.#at += piece.length + 1
    if (this.#partial + piece.length > this.#limit) {
      throw new LineTooLong(`line ${this.#number + 1} is longer than ${this.#limit} bytes`)
    }
    if (end < 0) {
      this.#hold(piece)
      return undefined
    }
    this.#number++
    if (this.#partial === 0) return piece
    this.#hold(piece)
    return this.#take()
  }

  /** What came after the last newline, once the stream has ended properly; undefined: nothing. */
  last(): Buffer | undefined {
    if (this.#partial === 0) return undefined
    this.#number++
    return this.#take()
  }

  #hold(piece: Buffer): void {
    if (piece.length === 0) return
    const size = this.#partial + piece.length
    if (size > this.#held.length) {
      // Doubling keeps a line that comes byte by byte at two copies a byte.
      const bigger = Buffer.allocUnsafe(Math.min(this.#limit, Math.max(256, size, this.#held.length * 2)))
      this.#held.copy(bigger, 0, 0, this.#partial)
      this.#held = bigger
    }
    piece.copy(this.#held, this.#partial)
    this.#partial = size
  }

  #take(): Buffer {
    const line = this.#held.subarray(0, this.#partial)
    this.#partial = 0
    return line
  }
}
