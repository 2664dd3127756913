// The daemon's side against the real standalone host: everything that the fake host cannot prove.
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { flags, kinds, now, statusOf } from '../../shm/ring.js'
import { held, TestLink } from './fake.js'
import { Attached, RealHost } from './real.js'

describe('standalone host', () => {
  let socket: string
  let host: RealHost
  before(async () => {
    host = await RealHost.start()
    socket = host.socket
  })
  after(() => host.stop())

  it('carries a message in and its acceptance back', async () => {
    const a = await Attached.to(socket)
    assert.equal(a.send(77, 'hello'), true)
    await a.until(() => a.events.length > 0 && a.outcomes.length > 0)
    assert.deepEqual([a.events[0]?.kind, a.events[0]?.type, a.events[0]?.payload], [kinds.event, 1, 'hello'])
    assert.deepEqual([a.outcomes[0]?.kind, a.outcomes[0]?.type, a.outcomes[0]?.seq], [kinds.outcome, 0, 77n])
    a.executor.take(a.slot, 1)
    a.executor.release(a.slot)
    a.test.link.close()
  })

  it('runs a CLI command and gives its output', async () => {
    const a = await Attached.to(socket)
    a.executor.cli(a.slot, 5, 'show version')
    a.executor.flush()
    await a.until(() => a.outcomes.some(o => (o.flags & flags.more) === 0))
    assert.ok(a.outcomes.every(o => o.seq === 5n && o.type === 0))
    assert.match(a.outcomes.map(o => o.payload).join(''), /corod/)
    a.test.link.close()
  })

  it('counts and enqueues', async () => {
    const a = await Attached.to(socket)
    a.executor.count(a.slot, 0, 3)
    assert.equal(a.executor.enqueue(a.slot, 9, 1, 0xffffffff, 0xffffffff, 0, Buffer.alloc(64)), true)
    assert.equal(a.executor.enqueue(a.slot, 10, 7, 0, 0, 0, Buffer.alloc(64)), true)
    a.executor.cli(a.slot, 11, 'show errors')
    a.executor.flush()
    await a.until(() => a.outcomes.some(o => o.seq === 11n && (o.flags & flags.more) === 0))
    assert.equal(a.outcomes.find(o => o.seq === 9n)?.type, 0)
    assert.notEqual(a.outcomes.find(o => o.seq === 10n)?.type, 0)
    assert.match(
      a.outcomes
        .filter(o => o.seq === 11n)
        .map(o => o.payload)
        .join(''),
      /3\s.*node.*things sent/,
    )
    a.test.link.close()
  })

  it('relays a deadline', async () => {
    const a = await Attached.to(socket)
    for (let i = 0; i < 20; i++) {
      const at = now() + 1.37
      a.executor.deadline(a.slot, at)
      await a.until(() => now() >= at)
    }
    a.test.link.close()
  })

  it('does not lose a wake-up in 20,000 messages that each cause the next', async () => {
    const a = await Attached.to(socket)
    let seen = 0
    const done = a.until(() => {
      a.outcomes.length = 0
      for (const event of a.events.splice(0)) {
        assert.equal(event.payload, String(seen))
        seen++
        a.executor.take(a.slot, 1)
        if (seen < 20_000) a.executor.send(0, 0, a.slot, a.generation, 1, Buffer.from(String(seen)))
      }
      a.executor.release(a.slot)
      return seen === 20_000
    })
    a.send(0, '0')
    await done
    a.test.link.close()
  })

  it('does not lose a deadline among 3,000 that are set, moved and cleared', async () => {
    const a = await Attached.to(socket)
    for (let i = 0; i < 3000; i++) {
      const at = now() + (i % 13) * 0.01
      a.executor.deadline(a.slot, at + 5)
      if (i % 3 === 0) a.executor.deadline(a.slot, Number.POSITIVE_INFINITY)
      if (i % 5 === 0) await new Promise(resolve => setImmediate(resolve))
      a.executor.deadline(a.slot, at)
      if (now() < at) await a.until(() => now() >= at)
    }
    a.test.link.close()
  }).timeout(30_000)

  it('delivers again what a dead daemon had in hand, marked, and the rest as it was', async () => {
    const first = await Attached.to(socket, 'phoenix')
    for (const payload of ['a', 'b', 'c']) first.send(0, payload)
    await first.until(() => first.events.length === 3)
    first.executor.take(first.slot, 1)
    first.executor.release(first.slot)
    first.executor.take(first.slot, 1)
    first.test.link.close()
    const second = await Attached.to(socket, 'phoenix')
    assert.equal(second.carried, 2)
    await second.until(() => second.events.length === 2)
    assert.deepEqual(
      second.events.map(e => [e.payload, e.flags & flags.redelivered, e.attempts, e.seq]),
      [
        ['b', flags.redelivered, 1, first.events[1]?.seq],
        ['c', 0, 0, first.events[2]?.seq],
      ],
    )
    second.executor.take(second.slot, 2)
    second.executor.release(second.slot)
    second.test.link.close()
  })

  it('ends an inbox behind its last event', async () => {
    const a = await Attached.to(socket, 'closing')
    a.send(0, 'last')
    await a.until(() => a.events.length === 1)
    a.test.link.closeNode(60, a.slot, a.generation)
    const { waiting } = await a.test.answer('nodeClosed')
    assert.equal(waiting, 1)
    await a.until(() => a.events.length === 2)
    assert.deepEqual([a.events[1]?.kind, a.events[1]?.seq], [kinds.close, a.events[0]?.seq])
    assert.equal(a.send(61, 'late'), true)
    await a.until(() => a.outcomes.some(o => o.seq === 61n))
    assert.equal(statusOf(a.outcomes.find(o => o.seq === 61n)?.type ?? 0).name, 'CLOSED')
    a.test.link.close()
  })

  it('refuses a second daemon with the pid of the first', async () => {
    const a = await Attached.to(socket)
    const other = new TestLink(socket)
    other.link.hello('second')
    const refused = await other.answer('refused')
    assert.deepEqual([refused.status, refused.pid], ['BUSY', process.pid])
    await other.ends.next()
    a.test.link.close()
  })

  it('gives everything back over 300 attachments', async () => {
    const hostHeld = () => ({
      descriptors: readdirSync(`/proc/${host.pid}/fd`).length,
      mappings: readFileSync(`/proc/${host.pid}/maps`, 'utf8').match(/memfd:/g)?.length ?? 0,
    })
    const round = async () => {
      const a = await Attached.to(socket)
      a.send(1, 'x')
      a.test.link.close()
    }
    for (let i = 0; i < 20; i++) await round()
    const here = held()
    for (let i = 0; i < 300; i++) await round()
    assert.deepEqual(held(), here)
    const last = await Attached.to(socket) // the host has seen the end of all before
    const there = hostHeld()
    last.test.link.close()
    for (let i = 0; i < 50; i++) await round()
    const again = await Attached.to(socket)
    assert.deepEqual(hostHeld(), there)
    again.test.link.close()
  }).timeout(30_000)
})
