// conformance.test.ts: one suite, two hosts, the same answers: what a coroutine sees must not depend on where its
// process node lives.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { root } from '../support/folder.js'
import { waitFor } from '../support/wait.js'
import { Daemon } from './daemon.js'
import { Peer } from './peer.js'
import { Standalone, standaloneHas } from './standalone.js'
import { needVpp, Vpp } from './vpp.js'

/** What the suite needs of a host. */
interface Host extends AsyncDisposable {
  readonly socket: string
  readonly running: boolean
  readonly output: string
  cli(command: string): Promise<string>
}

interface Line {
  type: string
  n?: string
  seq?: string
  redelivered?: boolean
  output?: string
  code?: string
  ms?: number
  taken?: boolean
}

function conformance(name: string, start: () => Promise<Host>, need: (suite: Mocha.Context) => void): void {
  describe(`conformance: ${name}`, function () {
    this.timeout(120_000)
    let host: Host
    before(async function () {
      need(this)
      host = await start()
    })
    after(async () => {
      await host?.[Symbol.asyncDispose]()
    })
    afterEach(() => assert.ok(host.running, host.output))

    /** The count of a counter in `show errors`. */
    async function counter(text: string): Promise<number> {
      const line = (await host.cli('show errors')).split('\n').find(l => l.includes(text))
      return Number(/\d+/.exec(line ?? '0')?.[0])
    }

    it('delivers events in order, numbered, and counts', async () => {
      await using daemon = new Daemon(host.socket, { events: { module: 'events.js' } })
      await daemon.running()
      for (let n = 1; n <= 5; n++) await daemon.send('events', 'number', { n: `${n}` })
      const lines = await waitFor('five events', () => {
        const all = daemon.lines<Line>('events')
        return all.length === 5 ? all : undefined
      })
      assert.deepEqual(
        lines.map(l => [l.type, l.n, l.seq, l.redelivered]),
        [1, 2, 3, 4, 5].map(i => ['number', `${i}`, `${i}`, false]),
      )
      await waitFor('the counter', async () => (await counter('events seen')) === 5)
    })

    it('runs timers, commands, packets and counters of a coroutine', async () => {
      await using daemon = new Daemon(host.socket, { ask: { module: 'ask.js' } })
      await daemon.running()
      await daemon.send('ask', 'sleep', { ms: 30 })
      await daemon.send('ask', 'count', { by: 41 })
      await daemon.send('ask', 'count', { by: 1 })
      await daemon.send('ask', 'packet', { bytes: 64 })
      await daemon.send('ask', 'packet', { bytes: 9216 })
      await daemon.send('ask', 'cli', { command: 'show version' })
      await daemon.send('ask', 'cli', { command: 'no such command' })
      const lines = await waitFor('all answers', () => {
        const all = daemon.lines<Line>('ask')
        return all.length === 6 ? all : undefined
      })
      assert.deepEqual(
        lines.map(l => l.type),
        ['started', 'slept', 'enqueued', 'enqueued', 'output', 'refused'],
      )
      assert.ok((lines[1]?.ms ?? 0) >= 30)
      assert.ok(lines[2]?.taken && lines[3]?.taken)
      assert.ok((lines[4]?.output ?? '').length > 0)
      assert.equal(lines[5]?.code, 'ERR_CLI')
      await waitFor('the counter', async () => (await counter('things asked')) === 42)
      assert.match(await host.cli('show corod node ask'), /attached/)
    })

    it('keeps the rules of time', async () => {
      await using daemon = new Daemon(host.socket, { rules: { module: 'rules.js' } })
      const lines = await waitFor('the rules', () => {
        const all = daemon.lines('rules')
        return all.length === 3 ? all : undefined
      })
      assert.deepEqual(lines, [
        { rule: 'sleep(0) ends', elapsed: true },
        { rule: 'timeout(0)', is: true, message: 'deadline has elapsed' },
        { rule: 'the timer came', events: true },
      ])
    })

    it('loses nothing when the daemon is killed, and marks what was in hand', async () => {
      await using daemon = new Daemon(host.socket, { ask: { module: 'ask.js' } })
      await daemon.running()
      await daemon.send('ask', 'sleep', { ms: 600_000 })
      for (let i = 0; i < 3; i++) await daemon.send('ask', 'packet', { bytes: 60 })
      await daemon.kill('SIGKILL')
      await waitFor('the host to notice', async () =>
        /no daemon is attached/.test(await host.cli('show corod attachment')),
      )
      assert.match(await host.cli('show corod nodes'), /ask\s+away/)

      using peer = await Peer.attach(host.socket)
      const codes = [1, 2, 3, 4, 5].map(code => ({ code, maxSize: 128 }))
      const counters = ['asked', 'said'].map(c => ({ name: c, text: c, severity: 'info' as const }))
      const node = await peer.node('ask', { codes, counters, next: ['error-drop'] })
      assert.equal(node.answer.carried, 4)
      const events = await node.got(4)
      assert.deepEqual(
        events.map(e => [e.type, e.flags & 1]),
        [
          [3, 1],
          [4, 0],
          [4, 0],
          [4, 0],
        ],
      )
    })

    it('refuses a second daemon with the first one’s pid', async () => {
      await using daemon = new Daemon(host.socket, { events: { module: 'events.js' } })
      await daemon.running()
      await assert.rejects(Peer.attach(host.socket), new RegExp(`BUSY: .*\\(process ${daemon.pid}\\)`))
      await using second = new Daemon(host.socket, { other: { module: 'events.js' } })
      await waitFor('the refusal', async () => {
        const { host } = (await second.corod('status')).json<{ host: { state: string } }>()
        return host.state === 'refused'
      })
    })

    it('its own command line asks a node, and tells the reply from every other end', async () => {
      const store = join(root, 'dist', 'tests', 'e2e', 'nodes', 'store.js')
      const daemon = new Daemon(host.socket, { store: { module: store, options: { gate: '/nowhere' } } })
      try {
        await daemon.running()
        /** Whether or not the host's program calls it a failure. */
        const ask = (command: string) => host.cli(`corod ask ${command}`).catch((error: Error) => error.message)
        const key = Buffer.alloc(16)
        key.write('k')
        assert.match(await ask('store 3 01000000'), /^01000000\n$/)
        assert.match(await ask(`store 2 ${key.toString('hex')}`), /store: the node refused: no key "k"/)
        assert.match(await ask('store 4'), /store: the node finished with the event and did not answer/)
        assert.match(await ask('store 3 10270000 within 0.05'), /store: no answer came in time/)
        assert.match(await ask('store 6'), /store: the node ended before it answered/)
        assert.match(await ask('store 99'), /store: the node declares no such message/)
        assert.match(await ask('nobody 1'), /nobody: no such node/)
        const waiting = ask('store 5 01000000 within 60')
        await waitFor('the event in hand', () => /holds 1 true/.test(daemon.output))
        await daemon.kill('SIGKILL')
        assert.match(await waiting, /store: the node ended before it answered/)
      } finally {
        await daemon[Symbol.asyncDispose]()
      }
    })

    it('keeps a node whose daemon lets go of it, and changes it in place', async () => {
      using peer = await Peer.attach(host.socket)
      const counters = (...names: string[]) =>
        names.map(name => ({ name, text: `${name} of changed`, severity: 'info' as const }))
      const first = await peer.node('changed', { counters: counters('one', 'two') })
      await peer.ready()
      first.count(0, 3)
      first.count(1, 5)
      await host.cli('corod send changed 1 01')
      await first.got(1)
      await peer.remove(first, 'keep')
      assert.match(await host.cli('show corod nodes'), /changed\s+away/)
      assert.match(await host.cli('corod send changed 1 02'), /accepted as 2/)
      await assert.rejects(peer.node('changed', { next: ['nowhere'], counters: counters('three') }), /NEXT_UNKNOWN/)
      assert.match(await host.cli('corod send changed 1 03'), /accepted as 3/)

      const ask = { next: ['ip4-lookup', 'error-drop'], counters: counters('three', 'two') }
      const second = await peer.node('changed', ask)
      assert.equal(second.answer.carried, 2)
      assert.equal(second.index, first.index)
      assert.equal(second.answer.generation, first.answer.generation)
      await host.cli('corod send changed 1 04')
      const events = await second.got(3)
      assert.deepEqual(
        events.map(e => [e.payload.toString('hex'), Number(e.seq), e.flags & 1]),
        [
          ['02', 2, 0],
          ['03', 3, 0],
          ['04', 4, 0],
        ],
      )
      assert.equal((await second.enqueue(1, Buffer.alloc(60))).status, 'OK')
      second.count(0, 1)
      second.count(1, 2)
      await waitFor('the new counter', async () => (await counter('three of changed')) === 1)
      await waitFor('the counter that stayed', async () => (await counter('two of changed')) === 7)
      assert.equal(await counter('one of changed'), 0)
    })

    it('parks a node whose daemon closes it, until its name is registered again', async () => {
      using peer = await Peer.attach(host.socket)
      const first = await peer.node('idle', { eventRing: 4096 })
      await peer.ready()
      const removed = await peer.remove(first, 'park')
      assert.equal(removed.kind === 'removed' && removed.discarded, 0)
      assert.match(await host.cli('show corod nodes'), /idle\s+parked/)
      assert.match(await host.cli('corod send idle 1 01').catch((error: Error) => error.message), /closed to senders/)
      const second = await peer.node('idle')
      assert.equal(second.index, first.index)
      await host.cli('corod send idle 1 02')
      assert.equal((await second.got(1))[0]?.payload.toString('hex'), '02')
    })

    it('a node that returned, or that restart gives up, stays: idle, closed, until a daemon starts it again', async () => {
      const nodes = {
        done: { module: 'returns.js', restart: 'never' },
        given: { module: 'returns.js', restart: 'never' },
        other: { module: 'returns.js', restart: 'never' },
      }
      await using daemon = new Daemon(host.socket, nodes)
      await daemon.running()
      await daemon.send('done', 'end')
      await daemon.send('given', 'fail')
      const states = async () => {
        const ran = await daemon.corod('nodes')
        return ran.json<{ name: string; state: string }[]>().map(node => `${node.name} ${node.state}`)
      }
      await waitFor('both to end', async () => {
        assert.deepEqual(await states(), ['done idle', 'given stopped', 'other running'])
        return true
      })
      for (const name of ['done', 'given']) {
        await waitFor(`${name} to be parked`, async () =>
          new RegExp(`\\b${name} +parked`).test(await host.cli('show corod nodes')),
        )
        assert.match(
          await host.cli(`corod send ${name} 1 00`).catch((error: Error) => error.message),
          /closed to senders/,
        )
        assert.match((await daemon.corod('send', name, 'number', '{"n": "1"}')).stderr, /"code":"CLOSED"/)
      }
      // Its last count was not lost, and its process node is there.
      await waitFor('the counts', async () => (await counter('seen by one that returns')) > 0)
      if (name === 'VPP') assert.match(await host.cli('show runtime'), /^done +"event wait"/m)
      await daemon.send('other', 'number', { n: '1' })

      await daemon.restart()
      await daemon.running()
      await daemon.send('done', 'number', { n: '7' })
      await waitFor('the event of the new life', () => daemon.lines<Line>('done').at(-1)?.n === '7')
    })

    it('answers what a daemon must not ask', async () => {
      using peer = await Peer.attach(host.socket)
      const node = await peer.node('asker', {
        next: ['error-drop'],
        counters: [{ name: 'c', text: 'c', severity: 'info' }],
      })
      await peer.ready()
      const packet = new Uint8Array(60)
      assert.equal((await node.enqueue(1, packet)).status, 'NEXT_UNKNOWN')
      assert.equal((await node.enqueue(0, packet)).status, 'OK')
      assert.equal((await node.enqueue(0, packet, 0xffffffff, 0xffffffff, 0xffffffff)).status, 'UNSUPPORTED')
      assert.equal((await node.signal('nobody', 1n, 1n)).status, 'NOT_LISTED')
      assert.equal((await node.signal('../etc', 1n, 1n)).status, 'MALFORMED')
      const send = (slot: number, generation: number, type: number, bytes: number) =>
        peer.command((e, call) => e.send(0, call, slot, generation, type, new Uint8Array(bytes)))
      const { slot, generation } = node.answer
      assert.equal((await send(slot, generation, 1, 4096)).status, 'OK')
      assert.equal((await send(slot, generation, 2, 1)).status, 'TYPE_UNKNOWN')
      assert.equal((await send(slot, generation, 0xffff0001, 99)).status, 'TYPE_UNKNOWN')
      assert.equal((await send(slot, generation, 1, 4097)).status, 'TOO_BIG')
      assert.equal((await send(slot, generation + 1, 1, 1)).status, 'NODE_UNKNOWN')
      assert.equal((await send(4095, 1, 1, 1)).status, 'NODE_UNKNOWN')
      for (const name of ['with space', 'per%cent', 'a/b', ''])
        await assert.rejects(async () => peer.node(name), /NAME_INVALID|1 to 63/, name)
      await assert.rejects(peer.node('asker'), /NAME_TAKEN/)
      await peer.remove(node)
      const again = await peer.node('asker')
      assert.equal((await send(slot, generation, 1, 1)).status, 'STALE')
      assert.equal((await send(again.slot, again.answer.generation, 1, 1)).status, 'OK')
      await assert.rejects(peer.node('x', { next: ['nowhere'] }), /NEXT_UNKNOWN/)
    })
  })
}

conformance(
  'standalone host',
  () => Standalone.start(),
  () => {},
)
conformance(
  'standalone host under sanitizers',
  () => Standalone.start('sanitized'),
  suite => {
    if (!standaloneHas('sanitized')) suite.skip()
  },
)
conformance(
  'VPP',
  () => Vpp.start(),
  suite => needVpp(suite),
)
