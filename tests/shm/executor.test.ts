// Events in, commands out, deadlines, wake-ups, and malformed records.
import assert from 'node:assert/strict'
import { type Executor, kinds, now, record } from '../../shm/ring.js'
import { FakeHost, TestLink } from './fake.js'

/** The whole records in the first `n` bytes of a buffer. */
function parse(bytes: Uint8Array, n: number): { seq: bigint; kind: number; size: number; payload: Uint8Array }[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, n)
  const all = []
  for (let at = 0; at < n; ) {
    const size = view.getUint32(at + record.size, true)
    const payload = bytes.slice(at + record.bytes, at + size)
    all.push({ seq: view.getBigUint64(at + record.seq, true), kind: view.getUint8(at + record.kind), size, payload })
    at += (size + 7) & ~7
  }
  return all
}

describe('executor', () => {
  let host: FakeHost
  let t: TestLink
  let executor: Executor
  let slot: number
  let onWake: (slots: number[]) => void
  beforeEach(async () => {
    onWake = () => {}
    host = await FakeHost.start()
    t = new TestLink(host.socket)
    executor = await t.attach((e, count) => onWake([...e.slots.subarray(0, count)]))
    const told = new Promise<void>(resolve => {
      onWake = slots => slots.includes(1) && resolve() // a new slot is told once
    })
    slot = (await t.node()).slot
    await told
  })
  afterEach(async () => {
    t.link.close()
    await host.stop()
  })

  /** Resolves when the slot was told and `done` says so. */
  function wakes(done: () => boolean): Promise<void> {
    return new Promise(resolve => {
      onWake = slots => {
        if (slots.includes(slot) && done()) resolve()
      }
    })
  }

  /** Orders events and collects what is drained until `n` records are there. */
  async function drained(
    n: number,
    orderLine: string,
    into = new Uint8Array(65536),
  ): Promise<ReturnType<typeof parse>> {
    const all: ReturnType<typeof parse> = []
    const woken = wakes(() => {
      for (;;) {
        const got = executor.drain(slot, into, 0)
        if (got === 0) break
        all.push(...parse(into, got))
      }
      return all.length >= n
    })
    host.order(orderLine)
    await woken
    return all
  }

  it('drains whole records in order, each once', async () => {
    const all = await drained(10, `events ${slot} 10 21`)
    assert.deepEqual(
      all.map(r => r.seq),
      Array.from({ length: 10 }, (_, i) => BigInt(i + 1)),
    )
    assert.ok(all.every(r => r.kind === kinds.event && r.size === record.bytes + 21))
    assert.ok(all.every(r => r.payload.every(byte => byte === Number(r.seq & 255n))))
    assert.equal(executor.drain(slot, new Uint8Array(64), 0), 0)
  })

  it('drains in pieces where the buffer is small, and says when it is too small for one', async () => {
    let pieces = 0
    let seen = 0
    const into = new Uint8Array(100)
    const woken = wakes(() => {
      assert.throws(() => executor.drain(slot, new Uint8Array(39), 0), { code: 'TOO_SMALL' })
      for (;;) {
        const got = executor.drain(slot, into, 0)
        if (got === 0) return seen === 7
        assert.equal(got, pieces < 3 ? 80 : 40)
        seen += parse(into, got).length
        pieces++
        if (pieces === 2) assert.equal(executor.drain(slot, into, 90), 0) // nothing fits behind 90
      }
    })
    host.order(`events ${slot} 7 8`)
    await woken
  })

  it('publishes what was handed over and what was released', async () => {
    const cursors = async () => (await host.ask(`cursors ${slot}`, /^cursors/)).split(' ').slice(2).map(Number)
    await drained(4, `events ${slot} 4 8`)
    assert.deepEqual(await cursors(), [0, 0, 160])
    executor.take(slot, 1)
    assert.deepEqual(await cursors(), [0, 40, 160])
    executor.take(slot, 2)
    assert.deepEqual(await cursors(), [0, 120, 160])
    executor.flush()
    assert.deepEqual(await cursors(), [40, 120, 160])
    assert.throws(() => executor.take(slot, 2), { name: 'RingError', code: 'MISUSE' })
    executor.take(slot, 1)
    executor.release(slot)
    executor.release(slot)
    assert.deepEqual(await cursors(), [160, 160, 160])
    assert.throws(() => executor.take(slot, 1), { code: 'MISUSE' })
  })

  it('lets a full ring flow on when records are released', async () => {
    let seen = 0n
    const into = new Uint8Array(8192)
    const all = wakes(() => {
      for (;;) {
        const got = executor.drain(slot, into, 0)
        if (got === 0) return seen === 2000n
        for (const { seq } of parse(into, got)) {
          assert.equal(seq, ++seen)
          executor.take(slot, 1)
        }
        executor.release(slot)
      }
    })
    host.order(`flood ${slot} 2000 1000`)
    await all
    await host.said(/^flooded/)
  })

  it('runs microtasks before the executor looks again', async () => {
    const order: string[] = []
    const woken = wakes(() => {
      order.push('wake')
      queueMicrotask(() => order.push('microtask'))
      return executor.drain(slot, new Uint8Array(4096), 0) > 0
    })
    host.order(`events ${slot} 1 8`)
    await woken
    assert.deepEqual(order.slice(0, 2), ['wake', 'microtask'])
  })

  it('gives every command with its contents', async () => {
    const said = async (push: boolean) => {
      assert.equal(push, true)
      executor.flush()
      const [, , op, seq, size, payload] = (await host.said(/^command/)).split(' ')
      return [Number(op), Number(seq), Number(size), Buffer.from(payload ?? '', 'hex')] as const
    }
    const count = await said(executor.count(slot, 3, 2 ** 40))
    assert.deepEqual(
      [...count.slice(0, 3), count[3].readUInt32LE(0), count[3].readBigUInt64LE(8)],
      [1, 0, 16, 3, 2n ** 40n],
    )
    const packet = await said(executor.enqueue(slot, 5, 1, 0xffffffff, 2, 4, Buffer.from('packet')))
    assert.deepEqual(packet.slice(0, 3), [2, 5, 22])
    assert.equal(packet[3].toString('hex', 0, 16), '01000000ffffffff0200000004000000')
    assert.equal(packet[3].toString('utf8', 16), 'packet')
    const cli = await said(executor.cli(slot, 6, 'show version'))
    assert.deepEqual([cli[0], cli[1], cli[3].toString()], [3, 6, 'show version'])
    const signal = await said(executor.signal(slot, 7, 'some-node', 2n ** 63n, 9n))
    assert.equal(signal[3].toString('utf8', 0, 9), 'some-node')
    assert.deepEqual([signal[2], signal[3].readBigUInt64LE(64), signal[3].readBigUInt64LE(72)], [80, 2n ** 63n, 9n])
    const send = await said(executor.send(0, 8, slot, 1, 77, Buffer.from('abc')))
    assert.equal(send[3].toString('hex'), `0${slot}000000010000004d00000000000000616263`)
    const answer = await said(executor.answer(slot, 9, 2, Buffer.from('!')))
    assert.equal(answer[3].toString('hex'), '090000000200000021')
  })

  it('gives outcomes through the reply ring', async () => {
    const into = new Uint8Array(4096)
    let outcome: ReturnType<typeof parse> = []
    const woken = wakes(() => {
      const got = executor.replies(slot, into, 0)
      if (got) outcome = parse(into, got)
      return got > 0
    })
    executor.cli(slot, 2 ** 40, 'echo me')
    executor.flush()
    await woken
    assert.equal(outcome[0]?.kind, kinds.outcome)
    assert.equal(outcome[0]?.seq, 2n ** 40n)
    assert.equal(Buffer.from(outcome[0]?.payload ?? []).toString(), 'echo me')
    assert.equal(executor.replies(slot, into, 0), 0)
  })

  it('merges counts that the host has not seen', async () => {
    for (let i = 0; i < 5; i++) executor.count(slot, 1, 10)
    executor.enqueue(slot, 0, 0, 0, 0, 0, new Uint8Array(4))
    executor.count(slot, 1, 1)
    executor.count(slot, 2, 1)
    executor.flush()
    executor.count(slot, 2, 7)
    executor.flush()
    const by = async () =>
      Buffer.from((await host.said(/^command \d+ 1 /)).split(' ')[5] ?? '', 'hex').readBigUInt64LE(8)
    assert.deepEqual([await by(), await by(), await by()], [51n, 1n, 7n])
  })

  it('says when the command ring is full, and wakes when there is room', async () => {
    host.order('freeze')
    await host.ask(`cursors ${slot}`, /^cursors/)
    const packet = new Uint8Array(500)
    let pushed = 0
    while (executor.enqueue(slot, 0, 0, 0, 0, 0, packet)) pushed++
    assert.equal(pushed, 7)
    assert.equal(executor.count(slot, 0, 1), true) // a small one still fits
    assert.throws(() => executor.enqueue(slot, 0, 0, 0, 0, 0, new Uint8Array(2100)), { code: 'TOO_BIG' })
    const room = wakes(() => executor.enqueue(slot, 0, 0, 0, 0, 0, packet))
    host.order('thaw')
    await room
  })

  it('is woken for a deadline, not before it', async () => {
    const at = now() + 30.5
    let woken = 0
    const due = wakes(() => {
      woken = now()
      return woken >= at
    })
    executor.deadline(slot, at)
    await due
    assert.ok(woken >= at)
  })

  it('publishes an earlier deadline at once, and a later one when the earlier has passed', async () => {
    const published = async () => BigInt((await host.ask(`deadline ${slot}`, /^deadline/)).split(' ')[2] ?? '')
    const ns = (ms: number) => BigInt(Math.ceil(ms * 1e6))
    const near = now() + 20
    assert.equal(await published(), 2n ** 64n - 1n)
    executor.deadline(slot, near + 1e6)
    assert.equal(await published(), ns(near + 1e6))
    executor.deadline(slot, near)
    assert.equal(await published(), ns(near))
    executor.deadline(slot, near + 5e6)
    const seen = await published()
    assert.ok(seen === ns(near) || now() >= near - 0.02)
    while ((await published()) !== ns(near + 5e6));
    assert.ok(now() >= near - 0.02)
  })

  it('is woken for a deadline that was moved on after the first was published', async () => {
    for (let round = 0; round < 20; round++) {
      const at = now() + 6
      executor.deadline(slot, now() + 2)
      executor.deadline(slot, at)
      await wakes(() => now() >= at)
    }
  })

  it('does not lose a wake-up in 20,000 one-in-flight events', async () => {
    const into = new Uint8Array(4096)
    onWake = () => {
      const got = executor.drain(slot, into, 0)
      if (got === 0) return
      executor.take(slot, 1)
      executor.release(slot)
      executor.count(slot, 0, 1)
    }
    host.order(`echo ${slot} 20000`)
    await host.said(/^echoed/)
  })

  it('does not lose a wake-up when commands are flushed outside a wake', async () => {
    const into = new Uint8Array(4096)
    onWake = () => {
      setImmediate(() => {
        if (executor.drain(slot, into, 0) === 0) return
        executor.take(slot, 1)
        executor.release(slot)
        executor.count(slot, 0, 1)
        executor.flush()
      })
    }
    host.order(`echo ${slot} 5000`)
    await host.said(/^echoed/)
  })

  it('does not starve the loop when slots stay ready', async () => {
    let rounds = 0
    onWake = () => {
      rounds++
      executor.deadline(slot, now() + 0.01) // so near that no one can wait for it: ready again at once
    }
    executor.deadline(slot, 0)
    for (let i = 0; i < 5; i++) await new Promise(resolve => setTimeout(resolve, 1))
    assert.ok(rounds > 10)
  })

  it('ignores ready bits of slots that are not there', async () => {
    const told = new Promise<number[]>(resolve => {
      onWake = resolve
    })
    host.order('bits 1')
    assert.deepEqual(await told, [0, slot])
  })

  it('goes back to sleep when only slots that are not there are ready', async () => {
    onWake = slots => assert.fail(`told of ${slots}`)
    for (const gone of [slot + 1, 4095, slot + 1]) await host.ask(`bit ${gone}`, /^bit$/)
    for (let i = 0; i < 10; i++) await new Promise(resolve => setImmediate(resolve))
    assert.equal((await drained(1, `events ${slot} 1 8`)).length, 1)
  })

  it('has nothing for slots that are gone', async () => {
    await drained(1, `events ${slot} 1 8`)
    t.link.removeNode(50, slot, 1)
    const buffer = new Uint8Array(100)
    const check = () => {
      assert.equal(executor.drain(slot, buffer, 0), 0)
      assert.equal(executor.replies(slot, buffer, 0), 0)
      assert.equal(executor.count(slot, 0, 1), false)
      executor.take(slot, 1)
      executor.release(slot)
      executor.deadline(slot, 5)
      executor.flush()
    }
    check()
    await t.answer('removed')
    assert.equal((await t.node()).generation, 2)
    assert.equal(executor.count(slot, 0, 1), true)
    t.link.close()
    check()
    executor.close()
  })

  const hex = (size: number, kind: number, payload = 0) => {
    const bytes = Buffer.alloc(Math.max(32 + payload, 32))
    bytes.writeUInt32LE(size, 0)
    bytes.writeUInt8(kind, 4)
    return bytes.toString('hex')
  }
  const malformed: [what: string, order: (slot: number) => string][] = [
    ['a record that is too short', s => `raw ${s} ${hex(31, 1)}`],
    ['a record beyond the tail', s => `raw ${s} ${hex(64, 1)}`],
    ['a record of half the ring and more', s => `raw ${s} ${hex(0xffffffff, 1)}`],
    ['a record of unknown kind', s => `raw ${s} ${hex(32, 99)}`],
    ['a command in the event ring', s => `raw ${s} ${hex(32, 5)}`],
    ['a signal without its datum', s => `raw ${s} ${hex(32, 2)}`],
    ['a short gap', s => `raw ${s} ${hex(48, 3, 16)}`],
    ['a pad that does not reach the end', s => `raw ${s} ${hex(32, 0)}`],
    ['a tail off the boundary', s => `tail ${s} 4`],
    ['a tail ahead of the ring', s => `tail ${s} 4104`],
    ['a tail that goes back', s => `tail ${s} ${2 ** 32 - 8}`],
  ]
  for (const [what, order] of malformed)
    it(`ends the attachment at ${what}`, async () => {
      let code = ''
      onWake = () => {
        try {
          executor.drain(slot, new Uint8Array(8192), 0)
        } catch (error) {
          code = (error as { code: string }).code
        }
      }
      host.order(order(slot))
      assert.match(await t.ends.next(), /malformed record or cursor from the host: event ring of slot 1/)
      assert.equal(code, 'MALFORMED')
      assert.equal(executor.drain(slot, new Uint8Array(8192), 0), 0)
    })

  it('ends the attachment at a cursor of the command ring that claims too much', async () => {
    await host.ask(`command-head ${slot} 4096\ncursors ${slot}`, /^cursors/)
    const push = () => {
      while (executor.enqueue(slot, 0, 0, 0, 0, 0, new Uint8Array(1000)));
    }
    assert.throws(push, { code: 'MALFORMED' })
    assert.match(await t.ends.next(), /command ring of slot 1/)
  })

  it('makes an error in onWake an uncaught exception and goes on', async () => {
    const listeners = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    const caught = new Promise<Error>(resolve => process.once('uncaughtException', resolve))
    onWake = () => {
      throw new Error('from onWake')
    }
    host.order(`events ${slot} 1 8`)
    assert.equal((await caught).message, 'from onWake')
    for (const listener of listeners) process.on('uncaughtException', listener)
    assert.equal((await drained(2, `events ${slot} 1 8`)).length, 2)
  })
})
