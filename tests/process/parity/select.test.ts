// select: several waits at once inside the one coroutine.
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { start } from '../port.js'

describe('parity: select', () => {
  it('what loses loses nothing: 2,000 messages against a timer that wins every other time', async () => {
    const got: number[] = []
    let fired = 0
    const node = start(async (vm, { inbox }) => {
      using due = vm.timer()
      for (;;) {
        due.set(fired % 2 === 0 ? 0 : 5)
        const event = await vm.select({ due, inbox })
        if (event.done) return
        if (event.source === 'due') fired++
        else got.push(Number(event.value.seq))
      }
    })
    for (let i = 0; i < 2000; i++) {
      node.send('event')
      if (i % 5 === 0) await node.pass(6)
    }
    await node.pass(6)
    node.close()
    await node.pass(6)
    assert.deepEqual(await node.ended, { how: 'returned' })
    assert.ok(fired > 400)
    assert.deepEqual(
      got,
      Array.from({ length: 2000 }, (_, i) => i + 1),
    )
  })

  it('a timer that loses goes off at its time, and not again', async () => {
    const at: number[] = []
    const node = start(async (vm, { inbox }) => {
      using due = vm.timer(50)
      for (;;) {
        const event = await vm.select({ inbox, due })
        if (event.done) return
        if (event.source === 'due') at.push(vm.now())
      }
    })
    for (let i = 0; i < 10; i++) {
      await node.pass(12)
      node.send('event')
    }
    node.close()
    assert.deepEqual(await node.ended, { how: 'returned' })
    assert.deepEqual(at, [1050])
  })
})
