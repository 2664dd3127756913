// What a node sends to its peers: order, peers that are not there yet, and what each outcome means to it.
import assert from 'node:assert/strict'
import { setMaxListeners } from 'node:events'
import { describe, it } from 'mocha'
import { SendError } from '../../../daemon/host/report.js'
import { Calls } from '../../../daemon/host/slots/calls.js'
import { Directory, type Target } from '../../../daemon/host/slots/directory.js'
import { PeerSender } from '../../../daemon/host/slots/peers.js'
import { statuses } from '../../../shm/ring.js'
import { fakeExecutor, turn } from '../fake-ring.js'

const numberOf = (name: string) => statuses.find(status => status.name === name)!.code
const signal = new AbortController().signal
setMaxListeners(0, signal)

function setUp(places: Record<string, Target | undefined> = { db: { slot: 9, generation: 4 } }) {
  const { ring, executor } = fakeExecutor()
  const calls = new Calls(executor, 3, () => {})
  const directory = new Directory(name => {
    if (!(name in places)) throw new SendError('CLOSED', `node ${name} has ended`)
    return places[name]
  })
  const peers = new PeerSender(executor, 3, calls, directory, ['db', 'gone'])
  const send = (n: number, aborted: AbortSignal = signal) => peers.send(0, 7, Uint8Array.of(n), aborted)
  const ask = (ms = 500) => peers.ask(0, 8, Uint8Array.of(1), ms, signal)
  /** Answers the last call with its event's place and some text. */
  const answer = (status: string, text = '', seq: bigint | null = 5n) => {
    const place = Buffer.alloc(seq === null ? 0 : 8)
    if (seq !== null) new DataView(place.buffer, place.byteOffset).setBigUint64(0, seq, true)
    const call = ring.commands.at(-1)!.call
    ring.reply(3, call, numberOf(status), Buffer.concat([place, Buffer.from(text)]))
    calls.wake()
  }
  return { ring, calls, directory, places, send, ask, answer, peers }
}

describe('peers of a node', () => {
  it('sends on its own slot to where the peer is, and gets the place', async () => {
    const { ring, send, answer } = setUp()
    const sent = send(1)
    assert.deepEqual(ring.commands, [{ slot: 3, op: 'send', call: 1, args: [9, 4, 7, Uint8Array.of(1), 0] }])
    answer('OK')
    assert.equal(await sent, 5n)
    // Dropped by the peer's policy, it has a place all the same.
    const dropped = send(2)
    answer('FULL', '', 6n)
    assert.equal(await dropped, 6n)
  })

  it('asks for so long, and gets the bytes of the reply', async () => {
    const { ring, ask, answer } = setUp()
    const asked = ask(250)
    assert.deepEqual(ring.commands[0]?.args, [9, 4, 8, Uint8Array.of(1), 250])
    answer('OK', 'reply')
    assert.equal(Buffer.from(await asked).toString(), 'reply')
  })

  const failures: [string, string, bigint | null, object][] = [
    ['REFUSED', 'größer', 5n, { code: 'ERR_REFUSED', node: 'db', reason: 'größer' }],
    ['TIMEOUT', '', 5n, { code: 'ERR_TIMEOUT' }],
    ['UNANSWERED', '', 5n, { code: 'ERR_UNANSWERED', node: 'db' }],
    ['DIED', '', 5n, { code: 'ERR_PEER_DIED', node: 'db' }],
    ['FULL', '', null, { code: 'ERR_UNDELIVERED', node: 'db', status: 'FULL' }],
    ['FULL', '', 5n, { code: 'ERR_UNDELIVERED', node: 'db', status: 'FULL' }],
    ['LIMIT', '', null, { code: 'ERR_UNDELIVERED', status: 'LIMIT' }],
    ['STALE', '', null, { code: 'ERR_UNDELIVERED', status: 'CLOSED' }],
    ['TOO_BIG', '', null, { code: 'ERR_UNDELIVERED', status: 'TOO_BIG' }],
  ]
  for (const [status, text, seq, error] of failures) {
    it(`a call that ends with ${status}${seq === null ? '' : ' and a place'}: ${Object.values(error)}`, async () => {
      const { ask, answer } = setUp()
      const asked = ask()
      answer(status, text, seq)
      await assert.rejects(asked, error)
    })
  }

  it('a send that finds no room is told', async () => {
    const { send, answer } = setUp()
    const sent = send(1)
    answer('FULL', '', null)
    await assert.rejects(sent, { code: 'ERR_UNDELIVERED', status: 'FULL' })
  })

  it('events for a peer that is being registered wait, in their order, and none overtakes', async () => {
    const { ring, directory, places, send } = setUp({ db: undefined })
    void send(1)
    void send(2)
    await turn()
    assert.equal(ring.commands.length, 0)
    places.db = { slot: 9, generation: 4 }
    directory.settle('db')
    void send(3)
    Promise.resolve().then(() => void send(4))
    await turn()
    void send(5)
    const order = () => ring.commands.map(({ args }) => (args[3] as Uint8Array)[0])
    await turn()
    assert.deepEqual(order(), [1, 2, 3, 4, 5])
  })

  it('a peer that will not be registered, and one that has ended', async () => {
    const { directory, places, send, peers } = setUp({ db: undefined })
    const sent = send(1)
    delete places.db
    directory.settle('db')
    await assert.rejects(sent, { code: 'ERR_UNDELIVERED', status: 'CLOSED', message: /has ended/ })
    await assert.rejects(peers.send(1, 7, new Uint8Array(1), signal), { status: 'CLOSED', node: 'gone' })
    places.db = undefined
    const still = send(2)
    directory.settleAll()
    await assert.rejects(still, { status: 'UNREGISTERED' })
  })

  it('a caller that gives up while it waits for the peer sends nothing', async () => {
    const { ring, directory, places, send } = setUp({ db: undefined })
    const abort = new AbortController()
    const sent = send(1, abort.signal)
    void send(2)
    abort.abort(new Error('enough'))
    await assert.rejects(sent, /enough/)
    places.db = { slot: 9, generation: 4 }
    directory.settle('db')
    await turn()
    assert.deepEqual(
      ring.commands.map(({ args }) => (args[3] as Uint8Array)[0]),
      [2],
    )
  })

  it('an attachment that ends is told, and may have delivered', async () => {
    const { calls, ask } = setUp()
    const asked = ask()
    calls.end('the host is gone')
    await assert.rejects(asked, { status: 'HOST_AWAY', message: /may or may not be in the queue/ })
  })
})
