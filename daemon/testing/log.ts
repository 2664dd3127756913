// log.ts: the lines that a node logs, kept for the test.

import type { Log } from '../process/node.js'

/** A line of the node's log. */
export interface LogLine {
  /** Virtual time. */
  readonly time: number
  /** The method of `node.log` that wrote it. */
  readonly level: keyof Log
  /** Empty if the node gave none. */
  readonly text: string
  /** What was logged beside the text. */
  readonly fields: Readonly<Record<string, unknown>>
}

/** A log that writes into `lines`. */
export function logInto(lines: LogLine[], now: () => number): Log {
  const at = (level: keyof Log) => (first: string | object, text?: string) => {
    const fields = typeof first === 'string' ? {} : { ...first }
    lines.push({ time: now(), level, text: typeof first === 'string' ? first : (text ?? ''), fields })
  }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}
