// sleep.ts: how late vm.sleep(1…100 ms) is, beside setTimeout in the same process.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Finding, judge, type Size, show } from './figures.js'
import { nodesYaml } from './peers.js'
import { median, percentile } from './rounds.js'
import { service, until } from './service.js'

interface Late {
  readonly ours: number[]
  readonly timers: number[]
}

async function once(count: number): Promise<Late> {
  let into = ''
  await using running = await service(folder => {
    into = join(folder, 'late.json')
    return nodesYaml(folder, 'sleeper.js', 1, `, options: { into: ${into}, rounds: ${count} }`)
  })
  await until(() => existsSync(into) && readFileSync(into, 'utf8').endsWith('}'), 30 + count * 0.2, 'the sleeper')
  void running
  return JSON.parse(readFileSync(into, 'utf8')) as Late
}

/** Alternating sleeps of 1…100 ms; lateness at the 50th and 99th percentile. */
export async function sleepLateness(size: Size): Promise<Finding> {
  const count = size.quick ? 60 : 120
  const runs: Late[] = []
  for (let i = 0; i < size.rounds; i++) runs.push(await once(count))
  const of = (pick: (late: Late) => number[], share: number) => median(runs.map(run => percentile(pick(run), share)))
  const p99 = of(run => run.ours, 0.99)
  const timers = of(run => run.timers, 0.99)
  return {
    figures: { 'sleep.p99_late_ms': p99, 'sleep.settimeout_p99_late_ms': timers },
    section: {
      title: 'Lateness of sleep(1…100 ms)',
      method: `${count} sleeps of each kind, in turn, in one coroutine; ${size.rounds} runs; medians of the runs' percentiles.`,
      head: ['', 'p50, ms late', 'p99, ms late'],
      rows: [
        ['vm.sleep', show(of(run => run.ours, 0.5)), show(p99)],
        ['setTimeout', show(of(run => run.timers, 0.5)), show(timers)],
      ],
      verdict: [judge('p99', p99, 1, ' ms', 'low'), judge('p99 against setTimeout', p99 / timers, 1, ' ×', 'low')].join(
        ' ',
      ),
    },
  }
}
