// A function that returns, and one that throws. What the daemon does then: tests/host/supervisor.test.ts.
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { processNode } from '../../../daemon/process/define.js'
import { settle, start, TestNode } from '../port.js'

describe('parity: a function that returns', () => {
  it('what it had in hand is finished with', async () => {
    const node = start(async (_vm, { inbox }) => {
      await inbox.recv()
    })
    node.send('event')
    assert.deepEqual(await node.ended, { how: 'returned' })
    assert.deepEqual(node.port.released, [1])
  })

  it('at once: what is queued stays queued', async () => {
    const node = start(async () => {})
    node.send('event')
    assert.deepEqual(await node.ended, { how: 'returned' })
    node.send('event')
    await settle()
    assert.equal(node.port.queued, 2)
    assert.deepEqual(node.port.released, [])
  })

  it('has no timers left, whatever it had set', async () => {
    const node = start(async vm => {
      vm.timer(10)
      void vm.sleep(20).catch(() => {})
    })
    assert.deepEqual(await node.ended, { how: 'returned' })
    assert.equal(node.port.nearest, Number.POSITIVE_INFINITY)
  })
})

describe('parity: a function that throws', () => {
  it('before its first await, as one that is async or only typed so', async () => {
    const error = new Error('at once')
    const sync = processNode({
      run() {
        throw error
      },
    })
    const async = processNode({
      async run() {
        throw error
      },
    })
    for (const definition of [sync, async])
      assert.deepEqual(await new TestNode(definition).ended, { how: 'failed', error })
  })

  it('something that is no error', async () => {
    assert.deepEqual(await start(async () => Promise.reject('text')).ended, { how: 'failed', error: 'text' })
    assert.deepEqual(await start(async () => Promise.reject()).ended, { how: 'failed', error: undefined })
  })

  it('what it had in hand is not released', async () => {
    const node = start(async (_vm, { inbox }) => {
      await inbox.recv()
      throw new Error('cannot')
    })
    node.send('event')
    assert.equal((await node.ended).how, 'failed')
    assert.deepEqual(node.port.released, [])
  })
})
