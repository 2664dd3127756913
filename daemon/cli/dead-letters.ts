// dead-letters.ts: corod dead-letters: the events that nodes gave up, and what is to become of them.
import { ControlClient, type Json } from '../control/client.js'
import type { DeadLetter, LettersSettled } from '../host/report.js'
import type { Given } from './commands.js'
import { CliError, exits } from './exits.js'
import type { Output } from './output.js'
import { controlSocket } from './place.js'

export async function deadLetters([node]: readonly (string | undefined)[], given: Given, out: Output): Promise<number> {
  const order = orderOf(given, node)
  const limit = limitOf(given.limit)
  const client = new ControlClient(await controlSocket({ ...given, env: out.streams.env }))
  if (order !== undefined && node !== undefined) {
    return conclude(order.how, await client.settleLetters(node, order.how, order.ids), out)
  }
  const names = node === undefined ? (await client.nodes()).map(({ name }) => name) : [node]
  const found: Json<DeadLetter>[] = []
  let total = 0
  for (const name of names) {
    const answer = await client.deadLetters(name, limit)
    found.push(...answer.letters)
    total += answer.total
  }
  out.result(textOf(found, total, out), found)
  return exits.ok.code
}

function orderOf(given: Given, node: string | undefined) {
  const { resend, drop, id } = given
  if (resend === true && drop === true) throw usage('--resend or --drop, not both')
  if (resend !== true && drop !== true) {
    if (id !== undefined) throw usage('--id goes with --resend or --drop')
    return undefined
  }
  if (node === undefined) throw usage('name the node whose dead letters are meant')
  const how = resend === true ? ('resend' as const) : ('drop' as const)
  return { how, ids: typeof id === 'string' ? id.split(',') : undefined }
}

function limitOf(limit: string | boolean | undefined): number {
  if (typeof limit !== 'string') return 100
  const number = /^[0-9]{1,5}$/.test(limit) ? Number(limit) : 0
  if (number >= 1 && number <= 10_000) return number
  throw usage(`--limit ${limit}: a number from 1 to 10000`)
}

function usage(text: string): CliError {
  return new CliError('usage', 'USAGE', text)
}

function textOf(letters: readonly Json<DeadLetter>[], total: number, out: Output): string {
  if (letters.length === 0) return 'no dead letters'
  const rows = letters.map(letter => [
    letter.time,
    letter.node,
    letter.type ?? `code ${letter.code}`,
    letter.seq,
    letter.attempts === 0 ? '-' : String(letter.attempts),
    letter.id,
    { text: `${letter.reason.name}: ${letter.reason.message}`, paint: 'red' as const },
  ])
  const table = out.table(['SINCE', 'NODE', 'TYPE', 'SEQ', 'ATTEMPTS', 'ID', 'REASON'], rows)
  const rest = total - letters.length
  return rest > 0 ? `${table}\nand ${rest} older ones: see --limit` : table
}

function conclude(how: 'resend' | 'drop', { done, left, failures }: LettersSettled, out: Output): number {
  const text = `${done} ${how === 'resend' ? 'sent again' : 'dropped'}, ${left} left`
  if (out.manner.json) out.result('', { done, left, failures })
  else {
    for (const { id, detail } of failures) out.error(`${id}: ${detail}`, '', 0)
    out.confirm(text)
  }
  const [first] = failures
  if (first === undefined) return exits.ok.code
  if (first.code === 'FULL' || first.code === 'UNREGISTERED') return exits.retry.code
  return first.code === 'HOST_AWAY' ? exits.unavailable.code : exits.failed.code
}
