// sleep and Sleep::is_elapsed. Re-armed, cleared and dropped timers: tests/process/timer.test.ts.
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { finish, settle, start } from '../port.js'

describe('parity: sleep', () => {
  it('sleep(0), and one in the past, is elapsed at once', async () => {
    const node = await finish(async vm => {
      await vm.sleep(0)
      await vm.sleep(-5)
      assert.equal(vm.timer(0).elapsed, true)
    })
    assert.deepEqual(node.port.deadlines, [])
  })

  it('is_elapsed: not before its time, then it is, taken or not', async () => {
    const node = start(async vm => {
      using due = vm.timer(10)
      assert.equal(due.elapsed, false)
      node.port.time += 9.9
      assert.equal(due.elapsed, false)
      node.port.time += 0.1
      assert.equal(due.elapsed, true)
      await vm.select({ due })
      assert.equal(due.elapsed, true)
    })
    assert.deepEqual(await node.ended, { how: 'returned' })
  })

  it('is late by nothing that the clock can show', async () => {
    const woken: number[] = []
    const node = start(async vm => {
      for (const ms of [0.1, 1, 3.3, 70]) {
        await vm.sleep(ms)
        woken.push(vm.now())
      }
    })
    await node.pass(100)
    assert.deepEqual(woken, [1000.1, 1001.1, 1004.4, 1074.4])
  })

  it('without end is fine', async () => {
    const node = start(vm => vm.sleep(Number.POSITIVE_INFINITY))
    await node.pass(1e9)
    assert.equal(node.result, undefined)
    assert.deepEqual(node.port.deadlines, [])
    node.runtime.destroy()
    assert.deepEqual(await node.ended, { how: 'stopped' })
  })

  it('ten thousand at once end in the order of their times', async () => {
    const woken: number[] = []
    const node = start(async vm => {
      await Promise.all(
        Array.from({ length: 10_000 }, async (_, i) => {
          const ms = 1 + ((i * 7919) % 10_000) / 10
          await vm.sleep(ms)
          woken.push(ms)
        }),
      )
    })
    await settle()
    while (node.port.nearest !== Number.POSITIVE_INFINITY) {
      node.port.time = node.port.nearest + 5
      node.runtime.tick()
    }
    assert.deepEqual(await node.ended, { how: 'returned' })
    assert.deepEqual(
      woken,
      woken.toSorted((a, b) => a - b),
    )
    assert.equal(woken.length, 10_000)
  })

  it('kept outside of the loop is not restarted by an event', async () => {
    const due: number[] = []
    const node = start(async (vm, { inbox }) => {
      using timer = vm.timer(100)
      for (;;) {
        const event = await vm.select({ timer, inbox })
        if (event.done) return
        if (event.source === 'timer') due.push(vm.now())
      }
    })
    for (let i = 0; i < 9; i++) {
      await node.pass(20)
      node.send('event')
    }
    node.close()
    await node.ended
    assert.deepEqual(due, [1100])
  })
})
