// record.ts: corod record: has a node of a running daemon recorded.
import { parseDuration, parseSize } from '../config/units.js'
import { ControlClient } from '../control/client.js'
import type { Given } from './commands.js'
import { CliError, exits } from './exits.js'
import type { Output } from './output.js'
import { controlSocket } from './place.js'

export async function record([node = '']: readonly (string | undefined)[], given: Given, out: Output): Promise<number> {
  const [time, size] = [durationOf(given.for), sizeOf(given.maxSize)]
  if (given.stop === true && (time ?? size) !== undefined) throw usage('--stop goes with no other option')
  const client = new ControlClient(await controlSocket({ ...given, env: out.streams.env }))
  if (given.stop === true) {
    await client.unrecord(node)
    if (out.manner.json) out.result('', {})
    else out.confirm(`${node} is recorded no more`)
    return exits.ok.code
  }
  const order = { ...(time === undefined ? {} : { for: time }), ...(size === undefined ? {} : { size }) }
  const report = await client.record(node, order)
  const until = report.until === undefined ? '' : `, until ${report.until}`
  const none = `${node} will be recorded in ${report.folder}${until}; nothing has begun yet: see corod nodes, or the log`
  out.result(report.file === undefined ? none : `${report.file}${until}`, report)
  return exits.ok.code
}

function durationOf(text: string | boolean | undefined): number | undefined {
  if (typeof text !== 'string') return undefined
  const ms = parseDuration(text)
  if (ms !== undefined && ms >= 1 && ms <= 0x7fff_ffff) return Math.ceil(ms)
  throw usage(`--for ${text}: a duration such as 30s or 10m, at most 24d`)
}

function sizeOf(text: string | boolean | undefined): number | undefined {
  if (typeof text !== 'string') return undefined
  const bytes = parseSize(text)
  if (bytes !== undefined && bytes >= 4096 && bytes <= 2 ** 36) return Math.floor(bytes)
  throw usage(`--max-size ${text}: a size such as 10MiB, 4KiB to 64GiB`)
}

function usage(text: string): CliError {
  return new CliError('usage', 'USAGE', text)
}
