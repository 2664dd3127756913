// vpp-roundtrip.ts: a process node in VPP asks, somebody outside answers: eventfds and C, our rings and C, our rings
// and a coroutine. With an idle main loop (it sleeps in epoll) and a busy one; and Python's VPP client beside it.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { findVpp, type Vpp } from '../vpp/vpp.js'
import { type Finding, judge, type Row, type Size, show } from './figures.js'
import { root } from './peers.js'
import { median } from './rounds.js'
import {
  type BenchPeer,
  benchVpp,
  coroutine,
  eventfdClient,
  inTurn,
  type Placement,
  peerInC,
  pin,
  place,
  scenario,
  type Took,
} from './vpp.js'

interface Runs {
  readonly floor: Took[]
  readonly peer: Took[]
  readonly ours: Took[]
  readonly papi: Took[]
}

/** Trips of one run that count. */
const counted = (size: Size, busy: boolean) => (size.quick ? 1_000 : busy ? 3_000 : 5_000)

const noRuns = (): Runs => ({ floor: [], peer: [], ours: [], papi: [] })

/** control_ping by VPP's own Python client; undefined: that is not installed. */
async function papi(vpp: Vpp, count: number): Promise<Took | undefined> {
  const lib = join(findVpp() as string, 'lib', 'python3', 'dist-packages')
  const env = { ...process.env, ...(existsSync(lib) ? { PYTHONPATH: lib } : {}) }
  const args = [join(root, 'tests', 'bench', 'vpp', 'ping.py'), vpp.api, String(count), '100']
  const child = spawn('/usr/bin/python3', args, { env, stdio: ['ignore', 'pipe', 'ignore'], timeout: 60_000 })
  if (child.pid !== undefined) pin(child.pid, 1)
  let text = ''
  child.stdout.on('data', piece => (text += piece))
  const code = await new Promise<number | null>(resolve => {
    child.once('error', () => resolve(null))
    child.once('close', resolve)
  })
  return code === 0 ? (JSON.parse(text) as Took) : undefined
}

async function run(size: Size, busy: boolean): Promise<Record<Placement, Runs>> {
  const count = counted(size, busy)
  const runs: Record<Placement, Runs> = { apart: noRuns(), together: noRuns() }
  // A main loop that never sleeps leaves nothing of its core to share.
  const placements: readonly Placement[] = busy ? ['apart'] : ['apart', 'together']
  await using vpp = await benchVpp()
  await using client = await eventfdClient(vpp)
  if (busy) await vpp.cli('corod-test busy')
  const trips = async (way: 'floor' | 'node', peer: BenchPeer, into: keyof Runs) => {
    for (const placement of placements) {
      place(vpp, peer, placement)
      const warmup = Math.max(500, count >> 2)
      runs[placement][into].push(
        await scenario<Took>(vpp, `roundtrip ${way} ${busy ? 'busy' : 'idle'} ${count} ${warmup}`),
      )
    }
    pin(vpp.pid, 0)
  }
  for (let round = 0; round < size.rounds; round++) {
    await inTurn(round, {
      floor: () => trips('floor', client, 'floor'),
      peer: async () => {
        await using peer = await peerInC(vpp)
        await trips('node', peer, 'peer')
      },
      ours: async () => {
        await using daemon = await coroutine(vpp)
        await trips('node', daemon, 'ours')
      },
      papi: async () => {
        const took = busy ? undefined : await papi(vpp, size.quick ? 500 : 2_000)
        if (took) runs.apart.papi.push(took)
      },
    })
  }
  return runs
}

const micro = (took: readonly Took[], of: (took: Took) => number) => median(took.map(of)) / 1000

function ratio(runs: Runs, of: (took: Took) => number, floor: readonly Took[] = runs.floor): number {
  return median(runs.ours.map((took, i) => of(took) / of(floor[i]!)))
}

/** Per cent of the trips in which main did not sleep. */
const leftOut = (took: readonly Took[]) =>
  median(took.map(({ count = 1, left_out = 0 }) => (left_out / (left_out + count)) * 100))

const p50 = (took: Took) => took.p50
const p99 = (took: Took) => took.p99

/** A row for each way: p50 and p99 of `runs`, and of others beside them. */
function rows(...columns: readonly Runs[]): Row[] {
  const row = (name: string, of: (runs: Runs) => readonly Took[]) => [
    name,
    ...columns.flatMap(runs =>
      of(runs).length > 0 ? [show(micro(of(runs), p50)), show(micro(of(runs), p99))] : ['', ''],
    ),
  ]
  const times = (name: string, floor: (runs: Runs) => Took[]) => [
    name,
    ...columns.flatMap(runs => [show(ratio(runs, p50, floor(runs))), show(ratio(runs, p99, floor(runs)))]),
  ]
  return [
    row('C process ↔ C process node, eventfds (floor)', runs => runs.floor),
    row('C process on corod’s rings and doorbells', runs => runs.peer),
    row('coroutine', runs => runs.ours),
    ...(columns[0]!.papi.length > 0 ? [row('Python’s VPP client, `control_ping`', runs => runs.papi)] : []),
    times('coroutine to floor (median of rounds)', runs => runs.floor),
    times('coroutine to C on the same rings', runs => runs.peer),
  ]
}

const method = (size: Size, busy: boolean) =>
  `A real VPP. ${show(counted(size, busy))} questions of a process node, one in flight; ${size.rounds} alternating rounds. Both stopwatches are the same code inside VPP: from before the process node sends until a polling PRE_INPUT node sees the answer: of the floor the reading of an eventfd, of the others the node’s counter. Main has core 0; whoever answers has core 1.`

/** Main sleeps in epoll between two events. */
export async function vppRoundtrip(size: Size): Promise<Finding> {
  const { apart, together } = await run(size, false)
  const asked =
    apart.papi.length === size.rounds ? median(apart.papi.map((took, i) => took.p50 / apart.ours[i]!.p50)) : undefined
  return {
    figures: {
      'vpp.roundtrip.p50_ratio': ratio(apart, p50),
      'vpp.roundtrip.p99_ratio': ratio(apart, p99),
      'vpp.roundtrip.p50_us': micro(apart.ours, p50),
      'vpp.roundtrip.p99_us': micro(apart.ours, p99),
      'vpp.roundtrip.one_core_p50_ratio': ratio(together, p50),
      'vpp.roundtrip.same_rings_p50_ratio': ratio(apart, p50, apart.peer),
      'vpp.roundtrip.same_rings_p99_ratio': ratio(apart, p99, apart.peer),
      'vpp.roundtrip.left_out_percent': leftOut(apart.ours),
      ...(asked === undefined ? {} : { 'vpp.papi_ratio': asked }),
    },
    section: {
      title: 'VPP, idle main loop: event → coroutine → command applied',
      method: `${method(size, false)} VPP spins for about 1 ms of every 10 ms instead of sleeping, and a peer that is still awake answers faster then; trips in which the kernel saw main not block are left out: of the floor’s ${show(leftOut(apart.floor))} %, of C’s on our rings ${show(leftOut(apart.peer))} %, of the coroutine’s ${show(leftOut(apart.ours))} %. Python’s are all counted. On the right both share core 0: no halted core has to be woken, so what is left is the software’s own share.`,
      head: ['', 'p50, µs', 'p99, µs', 'one core: p50, µs', 'p99, µs'],
      rows: rows(apart, together),
      verdict: [
        judge('p50', ratio(apart, p50), 1.3, ' ×', 'low'),
        judge('p99', ratio(apart, p99), 1.5, ' ×', 'low'),
        `Against C on the same rings: p50 ${show(ratio(apart, p50, apart.peer))} ×, p99 ${show(ratio(apart, p99, apart.peer))} ×; with both on one core ${show(ratio(together, p50))} × the floor.`,
        asked === undefined
          ? 'Python’s VPP client is not installed here.'
          : `The same question by Python’s VPP client takes ${show(asked)} times as long.`,
      ].join(' '),
    },
  }
}

/** A polling input node keeps main busy, which then asks epoll only every 1,024 passes. */
export async function vppBusy(size: Size): Promise<Finding> {
  const { apart } = await run(size, true)
  return {
    figures: {
      'vpp.busy.p50_ratio': ratio(apart, p50),
      'vpp.busy.same_rings_p50_ratio': ratio(apart, p50, apart.peer),
      'vpp.busy.p50_us': micro(apart.ours, p50),
    },
    section: {
      title: 'VPP, busy main loop: event → coroutine → command applied',
      method: `${method(size, true)} An input node that polls keeps main busy: VPP then asks epoll only every 1,024 passes of its loop, which is what the floor waits for; corod looks at its doorbell’s words on every pass. A pause of 0.3 ms before each question lets whoever answers go to sleep: back to back it would stay awake, and the figure would be another.`,
      head: ['', 'p50, µs', 'p99, µs'],
      rows: rows(apart),
      verdict: `${judge('p50', ratio(apart, p50), 1.3, ' ×', 'low')} The floor waits for VPP’s epoll here; against C on the same rings, which are looked at on every pass, it is ${show(ratio(apart, p50, apart.peer))} ×.`,
    },
  }
}
