// runtime-loops.ts [--quick]: the runtime alone, without a ring: one round of every loop, in a process of its own. Prints
// one line of JSON, Loops. Started by runtime.ts.
import { EventEmitter, on } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { processNode } from '../../daemon/process/define.js'
import type { Vm } from '../../daemon/process/node.js'
import type { NodePort } from '../../daemon/process/port.js'
import { NodeRuntime } from '../../daemon/process/runtime.js'

/** Messages per second of each loop; nanoseconds of CPU for each timer, by how many there are at once. */
export interface Loops {
  readonly burst: number
  readonly crowds: readonly number[]
  readonly perSecond: Readonly<Record<Loop, number>>
  readonly nsPerTimer: Readonly<Record<Waiting, readonly number[]>>
}

/** How messages get from a producer to a consumer. */
export type Loop =
  | 'promises'
  | 'events.on'
  | 'channel'
  | 'channel, one by one'
  | 'select, two channels'
  | 'select, timer and channel'

/** What many wait for at once. */
export type Waiting = 'promises' | 'setTimeout' | 'vm.sleep'

/** How many wait at once. */
const crowds = [1_000, 10_000, 100_000] as const

/** So many messages are there before the consumer is given its turn. */
const burst = 100

const quick = process.argv.includes('--quick')
const messages = quick ? 200_000 : 2_000_000

// ---- a node without a host: its time is what this file says

class Alone implements NodePort {
  readonly name = 'alone'
  readonly options = {}
  readonly log = { debug() {}, info() {}, warn() {}, error() {} }
  readonly peers: readonly string[] = []
  time = 0
  nearest = Number.POSITIVE_INFINITY

  now(): number {
    return this.time
  }
  deadline(at: number): void {
    this.nearest = at
  }
  take(): undefined {}
  takeBatch(): [] {
    return []
  }
  release(): void {}
  closed(): boolean {
    return false
  }
  late(): void {}
  count(): void {}
  enqueue(): boolean {
    return true
  }
  async cli(): Promise<string> {
    return ''
  }
  async signal(): Promise<void> {}
  async send(): Promise<bigint> {
    return 0n
  }
  async ask(): Promise<Uint8Array> {
    return new Uint8Array()
  }
}

/** What `work` gives, in a node. */
async function inNode<T>(work: (vm: Vm, port: Alone, runtime: NodeRuntime) => Promise<T>): Promise<T> {
  const port = new Alone()
  let given: T | undefined
  const definition = processNode({
    async run(vm) {
      await undefined
      given = await work(vm, port, runtime)
    },
  })
  const runtime: NodeRuntime = new NodeRuntime(definition, port)
  const result = await runtime.run()
  if (result.how === 'failed') throw result.error
  return given as T
}

// ---- messages

/** Hands over `count` messages in bursts, each when the one before was taken; messages per second. */
async function flow(send: (n: number) => void, taken: () => number, count: number): Promise<number> {
  const start = performance.now()
  for (let n = 0; n < count; ) {
    for (const end = n + burst; n < end; ) send(n++)
    // A turn of the event loop lets the consumer go on for as long as it finds messages.
    while (taken() < n) await turn()
  }
  return (count / (performance.now() - start)) * 1000
}

function turn(): Promise<void> {
  return new Promise(resolve => setImmediate(resolve))
}

async function promises(count: number): Promise<number> {
  const given = async (n: number) => n
  let taken = 0
  const start = performance.now()
  while (taken < count) taken += (await given(taken)) >= 0 ? 1 : 0
  return (count / (performance.now() - start)) * 1000
}

async function eventsOn(count: number): Promise<number> {
  const emitter = new EventEmitter()
  const stop = new AbortController()
  let taken = 0
  const consumer = (async () => {
    for await (const _ of on(emitter, 'message', { signal: stop.signal })) taken++
  })()
  const rate = await flow(
    n => emitter.emit('message', n),
    () => taken,
    count,
  )
  stop.abort()
  await consumer.catch(() => {})
  return rate
}

function channel(count: number): Promise<number> {
  return inNode(async vm => {
    const [tx, rx] = vm.channel<number>()
    let taken = 0
    const consumer = (async () => {
      for await (const _ of rx) taken++
    })()
    const rate = await flow(
      n => tx.send(n),
      () => taken,
      count,
    )
    tx.close()
    await consumer
    return rate
  })
}

/** Each message comes when the consumer waits for it already. */
function oneByOne(count: number): Promise<number> {
  return inNode(async vm => {
    const [tx, rx] = vm.channel<number>()
    const next = () => tx.send(0)
    const start = performance.now()
    queueMicrotask(next)
    let taken = 0
    for await (const _ of rx) {
      if (++taken === count) break
      queueMicrotask(next)
    }
    return (count / (performance.now() - start)) * 1000
  })
}

function selectTwo(count: number): Promise<number> {
  return inNode(async vm => {
    const [[even, a], [odd, b]] = [vm.channel<number>(), vm.channel<number>()]
    let taken = 0
    const consumer = (async () => {
      while (!(await vm.select({ a, b })).done) taken++
    })()
    const rate = await flow(
      n => (n % 2 === 0 ? even : odd).send(n),
      () => taken,
      count,
    )
    even.close()
    await consumer
    return rate
  })
}

function selectTimer(count: number): Promise<number> {
  return inNode(async vm => {
    using due = vm.timer(1000)
    const [tx, rx] = vm.channel<number>()
    let taken = 0
    const consumer = (async () => {
      while (!(await vm.select({ due, rx })).done) taken++
    })()
    const rate = await flow(
      n => tx.send(n),
      () => taken,
      count,
    )
    tx.close()
    await consumer
    return rate
  })
}

// ---- timers

/** Nanoseconds of CPU, those of the garbage collector's threads among them. */
function cpuTime(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) * 1000
}

/** Times of 1 to 1000 ms, all over the wheel. */
function delay(i: number, count: number): number {
  return 1 + (((i * 7919) % count) / count) * 999
}

function sleeps(count: number, rounds: number): Promise<number> {
  return inNode(async (vm, port, runtime) => {
    const start = cpuTime()
    for (let round = 0; round < rounds; round++) {
      let asleep = count
      const one = async (ms: number) => {
        await vm.sleep(ms)
        asleep--
      }
      for (let i = 0; i < count; i++) void one(delay(i, count))
      while (asleep > 0) {
        port.time = port.nearest
        runtime.tick()
        await undefined
      }
    }
    return (cpuTime() - start) / count / rounds
  })
}

async function waits(count: number, rounds: number): Promise<number> {
  const start = cpuTime()
  for (let round = 0; round < rounds; round++) {
    let waiting = count
    const wakes: (() => void)[] = []
    const one = async () => {
      await new Promise<void>(resolve => wakes.push(resolve))
      waiting--
    }
    for (let i = 0; i < count; i++) void one()
    for (const wake of wakes) wake()
    while (waiting > 0) await undefined
  }
  return (cpuTime() - start) / count / rounds
}

async function timeouts(count: number, rounds: number): Promise<number> {
  const start = cpuTime()
  for (let round = 0; round < rounds; round++) {
    await Promise.all(
      Array.from({ length: count }, async (_, i) => {
        await sleep(delay(i, count))
      }),
    )
  }
  return (cpuTime() - start) / count / rounds
}

// ---- the round

const loops: Record<Loop, (count: number) => Promise<number>> = {
  promises,
  'events.on': eventsOn,
  channel,
  'channel, one by one': oneByOne,
  'select, two channels': selectTwo,
  'select, timer and channel': selectTimer,
}
const perSecond: Partial<Record<Loop, number>> = {}
for (const [name, loop] of Object.entries(loops) as [Loop, (count: number) => Promise<number>][]) {
  await loop(messages / 10)
  perSecond[name] = await loop(messages)
}
const crowd: Record<Waiting, (count: number, rounds: number) => Promise<number>> = {
  promises: waits,
  'vm.sleep': sleeps,
  // Real time: a second for each round, so there are fewer.
  setTimeout: (count, rounds) => timeouts(count, Math.min(rounds, 3)),
}
const nsPerTimer: Partial<Record<Waiting, number[]>> = {}
for (const [name, wait] of Object.entries(crowd) as [Waiting, typeof waits][]) {
  await wait(1_000, 20)
  nsPerTimer[name] = []
  for (const count of crowds) nsPerTimer[name].push(await wait(count, (quick ? 2 : 5) * (100_000 / count)))
}
process.stdout.write(`${JSON.stringify({ burst, crowds, perSecond, nsPerTimer })}\n`)
