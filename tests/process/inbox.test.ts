// The inbox: ways to ask, and what each of them releases.
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import type { MessageOf } from '../../daemon/message/message.js'
import type { Receiver } from '../../daemon/process/receiver.js'
import { finish, settle, start, TestPort } from './port.js'

type Inbox = Receiver<MessageOf<Record<never, never>>>

function filled(count: number): TestPort {
  const port = new TestPort()
  for (let i = 0; i < count; i++) port.put('event')
  return port
}

describe('inbox', () => {
  const asks: [string, (inbox: Inbox) => unknown][] = [
    ['recv', inbox => inbox.recv()],
    ['tryRecv', inbox => inbox.tryRecv()],
    ['the next turn of for await', inbox => inbox[Symbol.asyncIterator]().next()],
    ['the next batch', inbox => inbox.batches()[Symbol.asyncIterator]().next()],
  ]
  for (const [name, ask] of asks) {
    it(`${name} releases what is in hand, and takes the next`, async () => {
      const port = filled(2)
      await finish(async (_vm, { inbox }) => {
        await inbox.recv()
        assert.deepEqual(port.released, [])
        await ask(inbox)
        assert.deepEqual(port.released, [1])
        assert.equal(port.queued, 0)
      }, port)
      assert.deepEqual(port.released, [1, 2])
    })

    it(`${name} on an empty inbox releases what is in hand`, async () => {
      const port = filled(1)
      const node = start(async (_vm, { inbox }) => {
        await inbox.recv()
        await ask(inbox)
      }, port)
      await settle()
      assert.deepEqual(port.released, [1])
      node.close()
      assert.deepEqual(await node.ended, { how: 'returned' })
    })
  }

  it('a select that names the inbox releases, whoever wins', async () => {
    const port = filled(2)
    await finish(async (vm, { inbox }) => {
      using due = vm.timer(0)
      await inbox.recv()
      const event = await vm.select({ due, inbox })
      assert.equal(event.source, 'due')
      assert.deepEqual(port.released, [1])
      assert.equal(port.queued, 1)
    }, port)
  })

  it('a select that does not name the inbox, a sleep and a timeout release nothing', async () => {
    const node = start(async (vm, { inbox }) => {
      await inbox.recv()
      using due = vm.timer(1)
      await vm.select({ due })
      await vm.sleep(1)
      await vm.timeout(5, () => vm.sleep(1))
      await vm.cli('show version')
      assert.deepEqual(node.port.released, [])
    }, filled(2))
    await node.pass(10)
    assert.deepEqual(await node.ended, { how: 'returned' })
  })

  it('a batch is released as one', async () => {
    const port = filled(3)
    const node = start(async (_vm, { inbox }) => {
      const sizes: number[] = []
      for await (const batch of inbox.batches()) {
        sizes.push(batch.length)
        if (sizes.length === 1) assert.deepEqual(port.released, [])
        else assert.deepEqual(port.released, [1, 2, 3])
      }
      assert.deepEqual(sizes, [3, 1])
    }, port)
    await settle()
    node.send('event')
    node.close()
    assert.deepEqual(await node.ended, { how: 'returned' })
  })

  it('hands an event straight to who waits', async () => {
    const node = start(async (_vm, { inbox }) => {
      assert.equal((await inbox.recv())?.seq, 1n)
      for await (const event of inbox) {
        assert.equal(event.seq, 2n)
        break
      }
      for await (const event of inbox) assert.equal(event.seq, 3n)
    })
    for (let i = 0; i < 3; i++) {
      await settle()
      node.send('event')
      assert.equal(node.port.queued, 0)
    }
    await settle()
    node.close()
    assert.deepEqual(await node.ended, { how: 'returned' })
  })

  it('a wake for nothing is harmless', async () => {
    const node = start(async (vm, { inbox }) => {
      using due = vm.timer()
      assert.equal((await inbox.recv())?.seq, 1n)
      const event = await vm.select({ due, inbox })
      assert.equal(!event.done && event.source === 'inbox' && event.value.seq, 2n)
      for await (const _ of inbox.batches()) return
    })
    for (let i = 0; i < 3; i++) {
      await settle()
      node.runtime.ready()
      node.runtime.tick()
      await settle()
      assert.equal(node.result, undefined)
      node.send('event')
    }
    assert.deepEqual(await node.ended, { how: 'returned' })
  })

  it('only one wait at a time', async () => {
    const node = start(async (vm, { inbox }) => {
      const first = inbox.recv()
      const busy = { code: 'ERR_RECEIVER_BUSY' }
      await assert.rejects(inbox.recv(), busy)
      assert.throws(() => inbox.tryRecv(), busy)
      await assert.rejects(inbox[Symbol.asyncIterator]().next(), busy)
      await assert.rejects(inbox.batches()[Symbol.asyncIterator]().next(), busy)
      await assert.rejects(vm.timeout(10, inbox), busy)
      using due = vm.timer()
      await assert.rejects(vm.select({ due, inbox }), busy)
      // The refused select has let go of the timer.
      due.set(0)
      await vm.select({ due })
      node.send('event')
      assert.equal((await first)?.seq, 1n)
    })
    assert.deepEqual(await node.ended, { how: 'returned' })
  })

  it('close: drains, then every way of asking says so', async () => {
    const node = start(async (vm, { inbox }) => {
      assert.equal((await inbox.recv())?.seq, 1n)
      assert.equal(inbox.ended, false)
      assert.equal(await inbox.recv(), undefined)
      assert.equal(inbox.ended, true)
      assert.equal(inbox.tryRecv(), undefined)
      for await (const _ of inbox) assert.fail()
      for await (const _ of inbox.batches()) assert.fail()
      assert.deepEqual(await vm.select({ inbox }), {
        source: 'inbox',
        done: true,
        value: undefined,
      })
      assert.equal(await vm.timeout(5, inbox), undefined)
    }, filled(1))
    node.runtime.close()
    assert.deepEqual(await node.ended, { how: 'returned' })
    assert.deepEqual(node.port.released, [1])
  })

  it('close ends each kind of wait', async () => {
    const waits: ((inbox: Inbox) => Promise<unknown>)[] = [
      inbox => inbox.recv(),
      async inbox => (await inbox[Symbol.asyncIterator]().next()).value,
      async inbox => (await inbox.batches()[Symbol.asyncIterator]().next()).value,
    ]
    for (const wait of waits) {
      const node = start(async (_vm, { inbox }) => assert.equal(await wait(inbox), undefined))
      await settle()
      node.runtime.close()
      assert.deepEqual(await node.ended, { how: 'returned' })
    }
  })

  it('an error of the port goes to who asks', async () => {
    const port = new TestPort()
    const node = start(async (_vm, { inbox }) => {
      await assert.rejects(inbox.recv(), /torn/)
      assert.equal((await inbox.recv())?.seq, 1n)
    }, port)
    await settle()
    const { take } = port
    port.take = () => {
      port.take = take
      throw new Error('torn')
    }
    node.runtime.ready()
    await settle()
    node.send('event')
    assert.deepEqual(await node.ended, { how: 'returned' })
  })
})
