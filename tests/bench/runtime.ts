// runtime.ts: the runtime alone, without a ring: channels, select and timers, beside plain promises and events.on.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { type Finding, judge, type Size, show } from './figures.js'
import { root } from './peers.js'
import { median } from './rounds.js'
import type { Loop, Loops, Waiting } from './runtime-loops.js'

const program = join(root, 'dist', 'tests', 'bench', 'runtime-loops.js')

/** One round of every loop, in a process of its own: what one has left for the compiler or the collector is gone. */
function round(quick: boolean): Loops {
  const run = spawnSync(process.execPath, [program, ...(quick ? ['--quick'] : [])], { encoding: 'utf8' })
  if (run.status !== 0) throw new Error(`${program}: ${run.stderr}`)
  return JSON.parse(run.stdout) as Loops
}

const whyTimers =
  'What a hundred thousand coroutines wait for outlives the young generation of the collector, which then moves each object twice: plain promises pay the same.'

/** Messages through a channel and a select, and how the cost of a timer changes with their number. */
export async function runtime(size: Size): Promise<Finding> {
  const rounds = Array.from({ length: size.rounds }, () => round(size.quick))
  const { burst, crowds } = rounds[0]!
  const rate = (loop: Loop) => median(rounds.map(({ perSecond }) => perSecond[loop]))
  const cost = (loop: Loop) => median(rounds.map(({ perSecond }) => perSecond.channel / perSecond[loop]))
  const ns = (waiting: Waiting, at: number) => median(rounds.map(({ nsPerTimer }) => nsPerTimer[waiting][at]!))
  const step = (waiting: Waiting) =>
    median(rounds.map(({ nsPerTimer }) => nsPerTimer[waiting][2]! / nsPerTimer[waiting][0]!))
  const beside = median(
    rounds.map(({ nsPerTimer: { promises, 'vm.sleep': ours } }) => ours[2]! / ours[0]! / (promises[2]! / promises[0]!)),
  )
  const loops = Object.keys(rounds[0]!.perSecond) as Loop[]
  const waitings = Object.keys(rounds[0]!.nsPerTimer) as Waiting[]
  return {
    figures: {
      'runtime.channel_per_s': rate('channel'),
      'runtime.channel_one_per_s': rate('channel, one by one'),
      'runtime.select_ratio': cost('select, two channels'),
      'runtime.promises_per_s': rate('promises'),
      'runtime.events_on_per_s': rate('events.on'),
      'runtime.timer_ns': ns('vm.sleep', 0),
      'runtime.timers_100k_ratio': step('vm.sleep'),
      'runtime.promises_100k_ratio': step('promises'),
    },
    section: {
      title: 'The runtime alone',
      method: `No ring, no host. Messages of a producer in bursts of ${burst}, which the consumer takes before the next one comes, or one by one, each when the consumer waits for it already; "promises" awaits an async function for each. For timers: a coroutine each waits, ${crowds.map(show).join(', ')} at once, for 1 to 1000 ms of a clock that jumps (\`vm.sleep\`), of the real one (\`setTimeout\` of node:timers/promises), or for a promise that is resolved by hand; CPU time with that of the collector. ${size.rounds} rounds, a process each.`,
      head: ['', 'messages/s', 'cost of one against the channel'],
      rows: [
        ...loops.map(loop => [loop, show(rate(loop)), show(cost(loop))]),
        ...waitings.map(waiting => [
          `${waiting}: ns each, ${crowds.map(show).join(' / ')} at once`,
          crowds.map((_, at) => show(ns(waiting, at))).join(' / '),
          `${show(step(waiting))} × from first to last`,
        ]),
      ],
      verdict: [
        judge('channel and for await', rate('channel'), 5e6, '/s', 'high'),
        judge('select of two', cost('select, two channels'), 3, ' ×', 'low'),
        judge('timers: 100,000 against 1,000, beside plain promises', beside, 1, ' ×', 'low'),
        whyTimers,
      ].join(' '),
    },
  }
}
