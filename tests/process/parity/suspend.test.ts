// vlib_process_wait_for_event_or_clock(): how the process node under the coroutine suspends. It has to know the nearest
// deadline and nothing else; how the real ones wait is tested with them (tests/core, tests/vpp).
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { settle, start } from '../port.js'

const never = Number.POSITIVE_INFINITY

describe('parity: waits for an event or the clock', () => {
  it('without a timer it waits for events alone, with one until that, whichever comes first', async () => {
    const woke: string[] = []
    const node = start(async (vm, { inbox }) => {
      await inbox.recv()
      woke.push('event')
      using due = vm.timer(10)
      woke.push((await vm.select({ due, inbox })).source)
      woke.push((await vm.select({ due, inbox })).source)
      await inbox.recv()
    })
    await settle()
    assert.equal(node.port.nearest, never)
    node.send('event')
    await settle()
    assert.equal(node.port.nearest, 1010)
    node.send('event')
    await node.pass(10)
    assert.deepEqual(woke, ['event', 'inbox', 'due'])
    assert.equal(node.port.nearest, never)
    node.close()
    assert.deepEqual(await node.ended, { how: 'returned' })
  })

  it('every return from there means "maybe": early, late, doubled and empty wakes change nothing', async () => {
    const woke: number[] = []
    const node = start(async (vm, { inbox }) => {
      using due = vm.timer(10)
      for (;;) {
        const event = await vm.select({ due, inbox })
        if (event.done) return
        woke.push(vm.now())
        if (event.source === 'due') due.set(10)
      }
    })
    await settle()
    for (let time = 1000; time <= 1040; time += 1.25) {
      node.port.time = time
      node.runtime.ready()
      node.runtime.tick()
      node.runtime.tick()
      await settle()
    }
    node.close()
    assert.deepEqual(await node.ended, { how: 'returned' })
    assert.deepEqual(woke, [1010, 1020, 1030, 1040])
  })
})
