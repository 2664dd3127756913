// Timers: set, cleared, dropped, zero, endless, in the past.
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import type { Timer } from '../../daemon/process/timer.js'
import { finish, settle, start } from './port.js'

describe('timer', () => {
  it('goes off once for each set', async () => {
    const node = start(async vm => {
      using due = vm.timer(10)
      assert.equal(due.armed, true)
      assert.equal(due.elapsed, false)
      await vm.select({ due })
      assert.equal(due.armed, false)
      assert.equal(due.elapsed, true)
      await assert.rejects(vm.timeout(50, due), { code: 'ERR_TIMEOUT' })
    })
    await node.pass(100)
    assert.deepEqual(await node.ended, { how: 'returned' })
  })

  it('re-armed: only the last time counts, later or earlier', async () => {
    const at: number[] = []
    const node = start(async vm => {
      using due = vm.timer(10)
      due.set(30)
      await vm.select({ due })
      at.push(vm.now())
      due.set(100)
      const waiting = vm.select({ due })
      due.set(5)
      await waiting
      at.push(vm.now())
    })
    await node.pass(200)
    assert.deepEqual(await node.ended, { how: 'returned' })
    assert.deepEqual(at, [1030, 1035])
  })

  it('cleared: also what has come and was not taken', async () => {
    const node = start(async vm => {
      using due = vm.timer(10)
      await vm.sleep(20)
      assert.equal(due.elapsed, true)
      due.clear()
      assert.equal(due.elapsed, false)
      assert.equal(due.armed, false)
      await assert.rejects(vm.timeout(0, due), { code: 'ERR_TIMEOUT' })
    })
    await node.pass(50)
    assert.deepEqual(await node.ended, { how: 'returned' })
  })

  it('cleared, set or dropped after its time, it touches no other timer', async () => {
    const ended: string[] = []
    const node = start(async vm => {
      const timers = [vm.timer(5), vm.timer(5), vm.timer(5)]
      await vm.sleep(6)
      // They went off and nobody took that: what they had in the wheel is free for others.
      const others = ['a', 'b', 'c'].map(async name => {
        await vm.sleep(10)
        ended.push(name)
      })
      timers[0]!.clear()
      timers[1]!.set(100)
      timers[2]![Symbol.dispose]()
      await Promise.all(others)
    })
    await node.pass(20)
    assert.deepEqual(ended, ['a', 'b', 'c'])
    assert.deepEqual(await node.ended, { how: 'returned' })
  })

  it('dropped by `using`: nothing is left to wake for', async () => {
    const node = start(async vm => {
      let kept: Timer
      {
        using due = vm.timer(10)
        kept = due
      }
      assert.throws(() => kept.set(1), { code: 'ERR_DISPOSED' })
      await vm.sleep(50)
    })
    await settle()
    assert.equal(node.port.nearest, 1010)
    node.runtime.tick()
    assert.equal(node.port.nearest, 1050)
    await node.pass(50)
    assert.deepEqual(await node.ended, { how: 'returned' })
  })

  it('zero and the past go off at once, without the host', async () => {
    const node = await finish(async vm => {
      using due = vm.timer(0)
      await vm.select({ due })
      due.set(-100)
      await vm.select({ due })
      due.at(vm.now() - 5)
      assert.equal(due.elapsed, true)
      await vm.select({ due })
      const waiting = vm.select({ due })
      due.set(0)
      await waiting
    })
    assert.deepEqual(node.port.deadlines, [])
  })

  it('endless: never, and the host is told nothing', async () => {
    const node = start(async vm => {
      using due = vm.timer(Number.POSITIVE_INFINITY)
      assert.equal(due.armed, true)
      assert.equal(due.elapsed, false)
      await vm.select({ due })
    })
    await node.pass(1e12)
    assert.equal(node.result, undefined)
    assert.deepEqual(node.port.deadlines, [])
    node.runtime.destroy()
    await node.ended
  })

  it('NaN and what is no number are refused', async () => {
    await finish(async (vm, { inbox }) => {
      const invalid = { code: 'ERR_INVALID_ARGUMENT' }
      assert.throws(() => vm.timer(Number.NaN), invalid)
      using due = vm.timer()
      assert.throws(() => due.set(Number.NaN), invalid)
      assert.throws(() => due.at('5' as unknown as number), invalid)
      await assert.rejects(vm.sleep(Number.NaN), invalid)
      await assert.rejects(vm.timeout(Number.NaN, inbox), invalid)
    })
  })

  it('at: a period that does not drift', async () => {
    const at: number[] = []
    const node = start(async vm => {
      using due = vm.timer()
      let next = vm.now()
      for (let i = 0; i < 4; i++) {
        next += 10
        due.at(next)
        await vm.select({ due })
        at.push(vm.now())
        await vm.sleep(3)
      }
    })
    await node.pass(100)
    assert.deepEqual(await node.ended, { how: 'returned' })
    assert.deepEqual(at, [1010, 1020, 1030, 1040])
  })
})

describe('deadline told to the host', () => {
  it('is the nearest of all, exactly; earlier ones at once, later ones after a wake', async () => {
    const node = start(async vm => {
      using late = vm.timer(50)
      using soon = vm.timer(20)
      using never = vm.timer()
      const slept = vm.sleep(30.25)
      soon.clear()
      soon.set(40)
      await vm.select({ soon, never })
      await slept
      await vm.select({ late })
    })
    await settle()
    assert.deepEqual(node.port.deadlines, [1050, 1020])
    node.port.time = 1020
    node.runtime.tick()
    assert.deepEqual(node.port.deadlines, [1050, 1020, 1030.25])
    await node.pass(100)
    assert.deepEqual(await node.ended, { how: 'returned' })
    assert.deepEqual(node.port.deadlines, [1050, 1020, 1030.25, 1040, 1050, Number.POSITIVE_INFINITY])
  })

  it('a wake that is early or for nothing changes nothing', async () => {
    const node = start(vm => vm.sleep(10))
    await settle()
    node.port.time = 1009.99
    node.runtime.tick()
    await settle()
    assert.equal(node.result, undefined)
    assert.deepEqual(node.port.deadlines, [1010])
    node.port.time = 1010
    node.runtime.tick()
    assert.deepEqual(await node.ended, { how: 'returned' })
  })

  it('is taken back when the node ends', async () => {
    const node = start(async vm => {
      vm.timer(10)
    })
    await node.ended
    assert.equal(node.port.nearest, Number.POSITIVE_INFINITY)
    node.port.time = 2000
    node.runtime.tick()
  })
})
