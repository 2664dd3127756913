// source.ts: the bytes of a configuration file as text, or why there is none. Knows no YAML.
import { closeSync, openSync, readSync } from 'node:fs'

/** No configuration is longer than this; 4,000 nodes take about a quarter of it. */
export const maxBytes = 1024 * 1024

/** Why a file cannot be read as text, and where (a byte offset's line and column, from 1). */
export class SourceError extends Error {
  readonly line: number
  readonly col: number

  constructor(message: string, line = 1, col = 1) {
    super(message)
    this.name = 'SourceError'
    this.line = line
    this.col = col
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file: name another with --config FILE',
  EACCES: 'no permission to read this file: change its mode or owner, or run as a user who may',
  EISDIR: 'this is a folder: name the YAML file in it',
  ENOTDIR: 'a part of this path is not a folder: name another file with --config FILE',
  ELOOP: 'too many symbolic links: name the file itself',
  ENAMETOOLONG: 'the path is too long',
  ENXIO: 'this is a socket or a device: name a YAML file',
}

/** Reads at most maxBytes and one more, so that a device or an endless pipe ends, too. */
function readBounded(file: string): Buffer {
  const fd = openSync(file, 'r')
  try {
    const chunks: Buffer[] = []
    let length = 0
    while (length <= maxBytes) {
      const chunk = Buffer.allocUnsafe(64 * 1024)
      const got = readSync(fd, chunk)
      if (got === 0) break
      chunks.push(chunk.subarray(0, got))
      length += got
    }
    return Buffer.concat(chunks)
  } finally {
    closeSync(fd)
  }
}

function read(file: string): Buffer {
  try {
    return readBounded(file)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? ''
    throw new SourceError(reasons[code] ?? `cannot be read: ${(error as Error).message}`)
  }
}

/** Offset of the first byte that is not UTF-8. */
function badByte(bytes: Buffer): number {
  let good = 0
  let bad = bytes.length
  while (bad - good > 1) {
    const middle = (good + bad) >> 1
    // `stream` lets the text end inside a character.
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, middle), { stream: true })
      good = middle
    } catch {
      bad = middle
    }
  }
  return good
}

/** Reads `file` as UTF-8 text, without a byte order mark. @throws SourceError */
export function readSource(file: string): string {
  const bytes = read(file)
  if (bytes.length > maxBytes) throw new SourceError(`longer than ${maxBytes >> 20} MiB: this is no configuration`)
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff))
    throw new SourceError('this is UTF-16: save the file as UTF-8')
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    const before = bytes.subarray(0, badByte(bytes)).toString('utf8')
    const line = before.split('\n').length
    const col = before.length - before.lastIndexOf('\n')
    throw new SourceError('not UTF-8 text from here on: save the file as UTF-8', line, col)
  }
}
