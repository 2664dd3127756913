// excerpt.ts: a fault with the line of the source that it is about, as compilers show it.
import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import { type Place, type Problem, printable } from '../../config/problems.js'

/** A fault at its place; `message` may have several lines. */
export interface Fault {
  readonly place: Place | undefined
  readonly message: string
}

/** What a problem of a configuration says, where its author finds it: in the module, if it is one of a module. */
export function faultOf({ source, path, message, ...place }: Problem): Fault {
  if (source === undefined) return { place, message: path === '' ? message : `${path}: ${message}` }
  const there = `${source.file}:${source.line}:${source.col}: `
  return { place: source, message: message.startsWith(there) ? message.slice(there.length) : message }
}

/** The faults in order, each place and message once. */
export function distinct(faults: readonly Fault[]): Fault[] {
  return [...new Map(faults.map(fault => [JSON.stringify(fault), fault])).values()]
}

/**
 * `file:line:col: message`, the line, and a caret below the column. Files are named from `folder`. `strong` marks the
 * caret.
 */
export function excerpt({ place, message }: Fault, folder: string, strong: (text: string) => string): string {
  const [first = '', ...more] = message.split('\n').map(line => printable(line))
  if (place === undefined) return [first, ...more].join('\n')
  const file = relative(folder, place.file)
  const named = file === '' || file.startsWith('..') ? place.file : file
  const head = [`${printable(named)}:${place.line}:${place.col}: ${first}`, ...more]
  const line = lineOf(place)
  if (line === undefined) return head.join('\n')
  const number = String(place.line).padStart(6)
  const before = line.slice(0, place.col - 1).replace(/[^\t]/g, ' ')
  return [
    ...head,
    `${number} | ${printable(line).replaceAll('\\t', '\t')}`,
    `${' '.repeat(number.length)} | ${before}${strong('^')}`,
  ].join('\n')
}

/** Longer lines are no source that somebody has written. */
const longest = 400

function lineOf({ file, line, col }: Place): string | undefined {
  try {
    const text = readFileSync(file, 'utf8').split('\n')[line - 1]?.replace(/\r$/, '')
    return text === undefined || text.length > longest || col > text.length + 1 ? undefined : text
  } catch {
    return undefined
  }
}
