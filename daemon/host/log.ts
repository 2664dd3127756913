// log.ts: the daemon's log: JSON lines for journald and programs, or text for a terminal.
import { pino } from 'pino'
import type { RootLog } from './daemon.js'

/** How lines look. */
export interface LogForm {
  /** Text for people instead of JSON. */
  readonly pretty: boolean
  readonly color: boolean
}

export interface LogOptions extends LogForm {
  readonly level: 'error' | 'warn' | 'info' | 'debug'
}

/** A log and its end. */
export interface DaemonLog {
  readonly log: RootLog
  /** How its lines look. */
  readonly form: LogForm
  /** From now on the least severe line that is written. */
  setLevel(level: LogOptions['level']): void
  /** Writes what is still in memory. */
  flush(): void
}

interface Line {
  readonly level: string
  readonly time: string
  readonly msg?: string
  readonly node?: string
  readonly err?: { readonly stack?: string; readonly message?: string }
  readonly [field: string]: unknown
}

const paints: Readonly<Record<string, number>> = { error: 31, warn: 33, info: 32, debug: 2 }

/** A log on standard output. A reader that goes away ends the log, not the daemon. */
export function makeLog({ level, pretty, color }: LogOptions): DaemonLog {
  const logs: { level: string }[] = []
  const setLevel = (wanted: LogOptions['level']) => {
    for (const log of logs) log.level = wanted
  }
  const options = {
    level,
    // A child has a level of its own.
    onChild: (log: { level: string }) => void logs.push(log),
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
  }
  if (pretty) {
    const write = (line: string) => void process.stdout.write(prettyLine(JSON.parse(line) as Line, color))
    const log = pino(options, { write })
    logs.push(log)
    return { log, form: { pretty, color }, setLevel, flush: () => {} }
  }
  const destination = pino.destination({ dest: 1, sync: false })
  destination.on('error', () => {})
  const flush = () => {
    try {
      destination.flushSync()
    } catch {
      // Nobody reads any more, or nothing was written yet.
    }
  }
  const log = pino(options, destination)
  logs.push(log)
  return { log, form: { pretty, color }, setLevel, flush }
}

/** `10:15:01.123 warn  beacon: text key=value`, and the stack of an error on lines of its own. */
export function prettyLine(line: Line, color: boolean): string {
  const { level, time, msg = '', node, err, ...fields } = line
  const paint = (text: string, code: number) => (color ? `\x1b[${code}m${text}\x1b[0m` : text)
  const rest = Object.entries(fields).map(([key, value]) => `${key}=${show(value)}`)
  const head = [paint(time.slice(11, 23), 2), paint(level.padEnd(5), paints[level] ?? 0)]
  const text = `${node === undefined ? '' : `${paint(node, 1)}: `}${clean(msg)}`
  const stack = err?.stack === undefined ? '' : `${clean(err.stack, true).replaceAll('\n', '\n    ')}`
  const body = [...head, text, ...(rest.length > 0 ? [paint(rest.join(' '), 2)] : [])].join(' ')
  return `${body}${stack === '' ? '' : `\n    ${stack}`}\n`
}

function show(value: unknown): string {
  if (typeof value === 'string' && /^[\w./:@+-]+$/.test(value)) return value
  return JSON.stringify(value) ?? ''
}

/** Without characters that would move the cursor. */
function clean(text: string, lines = false): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, char => (lines && char === '\n' ? char : JSON.stringify(char).slice(1, -1)))
}
