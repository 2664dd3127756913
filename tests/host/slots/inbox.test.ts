import assert from 'node:assert/strict'
import { LetterFile } from '../../../daemon/host/letters/letter-file.js'
import { Letters } from '../../../daemon/host/letters/letters.js'
import { matcher } from '../../../daemon/host/pattern.js'
import { Answers } from '../../../daemon/host/slots/answers.js'
import { Calls } from '../../../daemon/host/slots/calls.js'
import { noCounts } from '../../../daemon/host/slots/counts.js'
import { Inbox } from '../../../daemon/host/slots/inbox.js'
import { interfaceChange } from '../../../daemon/message/interface.js'
import { message } from '../../../daemon/message/message.js'
import { u32 } from '../../../daemon/message/numbers.js'
import { MessageTable } from '../../../daemon/message/table.js'
import { codes, statuses } from '../../../shm/ring.js'
import { Folder } from '../../support/folder.js'
import { silent } from '../fake-config.js'
import { type FakeEvent, fakeExecutor, turn } from '../fake-ring.js'

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

interface Setup {
  readonly atMostOnce?: boolean
  readonly interfaces?: readonly string[]
  /** Dead letters, in that folder. */
  readonly after?: number
  readonly folder?: string
}

function setUp({ atMostOnce = false, interfaces = ['*'], after, folder = '/nowhere' }: Setup = {}) {
  const room = { free: true }
  const { ring, executor } = fakeExecutor()
  const counts = noCounts()
  const rejected: string[] = []
  const inbox = new Inbox(executor, 3, {
    table,
    atMostOnce,
    counts,
    wanted: matcher(interfaces),
    rejected: (error, seq) => rejected.push(`${seq}: ${(error as Error).message}`),
    letters: after === undefined ? undefined : new Letters('n', { after, folder, size: 1e6 }, counts, silent),
    beforeRelease: () => {
      ring.trace.push('before release')
      return room.free
    },
    handedOver: () => {},
    answers: new Answers(executor, 3, new Calls(executor, 3, () => {})),
  })
  const slot = ring.slot(3)
  return {
    ring,
    executor,
    inbox,
    counts,
    rejected,
    room,
    slot,
    put: (...events: FakeEvent[]) => ring.put(3, ...events),
  }
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
    inbox.rewind(new Error('boom'))
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
    inbox.rewind(new Error('boom'))
    assert.deepEqual([slot.handed, slot.done], [2, 1])
    const again = inbox.take()
    assert.deepEqual([again?.n, again?.redelivered, again?.attempts], [2, true, 2])
    assert.deepEqual([slot.handed, slot.done], [2, 1])
    inbox.rewind(new Error('boom'))
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
    inbox.rewind(new Error('boom'))
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
    inbox.rewind(new Error('boom'))
    assert.deepEqual([inbox.take()?.attempts, slot.done], [2, 0])
    assert.deepEqual([inbox.take()?.n, slot.done], [4, 3])
  })

  it('hands nothing over again that was finished', () => {
    const { inbox, put } = setUp()
    put(tick(1), tick(2))
    inbox.take()
    inbox.release()
    inbox.rewind(new Error('boom'))
    assert.equal(inbox.take()?.n, 2)
  })

  it('hands over what came again alone, also when batches are asked for: only the culprit is blamed', () => {
    const { inbox, put, slot } = setUp()
    put(tick(1), tick(2, { redelivered: true, attempts: 1 }), tick(3, { redelivered: true, attempts: 1 }), tick(4))
    put(tick(5))
    const batch = () => inbox.takeBatch().map(event => [event.n, event.attempts])
    assert.deepEqual(batch(), [[1, 0]])
    assert.deepEqual(batch(), [[2, 1]])
    assert.deepEqual([slot.handed, slot.released], [2, 1])
    inbox.rewind(new Error('boom'))
    assert.deepEqual(batch(), [[2, 2]])
    assert.deepEqual(batch(), [[3, 1]])
    assert.deepEqual([slot.handed, slot.released], [3, 2])
    assert.deepEqual(batch(), [
      [4, 0],
      [5, 0],
    ])
  })

  it('holds what came again back until everything before it is released, counts included', () => {
    const { inbox, put, slot, room } = setUp()
    put(tick(1), tick(2, { redelivered: true, attempts: 1 }))
    inbox.take()
    room.free = false
    assert.equal(inbox.take(), undefined)
    assert.deepEqual(inbox.takeBatch(), [])
    assert.deepEqual([slot.handed, inbox.closed], [1, false])
    room.free = true
    inbox.wake()
    assert.equal(inbox.take()?.n, 2)
    assert.deepEqual([slot.handed, slot.released], [2, 1])
  })

  describe('with dead letters', () => {
    let folder: Folder
    beforeEach(() => {
      folder = new Folder()
    })
    afterEach(() => folder[Symbol.dispose]())

    const letters = () =>
      new LetterFile('n', folder.at('d'), 1e6).read().map(({ id: _, time: __, reason, ...rest }) => ({
        ...rest,
        reason: `${reason.name}: ${reason.message}`,
      }))
    const lettered = (after: number) => setUp({ after, folder: folder.at('d') })

    it('an event that ends the coroutine again and again is given up, and the next one comes', () => {
      const { inbox, put, slot, counts } = lettered(3)
      put(tick(1), tick(2), tick(3))
      inbox.take()
      for (let death = 0; death < 3; death++) {
        assert.deepEqual([inbox.take()?.n, counts.deadLetters], [2, 0])
        inbox.rewind(new TypeError(`boom ${death}`))
      }
      assert.equal(inbox.take()?.n, 3)
      const letter = { node: 'n', type: 'tick', code: 1, seq: '2', attempts: 3, value: { n: 2 } }
      assert.deepEqual(letters(), [{ ...letter, reason: 'TypeError: boom 2' }])
      assert.deepEqual([counts.deadLetters, counts.lostLetters, slot.released], [1, 0, 2])
    })

    it('deaths of other processes count, and it is released at once: it cannot come again', () => {
      const { inbox, put, slot, counts, ring } = lettered(3)
      put(tick(1, { redelivered: true, attempts: 2 }), tick(2, { redelivered: true, attempts: 3 }), tick(3))
      assert.equal(inbox.take()?.attempts, 2)
      inbox.rewind(new Error('boom'))
      ring.trace.length = 0
      assert.equal(inbox.take()?.n, 3)
      assert.deepEqual(
        letters().map(({ seq, attempts, reason }) => [seq, attempts, reason]),
        [
          ['1', 3, 'Error: boom'],
          ['2', 3, 'Died: the process or the thread of the node ended while the event was in hand'],
        ],
      )
      assert.deepEqual([counts.deadLetters, slot.handed, slot.released], [2, 3, 2])
    })

    it('of a batch that died, only the event that dies alone is given up', () => {
      const { inbox, put } = lettered(2)
      put(tick(1), tick(2), tick(3))
      assert.equal(inbox.takeBatch().length, 3)
      inbox.rewind(new Error('who was it?'))
      assert.equal(inbox.takeBatch()[0]?.n, 1)
      assert.equal(inbox.takeBatch()[0]?.n, 2)
      inbox.rewind(new Error('that one'))
      assert.deepEqual(
        inbox.takeBatch().map(event => [event.n, event.attempts]),
        [[3, 1]],
      )
      assert.deepEqual(
        letters().map(({ seq }) => seq),
        ['2'],
      )
    })

    it('what does not fit the messages goes there with its bytes, released with what came before', () => {
      const { inbox, put, slot, counts, rejected } = lettered(3)
      put(tick(1), { code: 99, seq: 2n, payload: Uint8Array.of(1, 2, 3) }, tick(4))
      assert.equal(inbox.take()?.n, 1)
      assert.equal(inbox.take()?.n, 4)
      const reason = 'MessageError: no message has code 99'
      assert.deepEqual(letters(), [{ node: 'n', code: 99, seq: '2', attempts: 0, bytes: 'AQID', reason }])
      assert.deepEqual([counts.rejected, counts.deadLetters, rejected.length, slot.handed], [1, 1, 1, 3])
    })

    it('who asked is told, whatever becomes of the event', () => {
      const { inbox, put, ring } = lettered(2)
      put(tick(1, { redelivered: true, attempts: 2, answer: 7 }), { code: 99, answer: 8 })
      assert.equal(inbox.take(), undefined)
      assert.deepEqual(
        ring.taken().map(({ op, args }) => [op, args[0], statuses.find(({ code }) => code === args[1])?.name]),
        [
          ['answer', 7, 'REFUSED'],
          ['answer', 8, 'REFUSED'],
        ],
      )
    })

    it('one that cannot be stored is delivered again, and counted; one that does not fit is skipped', () => {
      folder.write('d', '')
      const { inbox, put, counts } = lettered(2)
      put(tick(1, { redelivered: true, attempts: 5 }), { code: 99 }, tick(2))
      assert.deepEqual([inbox.take()?.attempts, counts.lostLetters], [5, 1])
      inbox.rewind(new Error('boom'))
      assert.deepEqual([inbox.take()?.attempts, counts.lostLetters], [6, 2])
      assert.equal(inbox.take()?.n, 2)
      assert.deepEqual([counts.lostLetters, counts.rejected, counts.deadLetters], [3, 1, 0])
    })
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
    const counts = noCounts()
    const options = {
      table,
      atMostOnce: false,
      counts,
      wanted: () => true,
      rejected: () => {},
      letters: undefined,
      beforeRelease: () => true,
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
