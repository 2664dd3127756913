// What has been waited for and taken is not kept: by the garbage collector, and by the listeners of signals.
import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, it } from 'mocha'
import { channel } from '../../daemon/process/channel.js'
import { Unordered } from '../../daemon/process/unordered.js'
import { finish, settle, start } from './port.js'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Whether all of these go once nobody but their owners could hold them. */
async function gone(what: readonly WeakRef<object>[]): Promise<boolean> {
  for (let i = 0; i < 20 && what.some(one => one.deref() !== undefined); i++) {
    await settle()
    collect()
  }
  return what.every(one => one.deref() === undefined)
}

describe('nothing is kept of', () => {
  it('values that were received from a channel', async () => {
    const [tx, rx] = channel<object>()
    const values: WeakRef<object>[] = []
    const send = () => {
      const value = {}
      values.push(new WeakRef(value))
      tx.send(value)
    }
    const take = async () => {
      await rx.recv()
      rx.tryRecv()
      for await (const _ of rx) break
      for await (const _ of rx.batches()) break
    }
    for (let i = 0; i < 10; i++) send()
    await take()
    assert.ok(await gone(values))
    assert.equal(tx.closed, false)
  })

  it('results that were taken from an Unordered', async () => {
    const work = new Unordered<object>()
    const results: WeakRef<object>[] = []
    const add = () => {
      const result = {}
      results.push(new WeakRef(result))
      work.add(Promise.resolve(result))
    }
    const take = async () => {
      for await (const _ of work);
    }
    for (let i = 0; i < 5; i++) add()
    await take()
    assert.ok(await gone(results))
    assert.equal(work.size, 0)
  })

  it('waits that have ended, of a node that lives', async () => {
    const node = start(async (vm, { inbox }) => {
      const ended: WeakRef<object>[] = []
      const all = async () => {
        const [tx, rx] = vm.channel<number>()
        const waits: Promise<unknown>[] = [
          vm.sleep(1),
          vm.cli('show version'),
          vm.timeout(5, () => vm.sleep(1)),
          vm.timeout(1, vm.timer()),
          vm.select({ rx, due: vm.timer(50) }),
          inbox.recv(),
          vm.yield(),
        ]
        for (const wait of waits) ended.push(new WeakRef(wait))
        tx.send(1)
        await Promise.allSettled(waits)
      }
      await all()
      assert.ok(await gone(ended))
    })
    node.send('event')
    for (let i = 0; i < 10 && node.result === undefined; i++) await node.pass(1)
    assert.deepEqual(await node.ended, { how: 'returned' })
  })

  it('waits, by the signals that they were given', async () => {
    await finish(async vm => {
      const { signal } = new AbortController()
      for (let i = 0; i < 3; i++) await vm.cli('show version', { signal })
      assert.equal(getEventListeners(signal, 'abort').length, 0)
    })
  })
})
