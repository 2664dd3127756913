// timeout and Elapsed. Around work that is not a source: tests/process/timeout.test.ts.
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { TimeoutError } from '../../../daemon/process/errors.js'
import { finish, start } from '../port.js'

describe('parity: timeout', () => {
  it('of 0 on an endless sleep fails with "deadline has elapsed"', async () => {
    await finish(async vm => {
      await assert.rejects(
        vm.timeout(0, () => vm.sleep(Number.POSITIVE_INFINITY)),
        error =>
          error instanceof TimeoutError && error.message === 'deadline has elapsed' && error.code === 'ERR_TIMEOUT',
      )
      await assert.rejects(vm.timeout(0, vm.timer(Number.POSITIVE_INFINITY)), TimeoutError)
    })
  })

  it('gives the channel back usable', async () => {
    const node = start(async vm => {
      const [tx, rx] = vm.channel<number>()
      await assert.rejects(vm.timeout(10, rx), TimeoutError)
      tx.send(7)
      assert.equal(await rx.recv(), 7)
      assert.equal(await vm.timeout(0, rx).catch(() => 'empty'), 'empty')
      tx.send(8)
      assert.equal(await vm.timeout(0, rx), 8)
      tx.send(9)
      tx.close()
      assert.equal(await vm.timeout(10, rx), 9)
      assert.equal(await vm.timeout(10, rx), undefined)
    })
    await node.pass(20)
    assert.deepEqual(await node.ended, { how: 'returned' })
  })

  it('gives the inbox back usable, and takes nothing from it', async () => {
    const node = start(async (vm, { inbox }) => {
      for (let i = 0; i < 3; i++) await assert.rejects(vm.timeout(10, inbox), TimeoutError)
      assert.equal((await inbox.recv())?.seq, 1n)
      assert.equal((await vm.timeout(10, inbox))?.seq, 2n)
    })
    await node.pass(35)
    node.send('event')
    node.send('event')
    assert.deepEqual(await node.ended, { how: 'returned' })
  })

  it('a value that is there wins against a deadline that has passed', async () => {
    await finish(async vm => {
      const [tx, rx] = vm.channel<string>()
      tx.send('there')
      assert.equal(await vm.timeout(-1, rx), 'there')
    })
  })
})
