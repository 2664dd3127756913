// stall.ts: what the others notice when the executor of one node does not come back: round trips of a node on main and of
// one on another worker thread, with and without a thread that spins.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { type Finding, judge, type Size, show } from './figures.js'
import { root, stand } from './peers.js'
import { median } from './rounds.js'

interface Took {
  readonly p50: number
  readonly p99: number
}

const where = ['main', 'worker'] as const
type Where = (typeof where)[number]

/** The node that is measured on one executor, and beside it a thread that sleeps or spins. */
async function once(executor: Where, spins: boolean, rounds: number): Promise<Took> {
  const config = (folder: string) => {
    const file = join(folder, 'stall.yaml')
    const module = (name: string) => join(root, 'dist', 'tests', 'bench', 'nodes', name)
    const nodes = [
      `  bench-0: { module: ${module('each.js')}, executor: ${executor} }`,
      `  bench-1: { module: ${module(spins ? 'spinner.js' : 'each.js')}, executor: worker }`,
    ]
    const limits = 'executors: { worker: { max-stall: 1h } }'
    writeFileSync(file, `log: { level: error }\n${limits}\nnodes:\n${nodes.join('\n')}\n`)
    return file
  }
  await using bench = await stand('for-await', 2, 0, config)
  // Until the thread is up, and spins.
  await wait(1500)
  return await bench.host.ask<Took>(`roundtrip ${rounds} ${Math.max(500, rounds >> 2)}`)
}

/** One event in flight at a time, as in the round trip; the machine has a core for the thread that spins. */
export async function stall(size: Size): Promise<Finding> {
  const count = size.quick ? 2_000 : 20_000
  const took = new Map<string, Took[]>()
  const at = (executor: Where, spins: boolean) => {
    const key = `${executor} ${spins}`
    if (!took.has(key)) took.set(key, [])
    return took.get(key)!
  }
  for (let i = 0; i < size.rounds; i++) {
    for (const executor of where) {
      for (const spins of i % 2 === 0 ? [false, true] : [true, false])
        at(executor, spins).push(await once(executor, spins, count))
    }
  }
  const ratio = (over: Took[], under: Took[], of: (one: Took) => number) =>
    median(over.map((one, i) => of(one) / of(under[i]!)))
  const p99 = (executor: Where) => ratio(at(executor, true), at(executor, false), one => one.p99)
  const worker = ratio(at('worker', false), at('main', false), one => one.p50)
  const micro = (list: Took[], of: (one: Took) => number) => show(median(list.map(of)) / 1000)
  const row = (executor: Where, spins: boolean) => {
    const list = at(executor, spins)
    const beside = spins ? 'beside one that spins' : 'beside one that sleeps'
    return [`node on ${executor}, ${beside}`, micro(list, one => one.p50), micro(list, one => one.p99)]
  }
  const figures = {
    'stall.p99_ratio_main': p99('main'),
    'stall.p99_ratio_worker': p99('worker'),
    'roundtrip.worker_p50_ratio': worker,
  }
  return {
    figures,
    section: {
      title: 'A coroutine that spins on a worker thread: what the other nodes notice',
      method: `${count} events, one in flight, to a node on \`main\` and to one on a thread of its own; ${size.rounds} rounds, each with a second worker thread that sleeps and with one that spins all the time. Host, daemon and that thread share the cores of the machine.`,
      head: ['', 'p50, µs', 'p99, µs'],
      rows: [
        ...where.flatMap(executor => [row(executor, false), row(executor, true)]),
        ['p99 beside one that spins, ratio: main', '', show(figures['stall.p99_ratio_main'])],
        ['the same: worker', '', show(figures['stall.p99_ratio_worker'])],
        ['worker : main, without the spin', show(worker), ''],
      ],
      verdict: [
        judge('p99 on main', figures['stall.p99_ratio_main'], 2, ' ×', 'low'),
        judge('p99 on a worker', figures['stall.p99_ratio_worker'], 2, ' ×', 'low'),
      ].join(' '),
    },
  }
}
