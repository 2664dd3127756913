import assert from 'node:assert/strict'
import { Attachment } from '../../../daemon/host/attachment/attachment.js'
import { HostAwayError, type Session } from '../../../daemon/host/attachment/session.js'
import { RingError } from '../../../shm/ring.js'
import { Folder } from '../../support/folder.js'
import { waitFor } from '../../support/wait.js'
import { Lines } from '../fake-config.js'
import { FakeHost, noSocket } from '../fake-link.js'
import { turn } from '../fake-ring.js'

const ask = {
  name: 'n',
  executor: 0,
  overflow: 'reject',
  next: [],
  counters: [],
  codes: [],
} as const

describe('attachment', () => {
  let attachment: Attachment | undefined
  afterEach(() => attachment?.stop())

  function setUp(more: { min?: number; max?: number; socket?: string; pingTimeout?: number; signals?: string[] } = {}) {
    const host = new FakeHost()
    const log = new Lines()
    const events: string[] = []
    const sessions: Session[] = []
    const { min = 1, max = 5, socket = '/nowhere/host.sock', pingTimeout = 5000, signals = [] } = more
    attachment = new Attachment(
      { host: { socket, reconnect: { min, max }, pingInterval: 2, pingTimeout }, signals, program: 'corod-x' },
      host.open,
      log,
      {
        attached: session => {
          sessions.push(session)
          events.push('attached')
        },
        lost: reason => events.push(`lost: ${reason}`),
        changed: () => {},
      },
    )
    const made = attachment
    const connected = (n = 1) => waitFor(`attachment ${n}`, () => events.filter(e => e === 'attached').length === n)
    return { host, log, events, sessions, attachment: made, connected }
  }

  it('says hello, opens the executor, and tells who the host is', async () => {
    const { host, attachment, connected, sessions } = setUp()
    attachment.start()
    await connected()
    assert.deepEqual(host.last.program, ['corod-x'])
    assert.equal(host.last.asked[0]?.kind, 'executor')
    const { state, name, release, pid, epoch, attachments } = attachment.report()
    assert.deepEqual([state, name, release, pid, epoch, attachments], ['connected', 'fake', '1.2', 4711, 'abc', 1])
    assert.equal(attachment.session, sessions[0])
  })

  it('lists the process nodes that may be signalled before it is attached', async () => {
    const { host, attachment, connected } = setUp({ signals: ['dhcp-client-process'] })
    attachment.start()
    await connected()
    assert.deepEqual(host.last.asked[1]?.what, 'dhcp-client-process')
  })

  it('tries for ever while nobody is there, and says why once', async () => {
    const { host, log, attachment, connected } = setUp()
    host.absent = noSocket
    attachment.start()
    await waitFor('some attempts', () => host.attempts > 4)
    assert.deepEqual([attachment.state, log.lines.length], ['connecting', 1])
    assert.match(log.lines[0]!, /no host at \/nowhere\/host\.sock: it is not running/)
    assert.throws(() => attachment.session, HostAwayError)
    host.absent = undefined
    await connected()
  })

  it('says what to do about a socket it may not use', async () => {
    const { host, attachment } = setUp()
    host.absent = new RingError('EACCES', 'permission denied')
    attachment.start()
    assert.match(attachment.report().lastError!, /no permission to use/)
  })

  it('finds a new host at once, whatever the back-off', async () => {
    using folder = new Folder()
    const { host, attachment, connected } = setUp({ min: 3_600_000, max: 3_600_000, socket: folder.at('host.sock') })
    host.absent = noSocket
    attachment.start()
    host.absent = undefined
    folder.write('other', '')
    folder.write('host.sock', '')
    await connected()
  })

  it('attaches again when the host goes away', async () => {
    const { host, events, attachment, connected, log } = setUp()
    attachment.start()
    await connected()
    host.last.die()
    assert.deepEqual(events, ['attached', 'lost: the host closed the connection'])
    assert.equal(attachment.report().pid, undefined)
    await connected(2)
    assert.equal(attachment.report().attachments, 2)
    assert.deepEqual(
      log.lines.filter(line => line.startsWith('warn')),
      ['warn: lost the host: the host closed the connection'],
    )
  })

  it('is refused by a host with another daemon, and asks again', async () => {
    const { host, attachment, connected } = setUp()
    host.prepare = link => {
      link.silent = true
      setImmediate(() =>
        link.on.message({
          kind: 'refused',
          status: 'BUSY',
          min: 1,
          max: 1,
          pid: 99,
          text: 'another daemon is attached',
        }),
      )
    }
    attachment.start()
    await waitFor('a refusal', () => attachment.state === 'refused')
    assert.match(attachment.report().lastError!, /another daemon is attached \(process 99\)/)
    assert.ok(host.links[0]!.closed > 0)
    host.prepare = () => {}
    await connected()
    assert.equal(attachment.state, 'connected')
  })

  it('is refused by a host of another version, and says both', async () => {
    const { host, attachment } = setUp()
    host.prepare = link => {
      link.silent = true
      setImmediate(() =>
        link.on.message({
          kind: 'refused',
          status: 'VERSION',
          min: 7,
          max: 8,
          pid: 0,
          text: 'no common version: 1 to 1',
        }),
      )
    }
    attachment.start()
    await waitFor('a refusal', () => attachment.state === 'refused')
    assert.match(attachment.report().lastError!, /1 to 1 \(the host speaks 7 to 8\)/)
  })

  it('repeats nothing of what the refusal says itself', async () => {
    const says = async (refusal: { status: 'VERSION' | 'BUSY'; pid: number; text: string }) => {
      const { host, attachment } = setUp()
      host.prepare = link => {
        link.silent = true
        setImmediate(() => link.on.message({ kind: 'refused', min: 1, max: 2, ...refusal }))
      }
      attachment.start()
      await waitFor('a refusal', () => attachment.state === 'refused')
      attachment.stop()
      return attachment.report().lastError?.split(' refused: ')[1]
    }
    const busy = 'a daemon is attached already: process 42'
    assert.equal(await says({ status: 'BUSY', pid: 42, text: busy }), busy)
    assert.equal(await says({ status: 'BUSY', pid: 4, text: busy }), `${busy} (process 4)`)
    const version = 'no common version: the daemon speaks 7 to 8, the host 1 to 2'
    assert.equal(await says({ status: 'VERSION', pid: 0, text: version }), version)
  })

  it('gives up a host that takes the connection and says nothing', async () => {
    const { host, attachment, connected } = setUp({ pingTimeout: 20 })
    host.prepare = link => {
      link.silent = true
    }
    attachment.start()
    await waitFor('a second attempt', () => host.attempts > 1)
    assert.match(attachment.report().lastError!, /did not answer/)
    assert.ok(host.links[0]!.closed > 0)
    host.prepare = () => {}
    await connected()
  })

  it('calls a host stalled that does not answer, and sound when it does', async () => {
    const { host, attachment, connected, events, log } = setUp({ pingTimeout: 30 })
    attachment.start()
    await connected()
    await waitFor('a ping', () => host.last.asked.some(({ kind }) => kind === 'ping'))
    host.last.silent = true
    await waitFor('the stall', () => attachment.state === 'stalled')
    assert.match(attachment.report().lastError!, /no sign of life/)
    const { asked } = host.last
    host.last.silent = false
    host.last.say({ kind: 'pong', call: asked.findLast(({ kind }) => kind === 'ping')!.call })
    await waitFor('the recovery', () => attachment.state === 'connected')
    assert.deepEqual(events, ['attached'])
    assert.ok(log.lines.includes('info: the host answers again'))
  })

  it('does not take the time in which this process itself was held up for silence of the host', async () => {
    const { host, attachment, connected, log } = setUp({ pingTimeout: 30 })
    attachment.start()
    await connected()
    const pings = () => host.last.asked.filter(({ kind }) => kind === 'ping').length
    for (let round = 0; round < 3; round++) {
      const before = pings()
      await waitFor('a ping', () => pings() > before)
      const end = performance.now() + 120
      while (performance.now() < end); // a coroutine that computes
    }
    const before = pings()
    await waitFor('more pings', () => pings() > before + 2)
    assert.equal(attachment.state, 'connected')
    assert.ok(!log.lines.some(line => line.includes('stalled')), log.lines.join('\n'))
  })

  it('takes other intervals while it is attached, and more nodes that may be signalled', async () => {
    const { host, attachment, connected } = setUp({ min: 1, max: 20 })
    attachment.start()
    await connected()
    const signals = () => host.last.asked.filter(({ kind }) => kind === 'signal').map(({ what }) => what)
    const before = signals()
    const settings = { reconnect: { min: 1, max: 5 }, pingInterval: 10, pingTimeout: 1000 }
    attachment.adjust(settings, [...before.map(String), 'dhcp-client-process'])
    assert.deepEqual(signals(), [...before, 'dhcp-client-process'])
    const pings = () => host.last.asked.filter(({ kind }) => kind === 'ping').length
    const asked = pings()
    await waitFor('pings at the new pace', () => pings() > asked + 3)
    // The next attachment begins with them.
    host.last.die()
    await waitFor('the next attachment', () => host.links.length === 2 && attachment.state === 'connected')
    assert.deepEqual(signals(), [...before, 'dhcp-client-process'])
    attachment.adjust(settings, [])
    assert.deepEqual(signals(), [...before, 'dhcp-client-process'])
  })

  it('fails every question when the host goes away, and later ones', async () => {
    const { host, attachment, connected, sessions } = setUp({ min: 3_600_000, max: 3_600_000 })
    attachment.start()
    await connected()
    host.last.silent = true
    const asked = [sessions[0]!.register(ask), sessions[0]!.ready(), sessions[0]!.remove(1, 5, 'discard')]
    const all = Promise.allSettled(asked)
    host.last.die('gone')
    for (const result of await all) {
      assert.ok(
        result.status === 'rejected' && result.reason instanceof HostAwayError && result.reason.message === 'gone',
      )
    }
    await assert.rejects(sessions[0]!.ready(), HostAwayError)
  })

  it('tells what the host says to a registration', async () => {
    const { host, attachment, connected, sessions } = setUp()
    attachment.start()
    await connected()
    assert.equal((await sessions[0]!.register(ask)).slot, 1)
    host.last.silent = true
    const refused = sessions[0]!.register(ask)
    const { call } = host.last.asked.at(-1)!
    host.last.say({ kind: 'failed', call, status: 'NEXT_UNKNOWN', text: 'no such next node: x' })
    await assert.rejects(refused, { status: 'NEXT_UNKNOWN', message: 'no such next node: x' })
  })

  it('ends when the host breaks the contract, and starts afresh', async () => {
    const { events, attachment, connected, sessions } = setUp()
    attachment.start()
    await connected()
    sessions[0]!.executor.fault(new Error('malformed record'))
    await connected(2)
    assert.equal(events[1], 'lost: the host broke the contract: malformed record')
  })

  it('stops: closes, and tries no more', async () => {
    const { host, events, attachment, connected } = setUp()
    attachment.start()
    await connected()
    attachment.stop()
    assert.ok(host.last.closed > 0)
    host.last.die('later')
    await turn()
    assert.deepEqual([host.attempts, events], [1, ['attached']])
  })
})
