// Answers of a node: replies, refusals, silence, later answers, and the deaths of its coroutine.
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { Answers } from '../../../daemon/host/slots/answers.js'
import { Calls } from '../../../daemon/host/slots/calls.js'
import { noCounts } from '../../../daemon/host/slots/counts.js'
import { Inbox } from '../../../daemon/host/slots/inbox.js'
import type { CallEvent } from '../../../daemon/message/call.js'
import { call, message } from '../../../daemon/message/message.js'
import { u8 } from '../../../daemon/message/numbers.js'
import { MessageTable } from '../../../daemon/message/table.js'
import { statuses } from '../../../shm/ring.js'
import { fakeExecutor } from '../fake-ring.js'

const table = new MessageTable({ get: call(1, {}, { n: u8 }), plain: message(2) })
const named = (status: unknown) => statuses.find(({ code }) => code === status)?.name

function setUp(atMostOnce = false) {
  const { ring, executor } = fakeExecutor()
  const calls = new Calls(executor, 3, () => {})
  const answers = new Answers(executor, 3, calls)
  const rejected: string[] = []
  const inbox = new Inbox(executor, 3, {
    table,
    atMostOnce,
    answers,
    counts: noCounts(),
    wanted: () => true,
    rejected: error => rejected.push((error as Error).message),
    letters: undefined,
    beforeRelease: () => true,
    handedOver: () => {},
  })
  let seq = 0n
  const put = (...handles: number[]) => {
    for (const answer of handles) ring.put(3, { code: 1, seq: ++seq, answer })
    inbox.wake()
  }
  const take = () => inbox.take() as CallEvent | undefined
  /** What was answered since the last look: handle, status, bytes. */
  const given = () =>
    ring.taken().map(({ op, args: [handle, status, bytes] }) => {
      assert.equal(op, 'answer')
      return [handle, named(status), ...Buffer.from(bytes as Uint8Array)]
    })
  return { ring, calls, answers, inbox, put, take, given, rejected }
}

describe('answers', () => {
  it('a reply and a refusal go out at once, the first one only', () => {
    const { put, take, given } = setUp()
    put(70, 71)
    const first = take()!
    assert.deepEqual([first.asked, first.reply({ n: 5 }), first.reply({ n: 6 })], [true, true, false])
    assert.deepEqual(given(), [[70, 'OK', 5]])
    const second = take()!
    assert.deepEqual([second.refuse('no'), second.reply({ n: 1 })], [true, false])
    assert.deepEqual(given(), [[71, 'REFUSED', ...Buffer.from('no')]])
    take()
    assert.deepEqual(given(), [])
  })

  it('who is finished with an event has answered it', () => {
    const { inbox, put, take, given } = setUp()
    put(70, 71)
    const late = take()!
    take()
    assert.deepEqual(given(), [[70, 'UNANSWERED']])
    assert.equal(late.reply({ n: 1 }), false)
    inbox.release()
    assert.deepEqual(given(), [[71, 'UNANSWERED']])
  })

  it('the events of a batch are finished with together', () => {
    const { inbox, put, given } = setUp()
    put(70, 71, 72)
    const batch = inbox.takeBatch() as unknown as CallEvent[]
    batch[1]?.reply({ n: 1 })
    assert.deepEqual(given(), [[71, 'OK', 1]])
    inbox.takeBatch()
    assert.deepEqual(given(), [
      [70, 'UNANSWERED'],
      [72, 'UNANSWERED'],
    ])
  })

  it('at-most-once: an event that is released on hand-over can still be answered', () => {
    const { put, take, given } = setUp(true)
    put(70)
    assert.equal(take()?.reply({ n: 2 }), true)
    assert.deepEqual(given(), [[70, 'OK', 2]])
  })

  it('a deferred answer comes when it comes', () => {
    const { put, take, given } = setUp()
    put(70, 71)
    const first = take()!
    first.defer()
    take()
    assert.deepEqual(given(), [])
    assert.equal(first.reply({ n: 3 }), true)
    assert.deepEqual(given(), [[70, 'OK', 3]])
    assert.equal(first.refuse('no'), false)
  })

  it('a coroutine that has died answers nothing more, and what it had in hand comes again unasked', () => {
    const { inbox, answers, put, take, given } = setUp()
    put(70, 71, 72)
    const deferred = take()!
    deferred.defer()
    const inHand = take()!
    inbox.rewind(undefined)
    answers.died()
    assert.deepEqual(given(), [
      [71, 'DIED'],
      [70, 'DIED'],
    ])
    assert.deepEqual([deferred.reply({ n: 1 }), inHand.reply({ n: 1 })], [false, false])
    const again = take()!
    assert.deepEqual([again.seq, again.redelivered, again.asked, again.reply({ n: 1 })], [2n, true, false, false])
    const next = take()!
    assert.deepEqual([next.seq, next.asked], [3n, true])
    assert.deepEqual(given(), [])
  })

  it('a full ring keeps answers and their order, also among calls', async () => {
    const { ring, calls, put, take, given } = setUp()
    ring.room = 0
    put(70, 71)
    const cli = calls.call(number => ring.cli(3, number, 'show'))
    take()?.reply({ n: 1 })
    take()?.reply({ n: 2 })
    calls.wake()
    assert.deepEqual(given(), [])
    ring.room = Number.POSITIVE_INFINITY
    calls.wake()
    assert.deepEqual(
      ring.commands.map(command => [command.op, command.args[0]]),
      [
        ['cli', 'show'],
        ['answer', 70],
        ['answer', 71],
      ],
    )
    // Outcomes are looked for, whatever else waits.
    ring.taken()
    ring.room = 0
    put(72)
    take()?.reply({ n: 3 })
    ring.reply(3, 1, 0)
    calls.wake()
    assert.equal((await cli).status, 0)
  })

  it('an event that does not fit is refused, one of a message without a reply is unanswered', () => {
    const { ring, inbox, take, given, rejected } = setUp()
    ring.put(3, { code: 1, payload: new Uint8Array(5), answer: 70 }, { code: 2, answer: 71 })
    inbox.wake()
    assert.equal(take()?.type, 'plain')
    assert.equal(rejected.length, 1)
    assert.deepEqual(
      given().map(([handle, status]) => [handle, status]),
      [[70, 'REFUSED']],
    )
    take()
    assert.deepEqual(given(), [[71, 'UNANSWERED']])
  })

  it('without an attachment nobody waits', () => {
    const { answers, put, take, given } = setUp()
    put(70)
    const event = take()!
    answers.end()
    assert.equal(event.reply({ n: 1 }), false)
    assert.deepEqual(given(), [])
  })
})
