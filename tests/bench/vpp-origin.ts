// vpp-origin.ts: the origin's own figures beside ours. Theirs are quoted: no run of this benchmark measures them.
import type { Finding, Row, Size } from './figures.js'
import { show } from './figures.js'
import { median } from './rounds.js'

interface Quote {
  readonly what: string
  /** As quoted, in `unit`. */
  readonly theirs: number | readonly [number, number]
  readonly unit: string
  /** Our figure by name, times `scale`, is in `unit` too. */
  readonly ours: string
  readonly scale: number
  /** What makes the two comparable, or not quite. */
  readonly note: string
}

const quotes: readonly Quote[] = [
  {
    what: 'message from another thread, main idle: coroutine resumed, p50',
    theirs: 4500,
    unit: 'µs',
    ours: 'vpp.worker_wake.p50_us',
    scale: 1,
    note: 'ours ends later: the command is applied and seen',
  },
  {
    what: 'the same, p99',
    theirs: 11_000,
    unit: 'µs',
    ours: 'vpp.worker_wake.p99_us',
    scale: 1,
    note: 'as above',
  },
  {
    what: 'resumed while main polls, p50',
    theirs: [36, 41],
    unit: 'µs',
    ours: 'vpp.busy.p50_us',
    scale: 1,
    note: 'theirs from another thread; ours from main, to the process and back',
  },
  {
    what: 'a queued send',
    theirs: 20,
    unit: 'ns',
    ours: 'vpp.worker_send_ns',
    scale: 1,
    note: 'ours is one burst of 256',
  },
  {
    what: '5 s of computing, packets lost',
    theirs: 497_553,
    unit: 'packets',
    ours: 'vpp.spin_loss_packets',
    scale: 1,
    note: 'theirs of 1.13 M at 100 kpps; ours at the rate of the section above',
  },
]

const goal = 30

function row(quote: Quote, found: Readonly<Record<string, number>>): Row {
  const middle = typeof quote.theirs === 'number' ? quote.theirs : median(quote.theirs)
  const quoted = typeof quote.theirs === 'number' ? show(quote.theirs) : quote.theirs.map(show).join('–')
  const value = found[quote.ours]
  const ours = value === undefined ? '–' : show(value * quote.scale)
  const times = value === undefined || value === 0 ? '–' : `${show(middle / (value * quote.scale))} ×`
  return [quote.what, `${quoted} ${quote.unit}`, ours === '–' ? ours : `${ours} ${quote.unit}`, times, quote.note]
}

/** The section that quotes the origin; its figures come from the measures before it. */
export async function vppOrigin(_size: Size, found: Readonly<Record<string, number>>): Promise<Finding | undefined> {
  const wake = found['vpp.worker_wake.p50_us']
  const factor = wake === undefined ? undefined : 4500 / wake
  return {
    figures: factor === undefined ? {} : { 'vpp.origin.wake_factor': factor },
    section: {
      title: 'VPP: the origin’s own figures',
      method:
        'What corod ports is the `process_node` module of the Rust crate `vpp-plugin`. Its figures are quoted, not measured by this run: version 0.2.2, built against VPP 26.06 and measured in it, on 2 cores. Its coroutines run on VPP’s main thread, so an event that main sends to itself costs no change of process there: 18–20 million messages a second; ours go to another process and survive its death.',
      head: ['', 'origin (quoted)', 'corod (this run)', 'origin ÷ corod', ''],
      rows: quotes.map(quote => row(quote, found)),
      verdict:
        factor === undefined
          ? ''
          : factor >= goal
            ? `Goal wake ≥ ${goal} × faster than the origin: met (${show(factor)} ×).`
            : `Goal wake ≥ ${goal} × faster than the origin: **missed** (${show(factor)} ×).`,
    },
  }
}
