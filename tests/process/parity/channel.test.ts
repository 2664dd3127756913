// channel(), Sender, Receiver. Senders on other threads: tests/e2e/threads.test.ts, tests/vpp/threads.test.ts.
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { channel } from '../../../daemon/process/channel.js'
import { ChannelClosedError } from '../../../daemon/process/errors.js'
import { settle, start, TestPort } from '../port.js'

describe('parity: channel, many senders and one receiver', () => {
  it('recv gives the next value, or undefined once it is closed', async () => {
    const [tx, rx] = channel<number>()
    tx.send(1)
    tx.close()
    assert.equal(await rx.recv(), 1)
    assert.equal(await rx.recv(), undefined)
    assert.equal(await rx.recv(), undefined)
  })

  it('recv waits for the value that comes later, and for the end', async () => {
    const [tx, rx] = channel<string>()
    const first = rx.recv()
    tx.send('later')
    assert.equal(await first, 'later')
    const last = rx.recv()
    tx.close()
    assert.equal(await last, undefined)
  })

  it('closing with values still queued: they can be received, then it has ended', async () => {
    const [tx, rx] = channel<number>()
    for (const value of [1, 2, 3]) tx.send(value)
    rx.close()
    assert.throws(() => tx.send(4), ChannelClosedError)
    assert.equal(rx.size, 3)
    assert.equal(rx.ended, false)
    const got: number[] = []
    for await (const value of rx) got.push(value)
    assert.deepEqual(got, [1, 2, 3])
    assert.equal(rx.ended, true)
  })

  it('the last sender closing with values still queued is the same', async () => {
    const [tx, rx] = channel<number>()
    for (const value of [1, 2, 3]) tx.send(value)
    tx.close()
    const batches: (readonly number[])[] = []
    for await (const batch of rx.batches()) batches.push(batch)
    assert.deepEqual(batches, [[1, 2, 3]])
    assert.equal(rx.ended, true)
  })

  it('try_recv on an empty channel: nothing, and it has not ended', () => {
    const [tx, rx] = channel<number>()
    assert.equal(rx.tryRecv(), undefined)
    assert.equal(rx.ended, false)
    tx.send(1)
    assert.equal(rx.tryRecv(), 1)
    assert.equal(rx.tryRecv(), undefined)
    assert.equal(rx.ended, false)
  })

  it('try_recv on a closed channel: what is queued, then nothing, and it has ended', () => {
    const [tx, rx] = channel<number>()
    tx.send(1)
    tx.close()
    assert.equal(rx.ended, false)
    assert.equal(rx.tryRecv(), 1)
    assert.equal(rx.tryRecv(), undefined)
    assert.equal(rx.ended, true)
  })

  it('send fails once the receiver is gone', () => {
    const [tx, rx] = channel<number>()
    tx.send(0)
    {
      using gone = rx
      assert.equal(gone.size, 1)
    }
    assert.equal(tx.closed, true)
    assert.equal(rx.size, 0, 'what was queued is gone with it')
    assert.throws(() => tx.send(1), {
      code: 'ERR_CHANNEL_CLOSED',
      message: 'the receiver of this channel is gone',
    })
  })

  it('senders can be cloned; it ends with the last of them', async () => {
    const [first, rx] = channel<number>()
    const second = first.clone()
    first.close()
    first.close()
    assert.throws(() => first.send(1), {
      code: 'ERR_CHANNEL_CLOSED',
      message: 'this sender was closed',
    })
    assert.throws(() => first.clone(), ChannelClosedError)
    const next = rx.recv()
    second.send(2)
    assert.equal(await next, 2)
    const last = rx.recv()
    {
      using gone = second
      assert.equal(gone.closed, false)
    }
    assert.equal(await last, undefined)
  })

  it('keeps the order of each sender, with many of them', async () => {
    const senders = 50
    const each = 100
    const [tx, rx] = channel<[number, number]>()
    const work = Array.from({ length: senders }, async (_, id) => {
      using mine = tx.clone()
      for (let i = 0; i < each; i++) {
        mine.send([id, i])
        if (i % 7 === id % 7) await settle()
      }
    })
    tx.close()
    const seen = new Array<number>(senders).fill(0)
    for await (const [id, i] of rx) assert.equal(i, seen[id]!++)
    await Promise.all(work)
    assert.deepEqual(seen, new Array<number>(senders).fill(each))
  })

  it('has one receiver: a second wait is refused, and takes nothing', async () => {
    const [tx, rx] = channel<number>()
    const first = rx.recv()
    await assert.rejects(rx.recv(), { code: 'ERR_RECEIVER_BUSY' })
    assert.throws(() => rx.tryRecv(), { code: 'ERR_RECEIVER_BUSY' })
    tx.send(1)
    tx.send(2)
    assert.equal(await first, 1)
    assert.equal(await rx.recv(), 2)
  })
})

describe('parity: a waker, from wherever the event comes', () => {
  it('a receiver is woken when the value comes between its check and its sleep', async () => {
    // The port says "nothing", and the event and its wake come before the coroutine has waited.
    const port = new TestPort()
    const node = start(async (_vm, { inbox }) => {
      assert.equal(inbox.tryRecv(), undefined)
      node.send('event')
      assert.equal((await inbox.recv())?.type, 'event')
    }, port)
    assert.deepEqual(await node.ended, { how: 'returned' })
  })

  it('also when the wake comes in the middle of the check itself', async () => {
    // The host tells of an event while the inbox looks, finds nothing, and has not registered its wait.
    const port = new TestPort()
    const take = port.take.bind(port)
    let looks = 0
    port.take = () => {
      const event = take()
      if (event === undefined && looks++ === 0) {
        port.put('event')
        queueMicrotask(() => node.runtime.ready())
      }
      return event
    }
    const node = start(async (vm, { inbox }) => {
      const event = await vm.select({ due: vm.timer(), inbox })
      assert.equal(event.source, 'inbox')
    }, port)
    assert.deepEqual(await node.ended, { how: 'returned' })
    assert.equal(looks, 1)
  })

  it('only wakes: what is handed over is what the queue has, however often it rings', async () => {
    const seen: bigint[] = []
    const node = start(async (_vm, { inbox }) => {
      for await (const { seq } of inbox) seen.push(seq)
    })
    for (let i = 0; i < 5; i++) {
      node.runtime.ready()
      node.runtime.ready()
      node.port.put('event')
      node.port.put('event')
      node.runtime.ready()
      await settle()
    }
    node.close()
    assert.deepEqual(await node.ended, { how: 'returned' })
    assert.deepEqual(
      seen,
      Array.from({ length: 10 }, (_, i) => BigInt(i + 1)),
    )
  })
})
