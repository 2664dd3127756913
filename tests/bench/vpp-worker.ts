// vpp-worker.ts: events from a worker thread by the C API: how soon an idle main and the coroutine wake, and how many go
// through in a second.
import { availableParallelism } from 'node:os'
import { type Finding, judge, type Size, show } from './figures.js'
import { median } from './rounds.js'
import { type BenchPeer, benchVpp, coroutine, inTurn, peerInC, pin, scenario, type Took } from './vpp.js'

/** A worker sends; main relays; the coroutine counts; the worker sees it. */
export async function vppWorker(size: Size): Promise<Finding | undefined> {
  if (availableParallelism() < 2) {
    process.stdout.write('  skipped: a VPP with a worker needs 2 cores\n')
    return undefined
  }
  const wakes = size.quick ? 500 : 2_000
  const events = size.quick ? 200_000 : 1_000_000
  const floor: Took[] = []
  const ours: Took[] = []
  const rates: number[] = []
  const calls: number[] = []
  await using vpp = await benchVpp({ workers: 1 })
  // Main has core 0 and the worker core 1, all of it: whoever answers has the third, or shares main's.
  const core = availableParallelism() > 2 ? 2 : 0
  const wake = (peer: BenchPeer) => {
    pin(peer.pid, core)
    return scenario<Took>(vpp, `worker wake ${wakes} 500`)
  }
  for (let round = 0; round < size.rounds; round++)
    await inTurn(round, {
      floor: async () => {
        await using peer = await peerInC(vpp)
        floor.push(await wake(peer))
      },
      ours: async () => {
        await using daemon = await coroutine(vpp)
        ours.push(await wake(daemon))
        const burst = await scenario<{ ns: number; events: number }>(vpp, 'worker burst 200 500')
        calls.push(burst.ns / burst.events)
        await scenario(vpp, `worker flood ${events >> 2} 0`)
        const { ns } = await scenario<{ ns: number }>(vpp, `worker flood ${events} 0`)
        rates.push((events / ns) * 1e9)
      },
    })
  const ratio = (of: (took: Took) => number) => median(ours.map((took, i) => of(took) / of(floor[i]!)))
  const micro = (took: Took[], of: (took: Took) => number) => median(took.map(of)) / 1000
  const p50 = micro(ours, t => t.p50)
  return {
    figures: {
      'vpp.worker_sends_per_s': median(rates),
      'vpp.worker_send_ns': median(calls),
      'vpp.worker_wake.p50_ratio': ratio(t => t.p50),
      'vpp.worker_wake.p50_us': p50,
      'vpp.worker_wake.p99_us': micro(ours, t => t.p99),
    },
    section: {
      title: 'VPP: events from a worker thread',
      method: `VPP with one worker, which polls; main is idle. Wake: ${wakes} events of 64-byte records, one every 0.5 ms at most, from the worker’s send until it sees the node’s counter: main woken, event relayed, coroutine resumed, its command applied; the floor is a C process on the same rings; either shares ${core === 0 ? 'main’s core, which is asleep' : 'no core'}. Sends: ${events} as fast as they are taken, until the coroutine has counted the last. ${size.rounds} alternating rounds.`,
      head: ['', 'p50, µs', 'p99, µs', 'events/s', 'one call, ns'],
      rows: [
        [
          'C process behind the same doorbell (floor)',
          show(micro(floor, t => t.p50)),
          show(micro(floor, t => t.p99)),
          '',
          '',
        ],
        ['coroutine', show(p50), show(micro(ours, t => t.p99)), show(median(rates)), show(median(calls))],
        ['ratio (median of rounds)', show(ratio(t => t.p50)), show(ratio(t => t.p99)), '', ''],
      ],
      verdict: judge(
        'wake p50',
        ratio(t => t.p50),
        1.3,
        ' ×',
        'low',
      ),
    },
  }
}
