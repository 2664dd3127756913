// Row by row what the origin's process nodes offer. One `describe` for each row of the table in docs/architecture.md.
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { message } from '../../daemon/message/message.js'
import { ip4 } from '../../daemon/message/values.js'
import { channel } from '../../daemon/process/channel.js'
import { compileNode, processNode } from '../../daemon/process/define.js'
import { ChannelClosedError, TimeoutError } from '../../daemon/process/errors.js'
import { Unordered } from '../../daemon/process/unordered.js'
import { finish, settle, start, TestNode, TestPort } from './port.js'

describe('parity: exactly one coroutine for each process node', () => {
  it('runs once; another life takes another runtime', async () => {
    let runs = 0
    const node = await finish(async () => {
      runs++
    })
    await assert.rejects(node.runtime.run(), { code: 'ERR_INVALID_ARGUMENT' })
    assert.equal(runs, 1)
  })

  it('several lives of one definition share nothing', async () => {
    const definition = processNode({
      data: () => ({ seen: 0 }),
      async run(_vm, node) {
        for await (const _ of node.inbox) node.data.seen++
        assert.equal(node.data.seen, 1)
      },
    })
    const nodes = [new TestNode(definition), new TestNode(definition)]
    for (const node of nodes) node.send('event')
    for (const node of nodes) node.close()
    for (const node of nodes) assert.deepEqual(await node.ended, { how: 'returned' })
  })
})

describe('parity: named next nodes', () => {
  const definition = processNode({
    next: ['ip4-lookup', 'error-drop'],
    async run(_vm, node) {
      node.enqueue('error-drop', Uint8Array.of(1, 2), {
        rx: 3,
        tx: 4,
        flags: 5,
      })
      assert.equal(node.enqueue('ip4-lookup', Uint8Array.of(9)), true)
    },
  })

  it('become indexes in the order of the definition', async () => {
    assert.deepEqual(compileNode(definition).next, ['ip4-lookup', 'error-drop'])
    const node = new TestNode(definition)
    await node.ended
    assert.deepEqual(node.port.packets, [
      { next: 1, packet: Uint8Array.of(1, 2), rx: 3, tx: 4, flags: 5 },
      {
        next: 0,
        packet: Uint8Array.of(9),
        rx: 0xffffffff,
        tx: 0xffffffff,
        flags: 0,
      },
    ])
  })

  it('enqueue says false when the host has no room', async () => {
    const port = new TestPort()
    port.room = false
    const full = processNode({
      next: ['ip4-lookup'],
      async run(_vm, node) {
        assert.equal(node.enqueue('ip4-lookup', Uint8Array.of(9)), false)
      },
    })
    assert.deepEqual(await new TestNode(full, port).ended, { how: 'returned' })
    assert.deepEqual(port.packets, [])
  })
})

describe('parity: error counters with description and severity', () => {
  it('are told to the host, and counted by index', async () => {
    const definition = processNode({
      counters: {
        sent: 'packets sent',
        full: { text: 'no room', severity: 'warn' },
      },
      async run(_vm, node) {
        node.count('full')
        node.count('sent', 3)
      },
    })
    assert.deepEqual(compileNode(definition).counters, [
      { name: 'sent', text: 'packets sent', severity: 'info' },
      { name: 'full', text: 'no room', severity: 'warn' },
    ])
    const node = new TestNode(definition)
    await node.ended
    assert.deepEqual(node.port.counted, [
      [1, 1],
      [0, 3],
    ])
  })
})

describe('parity: data of each node', () => {
  it('is made anew for each life; its failure is a failure of the node', async () => {
    const definition = processNode({
      data: (): { n: number } => {
        throw new Error('no data')
      },
      async run() {},
    })
    const result = await new TestNode(definition).ended
    assert.equal(result.how, 'failed')
    assert.match(String(result.how === 'failed' && result.error), /no data/)
  })
})

describe('parity: channel, many senders and one receiver', () => {
  it('recv gives the next value, or undefined once it is closed', async () => {
    const [tx, rx] = channel<number>()
    tx.send(1)
    tx.close()
    assert.equal(await rx.recv(), 1)
    assert.equal(await rx.recv(), undefined)
    assert.equal(await rx.recv(), undefined)
  })

  it('closing leaves what is queued to be received', async () => {
    const [tx, rx] = channel<number>()
    for (const value of [1, 2, 3]) tx.send(value)
    rx.close()
    assert.throws(() => tx.send(4), ChannelClosedError)
    const got: number[] = []
    for await (const value of rx) got.push(value)
    assert.deepEqual(got, [1, 2, 3])
  })

  it('try_recv on an empty and on a closed channel', () => {
    const [tx, rx] = channel<number>()
    assert.equal(rx.tryRecv(), undefined)
    assert.equal(rx.ended, false)
    tx.send(1)
    tx.close()
    assert.equal(rx.ended, false)
    assert.equal(rx.tryRecv(), 1)
    assert.equal(rx.tryRecv(), undefined)
    assert.equal(rx.ended, true)
  })

  it('send fails once the receiver is gone', () => {
    const [tx, rx] = channel<number>()
    {
      using gone = rx
      assert.equal(gone.size, 0)
    }
    assert.equal(tx.closed, true)
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
    second.close()
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
})

describe('parity: sleep', () => {
  it('sleep(0), and one in the past, is elapsed at once', async () => {
    const node = await finish(async vm => {
      await vm.sleep(0)
      await vm.sleep(-5)
      assert.equal(vm.timer(0).elapsed, true)
    })
    assert.deepEqual(node.port.deadlines, [])
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

describe('parity: timeout', () => {
  it('of 0 on an endless sleep fails with "deadline has elapsed"', async () => {
    await finish(async vm => {
      await assert.rejects(
        vm.timeout(0, () => vm.sleep(Number.POSITIVE_INFINITY)),
        error =>
          error instanceof TimeoutError && error.message === 'deadline has elapsed' && error.code === 'ERR_TIMEOUT',
      )
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
    })
    await node.pass(20)
    assert.deepEqual(await node.ended, { how: 'returned' })
  })
})

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
})

describe('parity: FuturesUnordered', () => {
  it('gives results in the order in which they are ready, rejections included', async () => {
    const node = start(async vm => {
      const work = new Unordered<string>()
      const later = async (ms: number, text: string) => {
        await vm.sleep(ms)
        if (text === 'bad') throw new Error(text)
        return text
      }
      work.add(later(30, 'slow'))
      work.add(later(20, 'bad'))
      work.add(later(10, 'fast'))
      assert.equal(work.size, 3)
      assert.equal(await work.next(), 'fast')
      await assert.rejects(work.next(), /bad/)
      assert.equal(await work.next(), 'slow')
      assert.equal(await work.next(), undefined)
      assert.equal(work.size, 0)
    })
    await node.pass(50)
    assert.deepEqual(await node.ended, { how: 'returned' })
  })
})

describe('parity: a callee cannot suspend behind the caller’s back', () => {
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
})

describe('parity: a function that returns, and one that throws', () => {
  it('returned: what it had in hand is finished with', async () => {
    const node = start(async (_vm, { inbox }) => {
      await inbox.recv()
    })
    node.send('event')
    assert.deepEqual(await node.ended, { how: 'returned' })
    assert.deepEqual(node.port.released, [1])
  })

  it('threw before its first await', async () => {
    const error = new Error('at once')
    const sync = new TestNode(
      processNode({
        run() {
          throw error
        },
      }),
    )
    assert.deepEqual(await sync.ended, { how: 'failed', error })
    assert.deepEqual(await start(async () => Promise.reject(error)).ended, {
      how: 'failed',
      error,
    })
  })

  it('threw: what it had in hand is not released', async () => {
    const node = start(async (_vm, { inbox }) => {
      await inbox.recv()
      throw new Error('cannot')
    })
    node.send('event')
    assert.equal((await node.ended).how, 'failed')
    assert.deepEqual(node.port.released, [])
  })
})

describe('parity: a node as it is written', () => {
  it('the beacon of the origin: enabled with a destination, two packets, disabled', async () => {
    const beacon = processNode({
      messages: { enable: message(1, { dest: ip4 }), disable: message(2) },
      next: ['ip4-lookup'],
      counters: {
        sent: 'beacons sent',
        full: { text: 'ring full', severity: 'warn' },
      },
      async run(vm, node) {
        using due = vm.timer()
        let dest: string | undefined
        for (;;) {
          const event = await vm.select({ due, message: node.inbox })
          if (event.done) return
          if (event.source === 'message') {
            dest = event.value.type === 'enable' ? event.value.dest : undefined
            dest === undefined ? due.clear() : due.set(100)
          } else if (dest !== undefined) {
            node.count(node.enqueue('ip4-lookup', Uint8Array.from(dest.split('.').map(Number))) ? 'sent' : 'full')
            due.set(100)
          }
        }
      },
    })
    const node = new TestNode(beacon)
    node.send('enable', { dest: '10.0.0.1' })
    await node.pass(250)
    node.send('disable')
    await node.pass(500)
    node.close()
    assert.deepEqual(await node.ended, { how: 'returned' })
    assert.deepEqual(
      node.port.packets.map(({ packet }) => [...packet]),
      [
        [10, 0, 0, 1],
        [10, 0, 0, 1],
      ],
    )
    assert.deepEqual(node.port.counted, [
      [0, 1],
      [0, 1],
    ])
  })
})
