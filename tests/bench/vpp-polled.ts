// vpp-polled.ts: the round trip in a VPP whose main loop polls, with peers that look before they sleep.
import { type Finding, judge, type Size, show } from './figures.js'
import { median } from './rounds.js'
import { look } from './spin.js'
import { type BenchPeer, benchVpp, coroutine, inTurn, peerInC, place, scenario, type Took } from './vpp.js'

const ways = ['doorbell', 'looking', 'sleeping', 'ours'] as const
type Way = (typeof ways)[number]

/** An input node that polls keeps main busy; questions back to back, so that whoever looks finds something. */
export async function vppPolled(size: Size): Promise<Finding> {
  const count = size.quick ? 2_000 : 20_000
  const runs: Record<Way, Took[]> = { doorbell: [], looking: [], sleeping: [], ours: [] }
  await using vpp = await benchVpp()
  await vpp.cli('corod-test busy')
  const trips = async (way: Way, peer: BenchPeer) => {
    await using one = peer
    place(vpp, one, 'apart')
    runs[way].push(await scenario<Took>(vpp, `roundtrip node polled ${count} ${Math.max(1_000, count >> 2)}`))
  }
  for (let round = 0; round < size.rounds; round++)
    await inTurn(round, {
      doorbell: async () => trips('doorbell', await peerInC(vpp)),
      looking: async () => trips('looking', await peerInC(vpp, look)),
      sleeping: async () => trips('sleeping', await coroutine(vpp)),
      ours: async () => trips('ours', await coroutine(vpp, look)),
    })
  const micro = (way: Way, of: (took: Took) => number) => median(runs[way].map(of)) / 1000
  const ratio = (to: Way) => median(runs.ours.map((took, i) => took.p50 / runs[to][i]!.p50))
  const row = (name: string, way: Way) => [name, show(micro(way, t => t.p50)), show(micro(way, t => t.p99))]
  const p50 = micro('ours', took => took.p50)
  return {
    figures: {
      'vpp.spin.p50_us': p50,
      'vpp.spin.p99_us': micro('ours', took => took.p99),
      'vpp.spin.p50_ratio': ratio('doorbell'),
      'vpp.spin.same_look_p50_ratio': ratio('looking'),
    },
    section: {
      title: 'VPP, busy main loop, `spin`: event → coroutine → command applied',
      method: `A real VPP whose main loop polls and looks at corod’s ready words on each pass. ${show(count)} questions of a process node, one in flight, back to back; ${size.rounds} alternating rounds. Main has core 0, whoever answers core 1; who looks does so for up to ${look} µs before it sleeps.`,
      head: ['', 'p50, µs', 'p99, µs'],
      rows: [
        row('C on corod’s rings, by doorbell', 'doorbell'),
        row('C on corod’s rings, looking', 'looking'),
        row('coroutine, without `spin`', 'sleeping'),
        row(`coroutine, \`spin: ${look}us\``, 'ours'),
      ],
      verdict: `${judge('p50', p50, 5, ' µs', 'low')} ${show(ratio('doorbell'))} × of C by doorbell, ${show(ratio('looking'))} × of C that looks as long.`,
    },
  }
}
