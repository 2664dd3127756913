// spin.ts: the round trip when nobody sleeps: a host that polls, a peer that looks before it would sleep.
import { type Finding, judge, type Size, show } from './figures.js'
import { type PeerKind, stand } from './peers.js'
import { median } from './rounds.js'
import { inTurn, pin, type Took } from './vpp.js'

/** Microseconds of a look: `spin` of the executor. */
export const look = 50

const ways = ['floor', 'looking', 'sleeping', 'ours'] as const
type Way = (typeof ways)[number]

const peers: Readonly<Record<Way, readonly [kind: PeerKind, look: number, scenario: 'roundtrip' | 'polled']>> = {
  floor: ['c', 0, 'roundtrip'],
  looking: ['c', look, 'polled'],
  sleeping: ['for-await', 0, 'polled'],
  ours: ['for-await', look, 'polled'],
}

async function once(way: Way, count: number): Promise<Took> {
  const [kind, looks, scenario] = peers[way]
  await using bench = await stand(kind, 1, looks)
  // On one core whoever looks would only keep the other one from its work.
  pin(bench.host.child.pid as number, 0)
  pin(bench.peer.pid as number, 1)
  return await bench.host.ask<Took>(`${scenario} ${count} ${Math.max(2_000, count >> 2)}`)
}

/** One event in flight at a time; the host looks at the ready words all the time, as a busy VPP does on each pass. */
export async function spin(size: Size): Promise<Finding> {
  const count = size.quick ? 5_000 : 50_000
  const runs: Record<Way, Took[]> = { floor: [], looking: [], sleeping: [], ours: [] }
  for (let round = 0; round < size.rounds; round++)
    await inTurn(
      round,
      Object.fromEntries(ways.map(way => [way, async () => void runs[way].push(await once(way, count))])),
    )
  const micro = (way: Way, of: (took: Took) => number) => median(runs[way].map(of)) / 1000
  const ratio = (to: Way) => median(runs.ours.map((took, i) => took.p50 / runs[to][i]!.p50))
  const p50 = micro('ours', took => took.p50)
  const floor = micro('floor', took => took.p50)
  const row = (name: string, way: Way) => [name, show(micro(way, t => t.p50)), show(micro(way, t => t.p99))]
  return {
    figures: {
      'spin.roundtrip.p50_us': p50,
      'spin.roundtrip.p99_us': micro('ours', took => took.p99),
      'spin.roundtrip.p50_ratio': ratio('floor'),
      'spin.roundtrip.same_look_p50_ratio': ratio('looking'),
      'spin.roundtrip.floor_p50_us': floor,
    },
    section: {
      title: 'Round trip without sleep: `spin` and a host that polls',
      method: `${show(count)} events, one in flight, 64-byte records; ${size.rounds} alternating rounds. The host looks at the ready words all the time, as a busy VPP does on each pass, and has core 0; the peer has core 1 and looks for up to ${look} µs before it sleeps. The floor is C ↔ C with both sides asleep between two events, by doorbell.`,
      head: ['', 'p50, µs', 'p99, µs'],
      rows: [
        row('C ↔ C by doorbell (floor)', 'floor'),
        row('C ↔ C, both look', 'looking'),
        row('coroutine, without `spin`', 'sleeping'),
        row(`coroutine, \`spin: ${look}us\``, 'ours'),
      ],
      verdict: `${judge('p50', p50, 5, ' µs', 'low')} The floor by doorbell in the same run is ${show(floor)} µs: ${show(ratio('floor'))} × of it. Against C that looks as long: ${show(ratio('looking'))} ×.`,
    },
  }
}
