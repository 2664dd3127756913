// status.ts: corod status and corod nodes: what the daemon says of itself, for people.
import { printable } from '../config/problems.js'
import { ControlClient } from '../control/client.js'
import type { HostState, NodeState } from '../host/report.js'
import type { Given } from './commands.js'
import { exits } from './exits.js'
import type { Output, Paint } from './output.js'
import { controlSocket } from './place.js'

const hostPaint: Readonly<Record<HostState, Paint>> = {
  connected: 'green',
  connecting: 'yellow',
  stalled: 'red',
  refused: 'red',
}

/** Between a state and the host it is about. */
const hostWord: Readonly<Record<HostState, string>> = {
  connected: ' to',
  connecting: ' to',
  stalled: ',',
  refused: ' by',
}

const nodePaint: Readonly<Partial<Record<NodeState, Paint>>> = {
  running: 'green',
  'waiting-for-host': 'yellow',
  'backing-off': 'yellow',
  'crash-loop': 'red',
  stopped: 'red',
}

async function client(given: Given, out: Output): Promise<ControlClient> {
  return new ControlClient(await controlSocket({ ...given, env: out.streams.env }))
}

/** Milliseconds as `3 d 4 h`, `12 min 5 s`, `7 s`. */
function span(ms: number): string {
  const seconds = Math.floor(ms / 1000)
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ] as const
  const first = parts.findIndex(([amount]) => amount > 0)
  if (first < 0) return '0 s'
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(' ')
}

function again(reloads: number): string {
  return reloads === 0 ? '' : `, reloaded ${times(reloads)}`
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`
}

/** The names as a cell of a table: as many as fit, and how many more there are. */
function few(names: readonly string[]): string {
  const longest = 40
  let shown = names.length
  while (shown > 1 && names.slice(0, shown).join(',').length > longest) shown--
  const rest = names.length - shown
  return `${names.slice(0, shown).join(',') || '-'}${rest > 0 ? ` and ${rest} more` : ''}`
}

export async function status(_: readonly (string | undefined)[], given: Given, out: Output): Promise<number> {
  const report = await (await client(given, out)).status()
  const { host, nodes } = report
  const who = host.name === undefined ? '' : `${hostWord[host.state]} ${host.name} ${host.release ?? ''}`.trimEnd()
  const pid = host.pid === undefined ? '' : ` (pid ${host.pid})`
  const error = host.state !== 'connected' && host.lastError !== undefined ? `: ${host.lastError}` : ''
  const lines: [string, string][] = [
    [
      'corod',
      `${report.version}, pid ${report.pid}, up ${span(report.uptimeMs)}, ${Math.round(report.rss / 2 ** 20)} MiB`,
    ],
    ['config', `${report.config}, loaded ${report.loaded}${again(report.reloads)}`],
    ['host', `${out.paint(host.state, hostPaint[host.state])}${printable(`${who}${pid}${error}`)}`],
    ['', `${printable(host.socket)}, since ${host.since}, attached ${times(host.attachments)}`],
    ['nodes', `${nodes.total}: ${nodes.running} running, ${nodes.failed} failed`],
    ['events', `${report.received} received by nodes, ${report.sent} accepted from the control socket`],
  ]
  out.result(lines.map(([name, text]) => `${name.padEnd(8)}${text}`).join('\n'), report)
  return exits.ok.code
}

export async function nodes(_: readonly (string | undefined)[], given: Given, out: Output): Promise<number> {
  const list = await (await client(given, out)).nodes()
  const rows = list.map(node => [
    node.name,
    { text: node.state, paint: nodePaint[node.state] },
    String(node.received),
    String(node.missed),
    String(node.deadLetters),
    String(node.restarts),
    few(node.messages),
    { text: node.lastError ?? '', paint: 'red' as const },
  ])
  const head = ['NODE', 'STATE', 'RECEIVED', 'MISSED', 'DEAD', 'RESTARTS', 'MESSAGES', 'LAST ERROR']
  out.result(list.length === 0 ? 'no nodes are configured' : out.table(head, rows), list)
  return exits.ok.code
}
