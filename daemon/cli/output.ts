// output.ts: the only way to the terminal: results on standard output, errors and remarks on standard error, as text or
// as JSON. What comes from outside is printed without control characters.
import { printable } from '../config/problems.js'

/** The streams and the environment of the process. */
export interface Streams {
  readonly stdin: NodeJS.ReadableStream
  readonly stdout: NodeJS.WritableStream & { readonly isTTY?: boolean }
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean }
  readonly env: NodeJS.ProcessEnv
}

/** How the user wants it. */
export interface Manner {
  readonly json: boolean
  readonly quiet: boolean
  /** False: never; true: if standard output is a terminal and NO_COLOR is not set. */
  readonly color: boolean
}

const codes = { bold: 1, red: 31, green: 32, yellow: 33, dim: 2 } as const
/** A colour, or how strong. */
export type Paint = keyof typeof codes

/** A cell of a table; `paint` only on terminals. */
export interface Cell {
  readonly text: string
  readonly paint?: Paint | undefined
}

export class Output {
  readonly streams: Streams
  manner: Manner = { json: false, quiet: false, color: true }
  #broken: Error | undefined

  constructor(streams: Streams) {
    this.streams = streams
    for (const stream of [streams.stdout, streams.stderr]) {
      // Who reads only the beginning (head, less) closes the pipe: that is no failure.
      stream.on('error', (error: NodeJS.ErrnoException) => {
        if (error.code !== 'EPIPE') this.#broken ??= error
      })
    }
  }

  /** The result: `text` for people, `value` as one line of JSON for programs. */
  result(text: string, value: unknown): void {
    this.#write(this.streams.stdout, this.manner.json ? JSON.stringify(value) : text)
  }

  /** A confirmation that adds nothing for a program: text only, and not with --quiet. */
  confirm(text: string): void {
    if (!this.manner.json && !this.manner.quiet) this.#write(this.streams.stdout, text)
  }

  /** Why the command failed: one line on standard error; with --json an object. */
  error(message: string, code: string, exit: number): void {
    const line = printable(message)
    const text = this.manner.json ? JSON.stringify({ error: { code, exit, message } }) : `corod: ${line}`
    this.#write(this.streams.stderr, text)
  }

  /** Text for standard error as it is, e.g. the problems of a file. */
  errors(text: string): void {
    this.#write(this.streams.stderr, text)
  }

  /** A line for people while the command goes on, on standard output. */
  line(text: string): void {
    this.#write(this.streams.stdout, text)
  }

  /** Rows under a head, columns aligned; the last column is not padded. */
  table(head: readonly string[], rows: readonly (readonly (Cell | string)[])[]): string {
    const all = [head.map(text => ({ text, paint: 'dim' as const })), ...rows.map(row => row.map(cell))]
    const widths = head.map((_, i) => Math.max(...all.map(row => row[i]?.text.length ?? 0)))
    return all
      .map(row =>
        row
          .map((one, i) => this.#pad(one, i === row.length - 1 ? 0 : (widths[i] ?? 0)))
          .join('  ')
          .trimEnd(),
      )
      .join('\n')
  }

  /** `text` in colour, if standard output is a terminal that is allowed to show some. */
  paint(text: string, paint: Paint | undefined): string {
    return paint === undefined || !this.colorful ? text : `\x1b[${codes[paint]}m${text}\x1b[0m`
  }

  /** Whether colours are wanted: standard output is a terminal, and nobody said no. */
  get colorful(): boolean {
    const { NO_COLOR, TERM } = this.streams.env
    return this.manner.color && this.streams.stdout.isTTY === true && !NO_COLOR && TERM !== 'dumb'
  }

  /** Resolves when everything is with the system. Rejects if standard output or error could not be written. */
  async flush(): Promise<void> {
    for (const stream of [this.streams.stdout, this.streams.stderr])
      await new Promise<void>(resolve => stream.write('', () => resolve()))
    if (this.#broken !== undefined) throw this.#broken
  }

  #pad({ text, paint }: Cell, width: number): string {
    return this.paint(text, paint) + ' '.repeat(Math.max(0, width - text.length))
  }

  #write(stream: NodeJS.WritableStream, text: string): void {
    stream.write(text.endsWith('\n') ? text : `${text}\n`)
  }
}

function cell(of: Cell | string): Cell {
  return typeof of === 'string' ? { text: printable(of) } : { ...of, text: printable(of.text) }
}
