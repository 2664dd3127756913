// Events that are answered, and nodes that send to nodes, through all the programs.
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { ControlError } from '../../daemon/control/client.js'
import { Folder, root } from '../support/folder.js'
import { Program } from '../support/program.js'
import { corod, startDaemon, startStandalone } from '../support/service.js'
import { waitFor } from '../support/wait.js'
import { executors, placed, recorded, recorder } from './records.js'

const nodes = `${root}/dist/tests/e2e/nodes`

function yamlOf(folder: Folder, more = ''): string {
  return `nodes:
  store:
    module: ${nodes}/store.js
    options: { gate: ${folder.at('gate')} }
    restart: { policy: on-failure, min: 1ms, crash-loop: { count: 100 } }
  a: { module: ${nodes}/asker.js, peers: { other: b, sink: rec }, queue: { backlog: 16, ring: 4KiB } }
  b: { module: ${nodes}/asker.js, peers: { other: a, sink: rec }, queue: { backlog: 16, ring: 4KiB } }
  rec:
    module: ${recorder}
    options: { file: ${folder.at('rec.ndjson')} }
    queue: { backlog: 20000 }
${more}`
}

/** The code with which a call fails, and what it says. */
async function failure(work: Promise<unknown>): Promise<[string, string]> {
  const error = await work.then(
    () => assert.fail('it was answered'),
    error => error,
  )
  assert.ok(error instanceof ControlError, String(error))
  return [error.code, error.body?.detail ?? error.message]
}

for (const executor of executors)
  describe(`end to end: calls, on ${executor}`, function () {
    this.timeout(60_000)

    it('the control socket and the command line get the reply, or why there is none', async () => {
      using folder = new Folder()
      await using _host = await startStandalone(folder)
      await using daemon = startDaemon(folder, placed(executor, yamlOf(folder)))
      await daemon.running()
      const { client } = daemon
      await client.send('store', { type: 'put', key: 'k', value: 'größe' })
      const { seq, reply } = await client.ask('store', { type: 'get', key: 'k' }, 5000)
      assert.deepEqual([seq, reply], ['2', { value: 'größe', size: String(2n ** 64n - 5n), raw: 'Z3LDtsOfZQ==' }])
      assert.deepEqual(await failure(client.ask('store', { type: 'get', key: 'x' }, 5000)), ['REFUSED', 'no key "x"'])
      assert.equal((await failure(client.ask('store', { type: 'ignore' }, 5000)))[0], 'UNANSWERED')
      assert.equal((await failure(client.ask('store', { type: 'fail' }, 5000)))[0], 'DIED')
      assert.equal((await failure(client.ask('store', { type: 'wreck', ms: 20 }, 5000)))[0], 'DIED')
      assert.equal((await failure(client.ask('store', { type: 'put', key: 'a', value: 'b' }, 5000)))[0], 'NO_REPLY')
      assert.equal((await failure(client.ask('store', { type: 'get', key: 5 }, 5000)))[0], 'INVALID')
      assert.equal((await failure(client.ask('store', { type: 'slow', ms: 5000 }, 30)))[0], 'TIMEOUT')

      // A deferred answer holds nobody up, and a call that is only sent is an event like any other.
      const slow = client.ask('store', { type: 'slow', ms: 300 }, 5000)
      await client.send('store', { type: 'get', key: 'k' })
      assert.deepEqual((await client.ask('store', { type: 'slow', ms: 1 }, 5000)).reply, { ms: 1 })
      assert.deepEqual((await slow).reply, { ms: 300 })

      const send = (...args: string[]) => corod(['--socket', daemon.socket, 'send', ...args])
      await client.send('store', { type: 'put', key: 'k', value: 'v' })
      const answers: [string[], number, RegExp][] = [
        [
          ['--wait', 'store', 'get', '{"key": "k"}'],
          0,
          /^\{"value":"v","size":"18446744073709551615","raw":"dg=="\}\n$/,
        ],
        [['store', 'get', '{"key": "x"}', '--wait=5000'], 1, /no key "x"/],
        [['store', 'ignore', '--wait'], 1, /did not answer/],
        [['store', 'fail', '--wait'], 69, /ended before it answered/],
        [['store', 'slow', '{"ms": 5000}', '--wait=20'], 75, /no answer came in time/],
        [['store', 'put', '{"key": "k", "value": "w"}', '--wait'], 1, /declares no reply/],
      ]
      for (const [args, code, text] of answers) {
        const ended = await send(...args)
        assert.equal(ended.code, code, ended.stderr)
        assert.match(ended.stdout + ended.stderr, text)
      }
    })

    it("the host's command line asks, too; a daemon that dies with the event in hand is told apart", async () => {
      using folder = new Folder()
      await using host = await startStandalone(folder)
      const ask = (...args: string[]) => {
        const all = ['--cli', folder.at('cli.sock'), 'corod', 'ask', ...args]
        return new Program(`${root}/build/release/corod-standalone`, all)
      }
      {
        await using daemon = startDaemon(folder, placed(executor, yamlOf(folder)))
        await daemon.running()
        await using refused = ask('store', '2', '78'.padEnd(32, '0'))
        assert.equal((await refused.exit).code, 1)
        assert.equal(refused.stdout, 'store: the node refused: no key "x"\n')
        await using late = ask('store', '3', '10270000', 'within', '0.02')
        assert.equal((await late.exit).code, 1)
        assert.equal(late.stdout, 'store: no answer came in time\n')
        await using slow = ask('store', '3', '01000000')
        assert.deepEqual([await slow.exit, slow.stdout], [{ code: 0, signal: null }, '01000000\n'])
        await using inHand = ask('store', '5', '01000000', 'within', '50')
        await daemon.logged('the first in hand', line => line.msg === 'holds 1 true false')
        await using waiting = ask('store', '5', '02000000', 'within', '50')
        await waitFor('the second', async () => /accepted 5,/.test(await host.cli('show corod node store')))
        await daemon.program.kill('SIGKILL')
        assert.equal((await inHand.exit).code, 1)
        assert.equal(inHand.stdout, 'store: the node ended before it answered\n')

        folder.write('gate', '')
        await using again = startDaemon(folder, placed(executor, yamlOf(folder)))
        // The first one comes again, and nobody waits for it; who asked the second one waits still.
        assert.deepEqual([await waiting.exit, waiting.stdout], [{ code: 0, signal: null }, '02000000\n'])
        await again.logged('the first one', line => line.msg === 'holds 1 false true')
        await again.logged('the second one', line => line.msg === 'holds 2 true false')
      }
      assert.match(await host.cli('show corod'), /asked 5, answered 3, not in time 1, waiting 0/)
      await using nobody = ask('nobody', '1')
      assert.equal((await nobody.exit).code, 1)
    })

    it('a node gets the answers of another one, each kind told apart', async () => {
      using folder = new Folder()
      await using _host = await startStandalone(folder)
      await using daemon = startDaemon(folder, placed(executor, yamlOf(folder)))
      await daemon.running()
      const ask = async (what: string, key = '', ms = 5000) =>
        (await daemon.client.ask('a', { type: 'ask', what, key, ms }, 9000)).reply.said
      assert.equal(await ask('put', 'k'), '1')
      assert.equal(await ask('get', 'k'), 'from a node 18446744073709551605 from a n')
      assert.equal(await ask('slow', '20'), '20')
      assert.equal(await ask('get', 'x'), 'ERR_REFUSED no key "x"')
      assert.equal(await ask('ignore'), 'ERR_UNANSWERED')
      assert.equal(await ask('fail'), 'ERR_PEER_DIED')
      assert.equal(await ask('slow', '5000', 20), 'ERR_TIMEOUT')
      assert.equal(await ask('aborted', '', 20), 'TimeoutError')
      // One failure disturbs nothing that follows; what the node said before it failed is gone with its life.
      assert.equal(await ask('get', 'k'), 'ERR_REFUSED no key "k"')
    })

    it('what a node sends arrives complete and in its order, however small the rings', async () => {
      using folder = new Folder()
      await using _host = await startStandalone(folder)
      await using daemon = startDaemon(folder, placed(executor, yamlOf(folder)))
      await daemon.running()
      // From the first moment on: the order holds for events that wait for their peer to be registered, too.
      const floods = ['a', 'b'].map((name, i) =>
        daemon.client.ask(name, { type: 'flood', from: i * 100_000, to: i * 100_000 + 4999 }, 30_000),
      )
      for (const { reply } of await Promise.all(floods)) assert.deepEqual(reply, { full: 0 })
      const events = await waitFor('all of them', () =>
        recorded(folder).length === 10_000 ? recorded(folder) : undefined,
      )
      assert.deepEqual(
        events.map(event => event.seq),
        Array.from({ length: 10_000 }, (_, i) => String(i + 1)),
      )
      for (const first of [0, 100_000]) {
        const numbers = events.map(event => Number(event.n)).filter(n => n >= first && n < first + 100_000)
        assert.deepEqual(
          numbers,
          Array.from({ length: 5000 }, (_, i) => first + i),
        )
      }
    })

    it('two nodes that flood each other do not lock: what does not fit is told, and both go on', async () => {
      using folder = new Folder()
      await using _host = await startStandalone(folder)
      await using daemon = startDaemon(folder, placed(executor, yamlOf(folder)))
      await daemon.running()
      const balls = async (name: string) =>
        (await daemon.client.ask(name, { type: 'balls' }, 30_000).catch(() => ({ reply: { seen: 0, full: 0 } })))
          .reply as {
          seen: number
          full: number
        }
      for (let i = 0; i < 5; i++)
        for (const name of ['a', 'b']) await daemon.client.send(name, { type: 'ball', hops: 12 }).catch(() => {})
      let before = -1
      const [a, b] = await waitFor('the last ball', async () => {
        const [a, b] = await Promise.all([balls('a'), balls('b')])
        const sum = a.seen + b.seen + a.full + b.full
        const still = sum === before
        before = sum
        return still ? [a, b] : undefined
      })
      assert.ok(a.full + b.full > 0, 'the queues were full at times')
      assert.ok(a.seen > 10 && b.seen > 10)
    })

    it('two nodes that call each other in a circle end by their timeouts, and go on', async () => {
      using folder = new Folder()
      await using _host = await startStandalone(folder)
      await using daemon = startDaemon(folder, placed(executor, yamlOf(folder)))
      await daemon.running()
      const circle = async (depth: number) =>
        (await daemon.client.ask('a', { type: 'circle', depth }, 20_000)).reply.said
      assert.equal(await circle(1), '(end)')
      // a waits for b, which waits for a: b gives up, and says so to a.
      assert.equal(await circle(2), '(ERR_TIMEOUT)')
      assert.equal(await circle(1), '(end)')
      const both = ['a', 'b'].map(name => daemon.client.ask(name, { type: 'circle', depth: 1 }, 20_000))
      for (const { reply } of await Promise.all(both)) assert.match(String(reply.said), /^(\(end\)|ERR_TIMEOUT)$/)
      assert.equal(await circle(1), '(end)')
    })

    it('a peer that is not there is found before anything runs, with its place', async () => {
      using folder = new Folder()
      const config = folder.write(
        'c.yaml',
        yamlOf(folder).replace('other: b', 'other: store').replace('sink: rec', 'sink: rac'),
      )
      const { code, stderr } = await corod(['check', '-c', config])
      assert.equal(code, 78)
      assert.match(stderr, /c\.yaml:6:\d+: nodes\.a\.peers\.sink: .*"rac", and there is none; did you mean "rec"\?/)
      assert.match(stderr, /nodes\.a\.peers\.other: node "store" cannot be its peer "other": it has no message "ask"/)
    })
  })
