// idle.ts: what the daemon and the standalone host use with 1,000 nodes and nothing to do.
import { setTimeout as sleep } from 'node:timers/promises'
import { type Finding, judge, type Size, show } from './figures.js'
import { nodesYaml } from './peers.js'
import { median } from './rounds.js'
import { service, usage } from './service.js'

const MiB = 1024 * 1024

/** CPU over a quiet stretch and resident memory; the stretch is repeated per round. */
export async function idle(size: Size): Promise<Finding> {
  await using running = await service(folder => nodesYaml(folder, 'idle.js', 1000))
  const seconds = size.quick ? 3 : 10
  await sleep(3000)
  const cpu: number[] = []
  const hostCpu: number[] = []
  for (let i = 0; i < size.rounds; i++) {
    const before = [usage(running.daemon.pid!), usage(running.host.pid!)] as const
    await sleep(seconds * 1000)
    cpu.push(((usage(running.daemon.pid!).cpu - before[0].cpu) / seconds) * 100)
    hostCpu.push(((usage(running.host.pid!).cpu - before[1].cpu) / seconds) * 100)
  }
  const rss = usage(running.daemon.pid!).rss / MiB
  const hostRss = usage(running.host.pid!).rss / MiB
  return {
    figures: {
      'idle.cpu_percent': median(cpu),
      'idle.rss_mb': rss,
      'idle.host_cpu_percent': median(hostCpu),
      'idle.host_rss_mb': hostRss,
    },
    section: {
      title: 'Idle with 1,000 nodes',
      method: `1,000 nodes that wait; ${size.rounds} stretches of ${seconds} s; CPU of one core from /proc (10 ms ticks), resident memory at the end.`,
      head: ['', 'CPU, % of a core', 'resident, MiB'],
      rows: [
        ['daemon', show(median(cpu)), show(rss)],
        ['standalone host', show(median(hostCpu)), show(hostRss)],
      ],
      verdict: [
        judge('daemon CPU', median(cpu), 0.5, ' %', 'low'),
        judge('daemon memory', rss, 100, ' MiB', 'low'),
        judge('host memory', hostRss, 50, ' MiB', 'low'),
      ].join(' '),
    },
  }
}
