// The look before the sleep: nothing is lost by it, writers need no bell meanwhile, and who is idle does not look.
import assert from 'node:assert/strict'
import { type Executor, type ExecutorOptions, now, View } from '../../shm/ring.js'
import { FakeHost, held, TestLink } from './fake.js'
import { Attached, RealHost } from './real.js'

describe('spin', () => {
  let host: FakeHost
  let t: TestLink
  beforeEach(async () => {
    host = await FakeHost.start()
    t = new TestLink(host.socket)
  })
  afterEach(async () => {
    t.link.close()
    await host.stop()
  })

  const into = new Uint8Array(65_536)

  /** Takes what is there and answers each event with a command. */
  function answer(executor: Executor, slot: number): void {
    for (let got = executor.drain(slot, into, 0); got > 0; got = executor.drain(slot, into, 0)) executor.take(slot, 1)
    executor.release(slot)
    executor.count(slot, 0, 1)
  }

  /** One event in flight, `n` times; how often the host wrote to the pipe for it. */
  async function echo(n: number, options: ExecutorOptions): Promise<number> {
    await t.attach((executor, count) => {
      for (const slot of executor.slots.subarray(0, count)) if (slot > 0) answer(executor, slot)
    }, options)
    const { slot } = await t.node()
    await host.ask('rung', /^rung/)
    host.order(`echo ${slot} ${n}`)
    await host.said(/^echoed/)
    return Number((await host.ask('rung', /^rung/)).split(' ')[1])
  }

  it('needs no bell for events that follow each other closely', async () => {
    const rung = await echo(10_000, { spin: 10 })
    assert.ok(rung < 2_500, `rung ${rung} times`)
  })

  it('loses nothing with looks of any length', async () => {
    for (const spin of [0.000_001, 0.002, 0.05]) {
      await echo(5_000, { spin })
      t.link.close()
      await host.said(/^closed/)
      t = new TestLink(host.socket)
    }
  })

  it('lets the rest of the loop have its turn while events keep coming', async () => {
    let answered = 0
    await t.attach(
      (executor, count) => {
        for (const slot of executor.slots.subarray(0, count)) {
          if (slot === 0) continue
          answer(executor, slot)
          answered++
        }
      },
      { spin: 10 },
    )
    const { slot } = await t.node()
    const done = host.said(/^echoed/)
    host.order(`echo ${slot} 30000`)
    let turns = 0
    for (let over = false; !over; turns++)
      over = await Promise.race([done.then(() => true), new Promise<false>(next => setTimeout(next, 1, false))])
    assert.ok(turns > 5, `${turns} timers in ${answered} answers`)
  })

  it('works beside immediates, which keep the loop from sleeping', async () => {
    let going = true
    const go = () => going && setImmediate(go)
    go()
    await echo(5_000, { spin: 0.05 })
    going = false
  })

  it('works when what keeps the loop awake is taken away behind its back', async () => {
    const pending = new Set<NodeJS.Immediate>()
    await t.attach(
      (executor, count) => {
        for (const slot of executor.slots.subarray(0, count)) {
          if (slot === 0) continue
          for (const immediate of pending) clearImmediate(immediate)
          pending.clear()
          answer(executor, slot)
          pending.add(setImmediate(() => {}))
        }
      },
      { spin: 0.02 },
    )
    const { slot } = await t.node()
    host.order(`echo ${slot} 20000`)
    await host.said(/^echoed/)
  })

  it('is given back with its executor', async () => {
    const before = held()
    const executor = await t.attach(() => {}, { spin: 5 })
    executor.close()
    t.link.executor(0, () => {}, { spin: 0 }).close()
    t.link.close()
    await host.said(/^closed/)
    assert.equal(held().mappings, before.mappings)
  })

  it('is checked', async () => {
    await t.attach(() => {})
    for (const spin of [-1, 10.1, Number.NaN, Number.POSITIVE_INFINITY, '1' as unknown as number])
      assert.throws(() => t.link.executor(1, () => {}, { spin }), RangeError)
  })
})

describe('spin with the real host', () => {
  let host: RealHost
  before(async () => {
    host = await RealHost.start()
  })
  after(() => host.stop())

  it('uses no processor while nothing happens often', async () => {
    const a = await Attached.to(host.socket, 'rare', { spin: 10 })
    const until = async (at: number) => {
      a.executor.deadline(a.slot, at)
      await a.until(() => now() >= at)
    }
    await until(now() + 30) // the last look of the beginning
    const begin = now()
    const used = process.cpuUsage()
    for (let i = 0; i < 20; i++) await until(now() + 30)
    const { user, system } = process.cpuUsage(used)
    const share = (user + system) / 1000 / (now() - begin)
    assert.ok(share < 0.2, `${share} of a core`) // 10 ms of every 30 are a third
    a.test.link.close()
  })

  it('works in a view', async () => {
    const a = await Attached.to(host.socket, 'main', { spin: 0.05 })
    a.test.link.addExecutor(a.test.call(), 1)
    await a.test.answer('executor')
    const shared = a.test.link.shareExecutor(1)
    let seen = 0
    let finished: () => void = () => {}
    const all = new Promise<void>(resolve => {
      finished = resolve
    })
    const into = new Uint8Array(65_536)
    const view: View = View.open(
      shared,
      count => {
        for (const slot of view.executor.slots.subarray(0, count)) {
          if (view.executor.drain(slot, into, 0) === 0) continue
          view.executor.take(slot, 1)
          view.executor.release(slot)
          if (++seen === 5_000) finished()
          else view.executor.send(slot, 0, node.slot, node.generation, 1, new Uint8Array(8))
        }
      },
      why => assert.fail(why),
      { spin: 0.05 },
    )
    const node = await a.test.node({ name: 'viewed', executor: 1, codes: [{ code: 1, maxSize: 8 }] })
    view.addSlot(a.test.link.shareSlot(node.slot))
    a.executor.send(0, 0, node.slot, node.generation, 1, new Uint8Array(8))
    a.executor.flush()
    await all
    view.close()
    a.test.link.close()
  })
})
