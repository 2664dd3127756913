// problems.ts: what is wrong with a configuration, where, and how it is told. Knows no YAML and no schema.

/** One fault of a configuration file. */
export interface Problem {
  /** The file, as it was named by whoever asked for it. */
  readonly file: string
  /** From 1. */
  readonly line: number
  /** From 1, in characters (UTF-16 units). */
  readonly col: number
  /** The key, e.g. `nodes.beacon.queue.overflow`; '' for the file as a whole. */
  readonly path: string
  /** What is wrong, and what would be right. One line, no control characters. */
  readonly message: string
  /** In which other file, a module's, the fault really is, and where. The message says it too. */
  readonly source?: Place
}

/** Where a key or a value stands in its file. */
export interface Place {
  readonly file: string
  readonly line: number
  readonly col: number
}

/** Keys and list indexes from the top of the file to a value. */
export type Path = readonly (string | number)[]

/** A configuration that cannot be used, with everything that is wrong with it. */
export class ConfigError extends Error {
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    super(problems.map(formatProblem).join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

/** `file:line:col: path: message`, as compilers print it, so that editors can jump there. */
export function formatProblem(problem: Problem): string {
  const { file, line, col, path, message } = problem
  return `${printable(file)}:${line}:${col}: ${path === '' ? '' : `${path}: `}${message}`
}

/** `['nodes', 'beacon', 'interfaces', 0]` as `nodes.beacon.interfaces[0]`; odd keys are quoted. */
export function formatPath(path: Path): string {
  let text = ''
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else if (/^[\w.%/-]+$/.test(part)) text += text === '' ? part : `.${part}`
    else text += `[${quote(part)}]`
  }
  return text
}

/** `text` with every character that would move a terminal's cursor or break a line written as an escape. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, char => {
    const code = char.codePointAt(0) ?? 0
    const short = { 9: '\\t', 10: '\\n', 13: '\\r' }[code]
    if (short !== undefined) return short
    return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`
  })
}

/** `text` printable and in quotes, cut after `limit` characters. */
export function quote(text: string, limit = 60): string {
  const cut = text.length > limit ? `${text.slice(0, limit)}…` : text
  return `'${printable(cut)}'`
}
