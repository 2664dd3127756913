import assert from 'node:assert/strict'
import { longestOutcome, type NoOutcomeError, Outcomes } from '../../../daemon/host/slots/outcomes.js'
import { encode } from '../fake-ring.js'

function feed(outcomes: Outcomes, ...records: Uint8Array[]): void {
  const all = Buffer.concat(records)
  // In the middle of other memory, as in a scratch buffer.
  const memory = new Uint8Array(all.length + 64)
  memory.set(all, 32)
  outcomes.feed(new DataView(memory.buffer, 16), 16, 16 + all.length)
}

const reply = (call: number, status: number, text = '', more = false) =>
  encode({ kind: 'outcome', seq: BigInt(call), status, payload: Buffer.from(text), more })

const textOf = (bytes: Uint8Array) => Buffer.from(bytes).toString()

describe('outcomes', () => {
  it('go to who asked, in any order', async () => {
    const outcomes = new Outcomes()
    const one = outcomes.expect()
    const two = outcomes.expect()
    assert.notEqual(one.call, two.call)
    feed(outcomes, reply(two.call, 12, 'second'), reply(one.call, 0, 'first'))
    assert.deepEqual(await one.outcome.then(({ status, bytes }) => [status, textOf(bytes)]), [0, 'first'])
    assert.deepEqual(await two.outcome.then(({ status, bytes }) => [status, textOf(bytes)]), [12, 'second'])
    assert.equal(outcomes.size, 0)
  })

  it('are put together from chunks, also when those of several calls are mixed', async () => {
    const outcomes = new Outcomes()
    const one = outcomes.expect()
    const two = outcomes.expect()
    feed(outcomes, reply(one.call, 0, 'a', true), reply(two.call, 0, 'x', true), reply(one.call, 0, 'b', true))
    feed(outcomes, reply(two.call, 15, 'y'), reply(one.call, 0, 'c'))
    assert.equal(textOf((await one.outcome).bytes), 'abc')
    assert.deepEqual(await two.outcome.then(({ status, bytes }) => [status, textOf(bytes)]), [15, 'xy'])
  })

  it('own their memory', async () => {
    const outcomes = new Outcomes()
    const { call, outcome } = outcomes.expect()
    const bytes = reply(call, 0, 'kept')
    outcomes.feed(new DataView(bytes.buffer as ArrayBuffer), 0, bytes.length)
    bytes.fill(0)
    assert.equal(textOf((await outcome).bytes), 'kept')
  })

  it('that are too long reject, and their rest is swallowed', async () => {
    let late = 0
    const outcomes = new Outcomes(() => late++)
    const { call, outcome } = outcomes.expect()
    const chunk = encode({
      kind: 'outcome',
      seq: BigInt(call),
      status: 0,
      payload: new Uint8Array(longestOutcome / 4),
      more: true,
    })
    for (let i = 0; i < 5; i++) outcomes.feed(new DataView(chunk.buffer as ArrayBuffer), 0, chunk.length)
    await assert.rejects(outcome, (error: NoOutcomeError) => error.reason === 'too-big')
    assert.equal(outcomes.size, 1)
    feed(outcomes, reply(call, 0, 'end'))
    assert.equal(outcomes.size, 0)
    assert.equal(late, 1)
  })

  it('that nobody waits for any more are counted', async () => {
    let late = 0
    const outcomes = new Outcomes(() => late++)
    const controller = new AbortController()
    const { call, outcome } = outcomes.expect({ signal: controller.signal })
    controller.abort(new Error('changed my mind'))
    await assert.rejects(outcome, /changed my mind/)
    assert.equal(outcomes.abandoned(call), true)
    feed(outcomes, reply(call, 0, 'chunk', true), reply(call, 0, 'late'), reply(999, 0, 'never asked'))
    assert.equal(late, 2)
    assert.equal(outcomes.size, 0)
  })

  it('reject when the deadline has passed, and only then', async () => {
    const outcomes = new Outcomes()
    const quick = outcomes.expect({ ms: 1 })
    const slow = outcomes.expect({ ms: 3_600_000 })
    await assert.rejects(quick.outcome, (error: NoOutcomeError) => error.reason === 'deadline')
    feed(outcomes, reply(slow.call, 0, 'in time'))
    assert.equal(textOf((await slow.outcome).bytes), 'in time')
  })

  it('all fail when the host goes away', async () => {
    const outcomes = new Outcomes()
    const all = [outcomes.expect(), outcomes.expect({ ms: 1000 }), outcomes.expect()]
    outcomes.fail('the host is gone')
    for (const { outcome } of all) {
      await assert.rejects(outcome, (error: NoOutcomeError) => error.reason === 'gone' && /is gone/.test(error.message))
    }
    assert.equal(outcomes.size, 0)
  })

  it('leave no listener on a signal that outlives them', async () => {
    const outcomes = new Outcomes()
    const { signal } = new AbortController()
    let listeners = 0
    const add = signal.addEventListener.bind(signal)
    const remove = signal.removeEventListener.bind(signal)
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners++
      add(...args)
    }
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners--
      remove(...args)
    }
    const { call, outcome } = outcomes.expect({ signal })
    assert.equal(listeners, 1)
    feed(outcomes, reply(call, 0))
    await outcome
    assert.equal(listeners, 0)
  })
})
