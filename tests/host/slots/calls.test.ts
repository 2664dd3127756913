import assert from 'node:assert/strict'
import { Calls } from '../../../daemon/host/slots/calls.js'
import { fakeExecutor } from '../fake-ring.js'

function setUp(room = Number.POSITIVE_INFINITY) {
  const { ring, executor } = fakeExecutor()
  ring.room = room
  let pushed = 0
  const calls = new Calls(executor, 7, () => pushed++)
  return {
    ring,
    calls,
    ask: (text: string, signal?: AbortSignal) => calls.call(n => ring.cli(7, n, text), signal ? { signal } : {}),
    pushed: () => pushed,
  }
}

describe('calls', () => {
  it('are pushed at once and answered', async () => {
    const { ring, calls, ask, pushed } = setUp()
    const answer = ask('show version')
    const [command] = ring.taken()
    assert.deepEqual(command?.args, ['show version'])
    assert.equal(pushed(), 1)
    ring.reply(7, command!.call, 0, Buffer.from('v1'))
    calls.wake()
    assert.equal(Buffer.from((await answer).bytes).toString(), 'v1')
  })

  it('wait for room in their order, and none overtakes', () => {
    const { ring, calls, ask } = setUp(1)
    for (const text of ['a', 'b', 'c']) void ask(text).catch(() => {})
    assert.deepEqual(
      ring.taken().map(c => c.args[0]),
      ['a'],
    )
    assert.equal(calls.waiting, true)
    // There is room again, but the host has not said so: a new call still queues behind the others.
    void ask('d').catch(() => {})
    assert.deepEqual(ring.taken(), [])
    calls.wake()
    assert.deepEqual(
      ring.taken().map(c => c.args[0]),
      ['b'],
    )
    ring.room = 10
    calls.wake()
    assert.deepEqual(
      ring.taken().map(c => c.args[0]),
      ['c', 'd'],
    )
    assert.equal(calls.waiting, false)
  })

  it('given up while they waited are never pushed', async () => {
    const { ring, calls, ask } = setUp(0)
    const controller = new AbortController()
    const lost = ask('lost', controller.signal)
    const kept = ask('kept')
    controller.abort(new Error('enough'))
    await assert.rejects(lost, /enough/)
    ring.room = 10
    calls.wake()
    const [command, ...more] = ring.taken()
    assert.deepEqual([command?.args[0], more.length], ['kept', 0])
    ring.reply(7, command!.call, 0)
    calls.wake()
    await kept
  })

  it('with an aborted signal are not even tried', async () => {
    const { ring, ask } = setUp()
    await assert.rejects(ask('x', AbortSignal.abort(new Error('before'))), /before/)
    assert.deepEqual(ring.taken(), [])
  })

  it('that the ring refuses reject with its reason, and hold nobody up', async () => {
    const { ring, calls, ask } = setUp(0)
    const refused = ask('')
    const fine = ask('fine')
    await assert.rejects(refused, /1 to 65536 bytes/)
    ring.room = 1
    calls.wake()
    const [command] = ring.taken()
    assert.equal(command?.args[0], 'fine')
    ring.reply(7, command!.call, 0)
    calls.wake()
    await fine
  })

  it('fail when the host goes away, waiting, pushed and later ones', async () => {
    const { calls, ask } = setUp(1)
    const all = [ask('pushed'), ask('waiting')]
    calls.end('gone fishing')
    all.push(ask('later'))
    for (const one of all) await assert.rejects(one, /gone fishing/)
  })
})
