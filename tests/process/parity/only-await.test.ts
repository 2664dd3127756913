// A callee cannot suspend behind the caller's back.
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { start } from '../port.js'

describe('parity: only await suspends', () => {
  it('between two awaits nothing is delivered, and no timer goes off', async () => {
    const node = start(async (vm, { inbox }) => {
      using due = vm.timer(1)
      const first = vm.select({ due })
      let seen = false
      void first.then(() => {
        seen = true
      })
      // The host would do this from outside; here it does so in the middle of the coroutine.
      node.port.time += 10
      node.runtime.tick()
      node.send('event')
      assert.equal(seen, false)
      await first
      assert.equal((await inbox.recv())?.type, 'event')
    })
    assert.deepEqual(await node.ended, { how: 'returned' })
  })

  it('nor is the inbox touched: what was not asked for stays where it is', async () => {
    const node = start(async (vm, { inbox }) => {
      node.send('event')
      node.send('event')
      assert.equal(node.port.queued, 2)
      await vm.sleep(0)
      assert.equal(node.port.queued, 2)
      assert.equal((await inbox.recv())?.seq, 1n)
      assert.equal(node.port.queued, 1)
    })
    assert.deepEqual(await node.ended, { how: 'returned' })
  })
})
