import assert from 'node:assert/strict'
import { TimeoutError } from '../../daemon/process/errors.js'
import type { Vm } from '../../daemon/process/node.js'
import { type Node, start } from './node.js'

describe('testing/kit: time', () => {
  it('an hour of timers takes no time', async () => {
    await using kit = await start(async (vm, node) => {
      for (;;) {
        await vm.sleep(1000)
        node.count('seen')
      }
    })
    const before = performance.now()
    await kit.advance(3_600_000)
    assert.equal(kit.counters.seen, 3600)
    assert.equal(kit.now, 1_000_000 + 3_600_000)
    assert.ok(performance.now() - before < 60_000)
  })

  it('a timer goes off at its very time, not before', async () => {
    const times: number[] = []
    await using kit = await start(async vm => {
      await vm.sleep(99.75)
      times.push(vm.now())
      await vm.sleep(0.125)
      times.push(vm.now())
    })
    await kit.advance(99.5)
    assert.deepEqual(times, [])
    await kit.advance(0.25)
    assert.deepEqual(times, [1_000_099.75])
    await kit.advance(1)
    assert.deepEqual(times, [1_000_099.75, 1_000_099.875])
  })

  it('timers beyond 37 hours are as exact', async () => {
    const day = 86_400_000
    await using kit = await start(async (vm, node) => {
      await vm.sleep(30 * day)
      node.count('seen')
    })
    await kit.advance(30 * day - 1)
    assert.equal(kit.counters.seen, 0)
    await kit.advance(1)
    assert.equal(kit.counters.seen, 1)
  })

  it('vm.now() and event.time are the virtual clock, from where the test says', async () => {
    await using kit = await start(
      async (vm, node) => {
        const event = await node.inbox.recv()
        node.log.info({ now: vm.now(), time: event?.time })
      },
      { start: 42 },
    )
    await kit.advance(8)
    kit.send('stop')
    await kit.settle()
    assert.deepEqual(kit.logs, [{ time: 50, level: 'info', text: '', fields: { now: 50, time: 50 } }])
  })

  it('without the test no time passes, however long it takes', async () => {
    let woke = false
    await using kit = await start(async vm => {
      await vm.sleep(0.001)
      woke = true
    })
    for (let i = 0; i < 50; i++) await new Promise(resolve => setImmediate(resolve))
    await kit.settle()
    assert.equal(woke, false)
  })

  it('vm.timeout elapses in virtual time', async () => {
    let caught: unknown
    await using kit = await start(async (vm, node) => {
      caught = await vm.timeout(5000, node.inbox).catch((error: unknown) => error)
    })
    await kit.advance(4999)
    assert.equal(kit.running, true)
    await kit.advance(1)
    assert.ok(caught instanceof TimeoutError)
  })

  it('a time that cannot pass is refused', async () => {
    await using kit = await start(async (vm, node) => void (await vm.timeout(1, node.inbox)))
    for (const ms of [-1, Number.NaN, Number.POSITIVE_INFINITY]) await assert.rejects(kit.advance(ms), /cannot pass/)
    assert.throws(() => kit.after(Number.NaN, () => {}), /no time/)
    await kit.destroy()
  })

  it('until: goes on until it is true, and no further', async () => {
    await using kit = await start(async (vm, node) => {
      for (;;) {
        await vm.sleep(100)
        node.count('seen')
      }
    })
    await kit.until(() => kit.counters.seen === 3)
    assert.equal(kit.now, 1_000_300)
  })

  it('until: says what never became true, and why', async () => {
    await using idle = await start(async (_, node) => void (await node.inbox.recv()))
    await assert.rejects(
      idle.until(() => idle.counters.seen === 1),
      /idle\.counters\.seen === 1: nothing more is going to happen \(the node runs, 0 events wait\)/,
    )
    await using busy = await start(async vm => {
      for (;;) await vm.sleep(7)
    })
    await assert.rejects(
      busy.until(() => false, { within: 100 }),
      /did not become true within 100 ms of virtual time: false/,
    )
  })
})

describe('testing/kit: settle', () => {
  it('runs promise after promise, ticks, immediates and yields', async () => {
    let steps = 0
    await using kit = await start(async vm => {
      for (let i = 0; i < 1000; i++) await Promise.resolve()
      await new Promise<void>(resolve => process.nextTick(resolve))
      for (let i = 0; i < 20; i++) {
        await vm.yield()
        steps++
      }
    })
    assert.equal(steps, 20)
    assert.equal(kit.running, false)
  })

  it('fires what is due without time passing', async () => {
    let fired = 0
    await using kit = await start(async vm => {
      using timer = vm.timer(0)
      await vm.select({ timer })
      fired++
      timer.at(vm.now() - 5)
      await vm.select({ timer })
      fired++
    })
    assert.equal(fired, 2)
    assert.equal(kit.now, 1_000_000)
  })

  it('one thing at a time: a second one is refused', async () => {
    await using kit = await start(async vm => void (await vm.sleep(1)))
    const first = kit.advance(1)
    await assert.rejects(kit.settle(), /two things at once/)
    await first
  })

  it('a node that spins fails, instead of the test hanging', async () => {
    const spins = [
      async (vm: Vm) => {
        for (;;) await vm.sleep(0)
      },
      async (vm: Vm) => {
        using timer = vm.timer()
        for (;;) {
          timer.set(0)
          await vm.select({ timer })
        }
      },
      async (_: Vm, node: Node) => {
        for (;;) node.inbox.tryRecv()
      },
      async (vm: Vm) => {
        for (;;) await vm.yield()
      },
      async (vm: Vm) => {
        const until = vm.now() + 1
        while (vm.now() < until);
      },
    ]
    for (const run of spins) await assert.rejects(start(run, { limit: 1000 }), /the node spins: .* at 1000000 ms/)
  })

  it('a node that does much, but lets time pass, does not spin', async () => {
    await using kit = await start(
      async vm => {
        for (let i = 0; i < 5000; i++) await vm.sleep(1)
      },
      { limit: 100 },
    )
    await kit.advance(5000)
    assert.deepEqual(kit.result, { how: 'returned' })
  })
})
