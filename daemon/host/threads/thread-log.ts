// thread-log.ts: the log of a node on a worker thread: each line is posted at once, so that it comes out although the
// thread is stuck right after it.
import type { Log } from '../../process/node.js'
import { packFields } from './border.js'
import type { LogCredit, Report } from './executor-protocol.js'

/** Severities from the least. */
export const levels = ['debug', 'info', 'warn', 'error'] as const
export type Level = (typeof levels)[number]

/** What the logs of one thread have in common. */
export interface ThreadLogs {
  /** Less severe lines are not posted. */
  level: string
  /** Lines that were not posted since the last one that was. */
  dropped: number
  readonly credit: LogCredit
  readonly post: (report: Report) => void
}

/** A log that posts its lines. */
export class ThreadLog implements Log {
  readonly #tenancy: number
  readonly #logs: ThreadLogs

  constructor(tenancy: number, logs: ThreadLogs) {
    this.#tenancy = tenancy
    this.#logs = logs
  }

  readonly debug = (fields: object | string, text?: string) => this.#line('debug', fields, text)
  readonly info = (fields: object | string, text?: string) => this.#line('info', fields, text)
  readonly warn = (fields: object | string, text?: string) => this.#line('warn', fields, text)
  readonly error = (fields: object | string, text?: string) => this.#line('error', fields, text)

  #line(level: Level, first: object | string, second: string | undefined): void {
    const logs = this.#logs
    // One that is silent, or of another name, is below all.
    if (levels.indexOf(level) < levels.indexOf(logs.level as Level)) return
    if (!logs.credit.post()) {
      logs.dropped++
      return
    }
    const [fields, text] = typeof first === 'string' ? [{}, first] : [first, second ?? '']
    // An error instead of fields, as pino takes one.
    const packed = packFields(fields instanceof Error ? { err: fields } : fields)
    const line = fields instanceof Error && second === undefined ? fields.message : text
    logs.post({ say: 'log', tenancy: this.#tenancy, level, fields: packed, text: line, dropped: logs.dropped })
    logs.dropped = 0
  }
}
