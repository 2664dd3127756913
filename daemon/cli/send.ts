// send.ts: corod send: events from the command line, a file or standard input to a node.
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { PassThrough } from 'node:stream'
import { ControlClient, ControlError, type Events, type Failure, type Summary } from '../control/client.js'
import type { Given } from './commands.js'
import { CliError, exits } from './exits.js'
import type { Output } from './output.js'
import { controlSocket } from './place.js'
import { Stamp } from './stamp.js'

/** A quiet stream is kept open by an empty line so often, in ms: the daemon cuts off who is silent. */
const keepAlive = 2000
/** Of `--wait`, ms: what the control socket takes. */
const longestWait = 3_600_000

export async function send(args: readonly (string | undefined)[], given: Given, out: Output): Promise<number> {
  const [node = '', type = '', body] = args
  // An empty name would make another path of the request.
  if (node === '') throw new CliError('usage', 'USAGE', 'NODE is empty: name one; corod nodes lists them')
  if (given.wait !== undefined) return ask(node, type, body, given, out)
  const source = await events(type, body, out)
  const client = new ControlClient(await controlSocket({ ...given, env: out.streams.env }))
  try {
    const summary = await client.send(node, source.events)
    return conclude(restated(summary, source), source, out)
  } catch (error) {
    if (error instanceof ControlError) throw explained(error, source, out)
    throw error
  }
}

/** One event, and the reply to it. */
async function ask(node: string, type: string, body: string | undefined, given: Given, out: Output): Promise<number> {
  const ms = /^[0-9]{1,7}$/.test(`${given.wait}`) ? Number(given.wait) : 0
  if (ms < 1 || ms > longestWait)
    throw new CliError('usage', 'USAGE', `--wait=${given.wait}: a number of milliseconds, 1 to ${longestWait}`)
  if (body === '-') throw new CliError('usage', 'USAGE', '--wait takes one event, not lines from standard input')
  const source = await events(type, body, out)
  const event = source.events
  if (Symbol.asyncIterator in event || Array.isArray(event))
    throw new CliError('usage', 'USAGE', '--wait takes one event: a JSON object')
  const client = new ControlClient(await controlSocket({ ...given, env: out.streams.env }))
  try {
    const answer = await client.ask(node, event as Readonly<Record<string, unknown>>, ms)
    out.result(JSON.stringify(answer.reply), answer)
    return exits.ok.code
  } catch (error) {
    if (error instanceof ControlError) throw explained(error, source, out)
    throw error
  }
}

interface Source {
  readonly events: Events
  /** What stands before the number of a line or of an event when its failure is told. */
  readonly prefix: string
  /** The line that the user counts, of a line as it was sent. */
  line(sent: number): number
}

const asSent = (line: number) => line

async function events(type: string, body: string | undefined, out: Output): Promise<Source> {
  if (body === '-') return lines(type, out.streams.stdin, 'line ')
  if (body?.startsWith('@')) return file(type, body.slice(1))
  const given = body === undefined ? {} : parse(body, 'usage', 'quote it for the shell: \'{"field": 1}\'')
  return { events: stamped(type, given, 'usage', 'the argument'), prefix: 'event ', line: asSent }
}

async function file(type: string, path: string): Promise<Source> {
  if (/\.(ndjson|jsonl)$/.test(path)) {
    const stream = createReadStream(path)
    await new Promise<void>((resolve, reject) => {
      stream.once('open', () => resolve())
      stream.once('error', error => reject(unreadable(path, error)))
    })
    return lines(type, stream, `${path}:`)
  }
  const text = await readFile(path, 'utf8').catch(error => {
    throw unreadable(path, error)
  })
  const given = parse(text, 'failed', `${path} holds one JSON object or an array; lines of JSON go into a .ndjson file`)
  return { events: stamped(type, given, 'failed', path), prefix: `${path}: event `, line: asSent }
}

function unreadable(path: string, error: unknown): CliError {
  return new CliError('failed', 'FILE', `cannot read ${path}: ${(error as Error).message}`)
}

function parse(text: string, exit: 'usage' | 'failed', help: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new CliError(exit, 'JSON_MALFORMED', `not JSON: ${(error as Error).message}; ${help}`)
  }
}

/** `given` with its type, one event or an array. */
function stamped(
  type: string,
  given: unknown,
  exit: 'usage' | 'failed',
  what: string,
): Exclude<Events, AsyncIterable<unknown>> {
  const stamp = (fields: unknown): Record<string, unknown> => {
    if (typeof fields === 'object' && fields !== null && !Array.isArray(fields)) return { type, ...fields }
    const got = fields === null ? 'null' : Array.isArray(fields) ? 'an array in an array' : `a ${typeof fields}`
    throw new CliError(exit, 'INVALID', `${what}: an event is a JSON object of the message's fields, not ${got}`)
  }
  return Array.isArray(given) ? given.map(stamp) : stamp(given)
}

/** NDJSON from `input`, each line with its type, and empty lines while `input` is quiet. */
function lines(type: string, input: NodeJS.ReadableStream, prefix: string): Source {
  const stamp = new Stamp(type)
  const body = new PassThrough()
  let number = 1
  const added: number[] = []
  const timer = setInterval(() => {
    if (!stamp.between || body.readableLength > 0) return
    added.push(number++)
    body.write('\n')
  }, keepAlive)
  timer.unref()
  body.once('close', () => clearInterval(timer))
  pump(input, body, chunk => {
    const piece = stamp.push(chunk)
    for (let at = piece.indexOf(10); at >= 0; at = piece.indexOf(10, at + 1)) number++
    return piece
  })
  return { events: body, prefix, line: sent => sent - added.filter(one => one < sent).length }
}

/** Copies `input` through `change` into `into`, as fast as that takes it; ends with it. */
async function pump(input: NodeJS.ReadableStream, into: PassThrough, change: (chunk: Buffer) => Buffer): Promise<void> {
  try {
    for await (const chunk of input) {
      if (into.destroyed) break
      if (!into.write(change(Buffer.from(chunk as Buffer))))
        await new Promise<void>(resolve => into.once('drain', resolve).once('close', resolve))
    }
    into.end()
  } catch (error) {
    into.destroy(error as Error)
  }
}

/** What the daemon said of the lines that it got, said of those that the user wrote. */
function restate(text: string, source: Source): string {
  const own = text.replace(
    /(^|: )line (\d+)\b/,
    (_, before: string, sent: string) => `${before}line ${source.line(Number(sent))}`,
  )
  // The type that was put in has moved the position.
  return own.replace(/( is not JSON: .*?)(?: in JSON)? at position \d+(?: \(line \d+ column \d+\))?$/, '$1')
}

/** A summary in which failures have the lines that the user counts. */
function restated<S extends Partial<Summary>>(summary: S, source: Source): S {
  const errors = summary.errors?.map(failure =>
    'line' in failure
      ? { ...failure, line: source.line(failure.line), detail: restate(failure.detail, source) }
      : failure,
  )
  return { ...summary, ...(errors === undefined ? {} : { errors }) }
}

/** The failures as lines for people, and how many more there were. */
function failureLines({ errors = [], rejected = 0 }: Partial<Summary>, source: Source): string[] {
  const rest = rejected - errors.length
  const told = (failure: Failure) => {
    const number = 'index' in failure ? failure.index + 1 : failure.line
    return `${source.prefix}${number}: ${failure.detail.replace(/^line \d+ /, '')}${pointers(failure)}`
  }
  return [...errors.map(told), ...(rest > 0 ? [`and ${rest} more`] : [])]
}

/** Faults that the detail does not tell, as ` (/dest: is missing)`. */
function pointers(failure: Pick<Failure, 'detail' | 'faults'>): string {
  const faults = (failure.faults ?? []).map(({ pointer, message }) => (pointer ? `${pointer}: ${message}` : message))
  const untold = faults.filter(text => !failure.detail.includes(text))
  return untold.length > 0 ? ` (${untold.join('; ')})` : ''
}

function counts({
  accepted,
  dropped,
  rejected,
  lastSeq,
}: Pick<Summary, 'accepted' | 'dropped' | 'rejected' | 'lastSeq'>): string {
  const parts = [`${accepted} accepted`]
  if (dropped > 0) parts.push(`${dropped} of them dropped by the node's overflow policy`)
  if (rejected > 0) parts.push(`${rejected} rejected`)
  if (lastSeq !== null) parts.push(`last sequence number ${lastSeq}`)
  return parts.join(', ')
}

/** Tells what became of the events; the exit status is that of the first failure. */
function conclude(summary: Summary, source: Source, out: Output): number {
  if (out.manner.json) out.result('', summary)
  else out.confirm(counts(summary))
  if (summary.rejected === 0) return exits.ok.code
  if (!out.manner.json) for (const line of failureLines(summary, source)) out.error(line, '', 0)
  const first = summary.errors?.[0]?.code
  if (first === 'FULL' || first === 'UNREGISTERED') return exits.retry.code
  return first === 'HOST_AWAY' ? exits.unavailable.code : exits.failed.code
}

/** `error` with the faults of a single event; of several events, the counts are told here. */
function explained(error: ControlError, source: Source, out: Output): ControlError {
  if (error.body === undefined) return error
  const body = restated(error.body, source)
  const message = restate(error.message, source)
  if (body.accepted === undefined) {
    return new ControlError(`${message}${pointers({ ...body, detail: message })}`, error.code, error.exit, body)
  }
  const { accepted = 0, dropped = 0, rejected = 0, lastSeq = null } = body
  if (!out.manner.json) {
    for (const line of failureLines(body, source)) out.error(line, '', 0)
    out.confirm(counts({ accepted, dropped, rejected, lastSeq }))
  } else out.result('', { accepted, dropped, rejected, lastSeq, errors: body.errors ?? [] })
  return new ControlError(message, error.code, error.exit, body)
}
