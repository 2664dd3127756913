// readme.ts: the few figures of the README, written by the run that measured them. docs/benchmarks.md has all.
import { show } from './figures.js'

const begin = '<!-- written by npm run bench -->'
const end = '<!-- end of the figures -->'

/** A row: what was measured, the figure, and what it stands beside. Names in braces are figures of the run. */
type Line = readonly [what: string, figure: string, beside: string]

const lines: readonly Line[] = [
  [
    'event in VPP → coroutine → its command applied in VPP, p50',
    '{vpp.roundtrip.p50_us} µs',
    '{vpp.roundtrip.p50_ratio} × a C process in its place',
  ],
  [
    "the same while VPP's main thread is busy, p50",
    '{vpp.busy.p50_us} µs',
    '{vpp.busy.p50_ratio} × a C process in its place',
  ],
  [
    'event from a VPP worker thread, main asleep, until it has an effect, p50',
    '{vpp.worker_wake.p50_us} µs',
    '{vpp.origin.wake_factor} × faster than the Rust module (quoted)',
  ],
  [
    "what an event costs VPP's main thread, in bursts",
    '{vpp.main_ns_per_event} ns',
    'beyond the {vpp.signal_ns} ns of the signal; a single one that wakes the daemon costs more',
  ],
  ['events into one coroutine', '{throughput.for_await_per_s} a second', '{throughput.batch_per_s} in batches'],
  ['an event with 1,000 nodes', '{scale.nodes_1000_ratio} × the cost', 'of one with a single node'],
  ['`vm.sleep` is late, p99', '{sleep.p99_late_ms} ms', '`setTimeout` {sleep.settimeout_p99_late_ms} ms'],
  ['the daemon with 1,000 idle nodes', '{idle.cpu_percent} % of a core', '{idle.rss_mb} MiB'],
  [
    'packets lost while a node computes for 5 s',
    '{vpp.spin_loss_packets} of {vpp.spin_sent_packets}',
    '{vpp.spin_loss_c_packets} if it is a process node in C',
  ],
]

/** The text with its figures; undefined: one of them was not measured. */
function filled(text: string, figures: Readonly<Record<string, number>>): string | undefined {
  const names = [...text.matchAll(/\{([^}]+)\}/g)].map(match => match[1]!)
  if (names.some(name => figures[name] === undefined)) return undefined
  // From the digits that docs/benchmarks.md has: both pages say the same, whatever is rounded how.
  return text.replace(/\{([^}]+)\}/g, (_, name: string) => show(Number(figures[name]!.toPrecision(6))))
}

/** The README with the table of these figures. Throws if it does not mark the place. */
export function withFigures(readme: string, figures: Readonly<Record<string, number>>): string {
  const from = readme.indexOf(begin)
  const to = readme.indexOf(end, from)
  if (from < 0 || to < 0) throw new Error(`the README lacks the lines ${begin} and ${end}`)
  const rows = lines.map(line => line.map(text => filled(text, figures))).filter(row => !row.includes(undefined))
  const table = ['| what | figure | beside |', '|---|---|---|', ...rows.map(row => `| ${row.join(' | ')} |`)].join('\n')
  return `${readme.slice(0, from + begin.length)}\n\n${table}\n\n${readme.slice(to)}`
}
