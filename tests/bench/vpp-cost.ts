// vpp-cost.ts: what an event costs VPP's main thread beyond vlib_process_signal_event itself.
import type { Vpp } from '../vpp/vpp.js'
import { type Finding, judge, type Size, show } from './figures.js'
import { median } from './rounds.js'
import { benchVpp, coroutine, inTurn, type Placement, place, scenario } from './vpp.js'

/** CPU time of main, ns per event. */
interface Cost {
  readonly signal: number
  readonly total: number
}

const batches = [1, 16, 256] as const
const large = 256
const placements: readonly Placement[] = ['apart', 'together']

async function cost(vpp: Vpp, to: 'floor' | 'node', count: number, batch: number): Promise<Cost> {
  const { signal, total } = await scenario<Cost>(vpp, `cost ${to} ${count} ${batch}`)
  return { signal: signal / batch, total: total / batch }
}

/** Signals to a process node in C that drains, and to a corod node, in batches. */
export async function vppCost(size: Size): Promise<Finding> {
  const count = size.quick ? 200 : 500
  const cases = placements.flatMap(placement =>
    batches.map(batch => ({ placement, batch, plain: [] as Cost[], ours: [] as Cost[] })),
  )
  await using vpp = await benchVpp()
  await using daemon = await coroutine(vpp)
  for (let round = 0; round < size.rounds; round++)
    for (const { placement, batch, plain, ours } of cases) {
      place(vpp, daemon, placement)
      await inTurn(round, {
        plain: async () => void plain.push(await cost(vpp, 'floor', count, batch)),
        ours: async () => void ours.push(await cost(vpp, 'node', count, batch)),
      })
    }
  const of = (costs: readonly Cost[], what: keyof Cost) => median(costs.map(cost => cost[what]))
  const beyond = (placement: Placement) => {
    const { plain, ours } = cases.find(one => one.placement === placement && one.batch === large)!
    return median(ours.map((cost, round) => cost.total - plain[round]!.signal))
  }
  const signal = of(cases.find(one => one.placement === 'apart' && one.batch === large)!.plain, 'signal')
  return {
    figures: {
      'vpp.signal_ns': signal,
      'vpp.main_ns_per_event': beyond('apart'),
      'vpp.main_ns_per_event_one_core': beyond('together'),
    },
    section: {
      title: 'VPP: cost of a relayed event on the main thread',
      method: `A process node signals a target some times in a row and waits until it has run: first a process node in C that takes its events and drops them, then a corod node whose coroutine counts them; ${count} batches each, ${size.rounds} alternating rounds, medians; CPU time of the main thread, ns per event. “Beyond” is all that main does for a corod node less the signals themselves: resuming, draining, sequence, ring, doorbell. Every batch finds the daemon asleep, so each pays for a bell that wakes it: on a core of its own, or on main’s.`,
      head: [
        'daemon runs on',
        'signals in a row',
        '`vlib_process_signal_event`',
        'C node, in all',
        'corod node, in all',
        'beyond the signal',
      ],
      rows: cases.map(({ placement, batch, plain, ours }) => [
        placement === 'apart' ? 'its own core' : 'main’s core',
        batch,
        show(of(plain, 'signal')),
        show(of(plain, 'total')),
        show(of(ours, 'total')),
        show(median(ours.map((cost, round) => cost.total - plain[round]!.signal))),
      ]),
      verdict: [
        judge(`main, ${large} in a row`, beyond('apart'), 150, ' ns', 'low'),
        judge('the same on one core', beyond('together'), 150, ' ns', 'low'),
      ].join(' '),
    },
  }
}
