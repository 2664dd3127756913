// throughput.ts: events per second into coroutines: one node by `for await` and by batches, 64 and 1,000 nodes.
import { type Finding, judge, type Size, show } from './figures.js'
import { type PeerKind, stand } from './peers.js'
import { median } from './rounds.js'

const whyBatches =
  'Most of an event is making its object: eight fields and a bigint sequence, stored one by one because the service forbids code generation from strings.'
const whyNodes =
  'With events spread over all nodes, each costs its node a copy, a resume and a release of its own, which one node shares among a quarter of its ring.'

/** Events per second of one flood. */
async function flood(kind: PeerKind, events: number, nodes: number): Promise<number> {
  await using bench = await stand(kind, nodes)
  await bench.host.ask(`flood ${Math.round(events / 4)} 32 ${nodes}`)
  const { ns } = await bench.host.ask<{ ns: number }>(`flood ${events} 32 ${nodes}`)
  return (events / ns) * 1e9
}

/** One node: the same records read by a C consumer, by `for await`, and in batches. */
export async function throughput(size: Size): Promise<Finding> {
  const events = size.quick ? 400_000 : 4_000_000
  const rates: Record<PeerKind, number[]> = { c: [], 'for-await': [], batches: [] }
  const kinds = Object.keys(rates) as PeerKind[]
  for (let i = 0; i < size.rounds; i++) {
    const turn = i % 2 === 0 ? kinds : [...kinds].reverse()
    for (const kind of turn) rates[kind].push(await flood(kind, events, 1))
  }
  const each = median(rates['for-await'])
  const batch = median(rates.batches)
  const share = (kind: PeerKind) => show(median(rates[kind].map((rate, i) => rate / rates.c[i]!)))
  return {
    figures: { 'throughput.for_await_per_s': each, 'throughput.batch_per_s': batch },
    section: {
      title: 'Throughput into one coroutine',
      method: `${events} events of 64-byte records, each counted; ${size.rounds} alternating rounds. The C consumer reads the same rings and counts per batch.`,
      head: ['', 'events/s', 'against the C consumer'],
      rows: [
        ['C consumer', show(median(rates.c)), '1'],
        ['`for await`', show(each), share('for-await')],
        ['`batches()`', show(batch), share('batches')],
      ],
      verdict: [
        judge('for await', each, 3e6, '/s', 'high'),
        judge('batches', batch, 8e6, '/s', 'high', whyBatches),
      ].join(' '),
    },
  }
}

/** Cost per event with 1, 64 and 1,000 nodes taking the same flood in turn. */
export async function scale(size: Size): Promise<Finding> {
  const events = size.quick ? 200_000 : 2_000_000
  const counts = [1, 64, 1000]
  const rates = counts.map(() => [] as number[])
  for (let i = 0; i < size.rounds; i++)
    for (const [at, nodes] of counts.entries()) rates[at]!.push(await flood('for-await', events, nodes))
  const cost = (at: number) => median(rates[at]!.map((rate, i) => rates[0]![i]! / rate))
  return {
    figures: { 'scale.nodes_64_ratio': cost(1), 'scale.nodes_1000_ratio': cost(2) },
    section: {
      title: 'Many nodes',
      method: `${events} events of 64-byte records round-robin over 1, 64 and 1,000 nodes of one executor; ${size.rounds} rounds.`,
      head: ['nodes', 'events/s', 'cost per event against 1 node'],
      rows: counts.map((nodes, at) => [nodes, show(median(rates[at]!)), show(cost(at))]),
      verdict: judge('1,000 nodes', cost(2), 1.3, ' ×', 'low', whyNodes),
    },
  }
}
