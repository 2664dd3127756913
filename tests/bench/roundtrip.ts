// roundtrip.ts: event -> coroutine -> command applied, beside the same ping-pong with a peer in C.
import { type Finding, judge, type Size, show } from './figures.js'
import { type PeerKind, stand } from './peers.js'
import { median } from './rounds.js'

interface Took {
  readonly p50: number
  readonly p99: number
}

async function once(kind: PeerKind, rounds: number): Promise<Took> {
  await using bench = await stand(kind, 1)
  return await bench.host.ask<Took>(`roundtrip ${rounds} ${Math.max(500, rounds >> 2)}`)
}

/** One event in flight at a time; the host sleeps in epoll in between. */
export async function roundtrip(size: Size): Promise<Finding> {
  const count = size.quick ? 2_000 : 20_000
  const floor: Took[] = []
  const ours: Took[] = []
  for (let i = 0; i < size.rounds; i++) {
    if (i % 2 === 0) floor.push(await once('c', count))
    ours.push(await once('for-await', count))
    if (i % 2 === 1) floor.push(await once('c', count))
  }
  const ratioOf = (of: (took: Took) => number) => median(ours.map((took, i) => of(took) / of(floor[i]!)))
  const p50 = ratioOf(took => took.p50)
  const p99 = ratioOf(took => took.p99)
  const micro = (list: Took[], of: (took: Took) => number) => show(median(list.map(of)) / 1000)
  return {
    figures: { 'roundtrip.p50_ratio': p50, 'roundtrip.p99_ratio': p99 },
    section: {
      title: 'Round trip: event → coroutine → command applied',
      method: `${count} events, one in flight, 64-byte records; ${size.rounds} alternating rounds. The floor is a C process on the same host, rings and doorbells, that counts each event.`,
      head: ['', 'p50, µs', 'p99, µs'],
      rows: [
        ['C ↔ C (floor)', micro(floor, t => t.p50), micro(floor, t => t.p99)],
        ['coroutine', micro(ours, t => t.p50), micro(ours, t => t.p99)],
        ['ratio (median of rounds)', show(p50), show(p99)],
      ],
      verdict: [judge('p50', p50, 1.3, ' ×', 'low'), judge('p99', p99, 1.5, ' ×', 'low')].join(' '),
    },
  }
}
