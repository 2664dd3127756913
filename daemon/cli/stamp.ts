// stamp.ts: gives every line of an NDJSON stream its message's name, as it passes. Nothing is buffered, whatever the
// length of a line, and nothing is parsed: what is no object reaches the daemon as it is, which refuses it by its line.

const NEWLINE = 10
const BRACE = 0x7b
const CLOSE = 0x7d
const COMMA = Buffer.from(',')

const isSpace = (byte: number) => byte === 0x20 || byte === 0x09 || byte === 0x0d

/** Where in a line the stream is: before its first character, behind its opening brace, or beyond. */
type At = 'start' | 'brace' | 'rest'

/** Puts `"type": type` first into the object of each line; a `type` of the object's own comes later and so counts. */
export class Stamp {
  readonly #head: Buffer
  #at: At = 'start'

  constructor(type: string) {
    this.#head = Buffer.from(`{"type":${JSON.stringify(type)}`)
  }

  /** Whether the last line is complete, so that an empty one may be put in. */
  get between(): boolean {
    return this.#at === 'start'
  }

  /** `chunk` as it is to be sent; lines may be cut anywhere. */
  push(chunk: Buffer): Buffer {
    const parts: Buffer[] = []
    let from = 0
    for (let i = 0; i < chunk.length; i++) {
      if (this.#at === 'rest') {
        const end = chunk.indexOf(NEWLINE, i)
        if (end < 0) break
        i = end
        this.#at = 'start'
        continue
      }
      const byte = chunk[i]!
      if (byte === NEWLINE) this.#at = 'start'
      else if (isSpace(byte)) continue
      else if (this.#at === 'start' && byte === BRACE) {
        parts.push(chunk.subarray(from, i), this.#head)
        from = i + 1
        this.#at = 'brace'
      } else {
        if (this.#at === 'brace' && byte !== CLOSE) {
          parts.push(chunk.subarray(from, i), COMMA)
          from = i
        }
        this.#at = 'rest'
      }
    }
    parts.push(chunk.subarray(from))
    return Buffer.concat(parts)
  }
}
