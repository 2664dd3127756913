import assert from 'node:assert/strict'
import { Answers } from '../../daemon/host/answers.js'
import { Calls } from '../../daemon/host/calls.js'
import { Inbox, type InboxCounts } from '../../daemon/host/inbox.js'
import { matcher } from '../../daemon/host/pattern.js'
import { interfaceChange } from '../../daemon/message/interface.js'
import { message } from '../../daemon/message/message.js'
import { u32 } from '../../daemon/message/numbers.js'
import { MessageTable } from '../../daemon/message/table.js'
import { codes } from '../../shm/ring.js'
import { type FakeEvent, fakeExecutor, turn } from './fake-ring.js'

const table = new MessageTable({ tick: message(1, { n: u32 }), empty: message(2), change: interfaceChange })

function tick(n: number, more: FakeEvent = {}): FakeEvent {
  const payload = new Uint8Array(new Uint32Array([n]).buffer)
  return { code: 1, payload, seq: BigInt(n), timeNs: BigInt(n) * 1_500_000n, ...more }
}

function transition(name: string): FakeEvent {
  const payload = new Uint8Array(99)
  payload[4] = 1
  payload.set(Buffer.from(name), 35)
  return { code: codes.interfaceChange, payload }
}

function setUp({ atMostOnce = false, interfaces = ['*'] }: { atMostOnce?: boolean; interfaces?: string[] } = {}) {
  const { ring, executor } = fakeExecutor()
  const counts: InboxCounts = { received: 0, redelivered: 0, rejected: 0, filtered: 0, gaps: 0, missed: 0, late: 0 }
  const rejected: string[] = []
  const inbox = new Inbox(executor, 3, {
    table,
    atMostOnce,
    counts,
    wanted: matcher(interfaces),
    rejected: (error, seq) => rejected.push(`${seq}: ${(error as Error).message}`),
    beforeRelease: () => ring.trace.push('before release'),
    handedOver: () => {},
    answers: new Answers(executor, 3, new Calls(executor, 3, () => {})),
  })
  const slot = ring.slot(3)
  return { ring, executor, inbox, counts, rejected, slot, put: (...events: FakeEvent[]) => ring.put(3, ...events) }
}

describe('inbox', () => {
  it('hands over events with their fields, order and time', () => {
    const { inbox, put, counts } = setUp()
    put(tick(7), tick(8, { redelivered: true, attempts: 2 }))
    assert.deepEqual(inbox.take(), { type: 'tick', n: 7, seq: 7n, time: 10.5, redelivered: false, attempts: 0 })
    assert.deepEqual(inbox.take(), { type: 'tick', n: 8, seq: 8n, time: 12, redelivered: true, attempts: 2 })
    assert.equal(inbox.take(), undefined)
    assert.deepEqual([counts.received, counts.redelivered], [2, 1])
  })

  it('releases an event when the next is asked for, never before', () => {
    const { inbox, put, slot } = setUp()
    put(tick(1), tick(2))
    inbox.take()
    assert.deepEqual([slot.handed, slot.done, slot.released], [1, 0, 0])
    inbox.take()
    assert.deepEqual([slot.handed, slot.done, slot.released], [2, 1, 0])
    inbox.take()
    assert.deepEqual([slot.handed, slot.done, slot.released], [2, 2, 2])
  })

  it('has everything pushed that the events caused before it releases them', () => {
    const { inbox, put, ring } = setUp()
    put(tick(1), tick(2))
    inbox.take()
    ring.trace.length = 0
    inbox.release()
    assert.deepEqual(ring.trace, ['before release', 'release 3'])
  })

  it('with at-most-once, releases on hand-over', () => {
    const { inbox, put, slot } = setUp({ atMostOnce: true })
    put(tick(1), tick(2))
    inbox.take()
    assert.deepEqual([slot.handed, slot.released], [1, 1])
    inbox.rewind()
    assert.equal(inbox.take()?.n, 2)
  })

  it('gives batches of all that is there, released together', () => {
    const { inbox, put, slot } = setUp()
    put(tick(1), tick(2), tick(3))
    assert.deepEqual(
      inbox.takeBatch().map(event => event.n),
      [1, 2, 3],
    )
    assert.deepEqual([slot.handed, slot.released], [3, 0])
    put(tick(4))
    inbox.wake()
    assert.deepEqual(
      inbox.takeBatch().map(event => event.n),
      [4],
    )
    assert.deepEqual([slot.handed, slot.released], [4, 3])
    assert.deepEqual(inbox.takeBatch(), [])
    assert.equal(slot.released, 4)
  })

  it('asks the ring again only after a wake', () => {
    const { inbox, put } = setUp()
    assert.equal(inbox.take(), undefined)
    put(tick(1))
    assert.equal(inbox.take(), undefined)
    inbox.wake()
    assert.equal(inbox.take()?.n, 1)
  })

  it('skips and counts what does not fit the table, and goes on', () => {
    const { inbox, put, slot, counts, rejected } = setUp()
    put(tick(1), { code: 99, seq: 2n }, { code: 1, payload: new Uint8Array(3), seq: 3n }, tick(4), {
      code: 98,
      seq: 5n,
    })
    assert.equal(inbox.take()?.n, 1)
    assert.equal(inbox.take()?.n, 4)
    assert.equal(inbox.take(), undefined)
    assert.equal(counts.rejected, 3)
    assert.deepEqual([slot.handed, slot.released], [5, 5])
    assert.match(rejected[0]!, /^2: .*code 99/)
    assert.match(rejected[1]!, /^3: .*3/)
  })

  it('skips what does not fit also when nothing else is there', () => {
    const { inbox, put, slot } = setUp()
    put({ code: 99 }, { code: 99 })
    assert.deepEqual(inbox.takeBatch(), [])
    assert.deepEqual([slot.handed, slot.released], [2, 2])
  })

  it('keeps out transitions of interfaces that are not listed', () => {
    const { inbox, put, counts } = setUp({ interfaces: ['eth?', 'loop*'] })
    put(transition('eth0'), transition('eth10'), transition('loop7'), transition('tap0'), tick(1))
    const seen: unknown[] = []
    for (let event = inbox.take(); event !== undefined; event = inbox.take()) seen.push(event.name ?? event.n)
    assert.deepEqual(seen, ['eth0', 'loop7', 1])
    assert.deepEqual([counts.filtered, counts.received], [2, 3])
  })

  it('tells gaps and counts what was missed', () => {
    const { inbox, put, counts } = setUp()
    put({ kind: 'gap', payload: new Uint8Array(new BigUint64Array([4n, 9n, 5n]).buffer), seq: 9n })
    const event = inbox.take()
    assert.equal(event?.type, 'gap')
    assert.deepEqual([event?.first, event?.last, event?.count], [4n, 9n, 5n])
    assert.deepEqual([counts.gaps, counts.missed], [1, 5])
  })

  it('ends at the close record, after what came before it', () => {
    const { inbox, put, slot } = setUp()
    put(tick(1), { kind: 'close' })
    assert.equal(inbox.take()?.n, 1)
    assert.equal(inbox.closed, false)
    assert.equal(inbox.take(), undefined)
    assert.deepEqual([inbox.closed, inbox.ended], [true, true])
    assert.equal(slot.released, 2)
  })

  it('closed by us leaves with the host what was not handed over', () => {
    const { inbox, put, slot } = setUp()
    put(tick(1), tick(2), tick(3))
    inbox.take()
    inbox.close()
    assert.equal(inbox.take(), undefined)
    assert.deepEqual([inbox.closed, inbox.ended], [true, false])
    assert.deepEqual([slot.handed, slot.released], [1, 1])
  })

  it('hands an event over again, marked, after its coroutine died', () => {
    const { inbox, put, slot, counts } = setUp()
    put(tick(1), tick(2, { attempts: 1 }), tick(3))
    inbox.take()
    inbox.take()
    inbox.rewind()
    assert.deepEqual([slot.handed, slot.done], [2, 1])
    const again = inbox.take()
    assert.deepEqual([again?.n, again?.redelivered, again?.attempts], [2, true, 2])
    assert.deepEqual([slot.handed, slot.done], [2, 1])
    inbox.rewind()
    assert.deepEqual([inbox.take()?.attempts, counts.redelivered], [3, 2])
    const next = inbox.take()
    assert.deepEqual([next?.n, next?.redelivered, next?.attempts], [3, false, 0])
    assert.deepEqual([slot.handed, slot.done], [3, 2])
  })

  it('hands a batch over again one by one, and releases it when all of it is done', () => {
    const { inbox, put, slot } = setUp()
    put(tick(1), tick(2), tick(3))
    inbox.takeBatch()
    put(tick(4))
    inbox.rewind()
    inbox.wake()
    const marks: unknown[] = []
    for (let i = 0; i < 3; i++) {
      const event = inbox.take()
      marks.push([event?.n, event?.redelivered, event?.attempts, slot.done])
    }
    assert.deepEqual(marks, [
      [1, true, 1, 0],
      [2, true, 1, 0],
      [3, true, 1, 0],
    ])
    // Only the one in hand counts another death.
    inbox.rewind()
    assert.deepEqual([inbox.take()?.attempts, slot.done], [2, 0])
    assert.deepEqual([inbox.take()?.n, slot.done], [4, 3])
  })

  it('hands nothing over again that was finished', () => {
    const { inbox, put } = setUp()
    put(tick(1), tick(2))
    inbox.take()
    inbox.release()
    inbox.rewind()
    assert.equal(inbox.take()?.n, 2)
  })

  it('gives the loop a turn in a flood, and goes on by itself', async () => {
    const { ring, inbox, executor, put } = setUp()
    const total = 60_000
    for (let i = 0; i < total; i++) put(tick(i))
    let seen = 0
    let wakes = 0
    const drink = () => {
      wakes++
      inbox.wake()
      while (inbox.take() !== undefined) seen++
    }
    executor.bind(3, { wake: drink, flush: () => {} })
    ring.ready(3)
    assert.ok(seen > 0 && seen < total, `${seen} in the first turn`)
    while (seen < total) await turn()
    assert.ok(wakes > 1, `${wakes} wakes`)
  })

  it('shares memory between nodes and gives it back', () => {
    const { ring, executor } = fakeExecutor()
    const counts: InboxCounts = { received: 0, redelivered: 0, rejected: 0, filtered: 0, gaps: 0, missed: 0, late: 0 }
    const options = {
      table,
      atMostOnce: false,
      counts,
      wanted: () => true,
      rejected: () => {},
      beforeRelease: () => {},
      handedOver: () => {},
      answers: new Answers(executor, 3, new Calls(executor, 3, () => {})),
    }
    const inboxes = Array.from({ length: 500 }, (_, i) => new Inbox(executor, i + 1, options))
    for (const [i] of inboxes.entries()) ring.put(i + 1, tick(i))
    const first = executor.slab()
    for (const inbox of inboxes) inbox.take()
    // 500 events of 40 bytes fit one slab, and all nodes hold it.
    assert.equal(executor.slab(), first)
    assert.equal(first.holders, 500)
    for (const inbox of inboxes) inbox.take()
    assert.deepEqual([first.holders, first.used], [0, 0])
  })
})
