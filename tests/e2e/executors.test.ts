// Executors on worker threads: what a node there does to itself, nobody else notices.
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import type { NodeReport } from '../../daemon/host/report.js'
import { Folder, root } from '../support/folder.js'
import { type RunningDaemon, startDaemon, startStandalone } from '../support/service.js'
import { waitFor } from '../support/wait.js'

const trouble = `${root}/tests/e2e/nodes/trouble.ts`
const restart = 'restart: { min: 10ms, max: 100ms, crash-loop: { count: 2 } }'

/** `nodes`: name to executor. */
function yaml(nodes: Readonly<Record<string, string>>, executors = ''): string {
  const entries = Object.entries(nodes).map(
    ([name, executor]) => `  ${name}: { module: ${trouble}, executor: ${executor}, ${restart}, grace: 300ms }\n`,
  )
  return `${executors}nodes:\n${entries.join('')}`
}

async function ping(daemon: RunningDaemon, node: string, n = 1): Promise<number> {
  const { reply } = await daemon.client.ask(node, { type: 'ping', n }, 10_000)
  return Number(reply.n)
}

async function report(daemon: RunningDaemon, node: string): Promise<NodeReport> {
  return (await daemon.client.nodes()).find(one => one.name === node) as NodeReport
}

const logged = (what: string) => (line: Record<string, unknown>) => String(line.msg).includes(what)

describe('end to end: executors', function () {
  this.timeout(60_000)

  it('a node that spins hurts its own executor only, is named with its line, and gets its event again', async () => {
    using folder = new Folder()
    await using _host = await startStandalone(folder)
    const nodes = { main: 'main', other: 'worker', spinner: 'slow', neighbour: 'slow' }
    await using daemon = startDaemon(folder, yaml(nodes, 'executors: { slow: { max-stall: 1s } }\n'))
    await daemon.running()
    await daemon.client.send('spinner', { type: 'spin' })
    await waitFor('the spin', async () => (await report(daemon, 'spinner')).received === 1)
    // While it spins everybody else answers.
    let answered = 0
    const ended = daemon.logged('the end of the executor', logged('it is stuck in')).then(line => ({ line }))
    let line: Record<string, unknown> | undefined
    while (line === undefined) {
      assert.equal(await ping(daemon, 'main', answered), answered)
      assert.equal(await ping(daemon, 'other', answered), answered)
      answered++
      const done = await Promise.race([ended, new Promise<void>(resolve => setImmediate(resolve))])
      line = done ? done.line : undefined
    }
    assert.ok(answered > 3, `${answered} answers`)
    assert.match(
      String(line.msg),
      /executor slow did not answer for \d+\.\d s: it is stuck in spin \(.*trouble\.ts:7:\d+\)/,
    )
    assert.deepEqual([line.executor, line.node, line.nodes], ['slow', 'spinner', ['spinner', 'neighbour']])
    assert.match((line.err as { stack: string }).stack, /at spin .*trouble\.ts:7:\d+\)\n {4}at .*run .*trouble\.ts:\d+/)
    // It gets the event again, twice: then it behaves, and takes what comes.
    await daemon.logged('the second delivery', ({ node, attempts }) => node === 'spinner' && attempts === 1)
    await daemon.logged('the third delivery', ({ node, attempts }) => node === 'spinner' && attempts === 2)
    await daemon.logged('the crash loop', ({ node, msg }) => node === 'spinner' && msg === 'is in a crash loop')
    await daemon.running()
    assert.equal(await ping(daemon, 'spinner', 7), 7)
    assert.equal(await ping(daemon, 'neighbour', 8), 8)
    const { restarts, lastError, redelivered, executor } = await report(daemon, 'spinner')
    assert.deepEqual([restarts, redelivered, executor], [2, 2, 'slow'])
    assert.match(lastError ?? '', /stuck in spin/)
    const neighbour = await report(daemon, 'neighbour')
    assert.deepEqual([neighbour.lastError, neighbour.restarts], [undefined, 2])
    assert.deepEqual([(await report(daemon, 'main')).restarts, (await report(daemon, 'other')).restarts], [0, 0])
  })

  it('who waits for the answer of a node whose thread is ended learns that it died, in hand or after', async () => {
    using folder = new Folder()
    await using _host = await startStandalone(folder)
    await using daemon = startDaemon(folder, yaml({ a: 'short' }, 'executors: { short: { max-stall: 500ms } }\n'))
    await daemon.running()
    const inHand = daemon.client.ask('a', { type: 'askAndSpin' }, 30_000)
    const behind = waitFor('the spin', async () => (await report(daemon, 'a')).received === 1).then(() =>
      ping(daemon, 'a', 5),
    )
    await assert.rejects(inHand, { code: 'DIED' })
    // It had not seen this one: the next life answers it.
    assert.equal(await behind, 5)
  })

  it('a node that leaks ends its executor when max-heap is full', async () => {
    using folder = new Folder()
    await using _host = await startStandalone(folder)
    const nodes = { leaker: 'small', other: 'worker', main: 'main' }
    await using daemon = startDaemon(folder, yaml(nodes, 'executors: { small: { max-heap: 32MiB } }\n'))
    await daemon.running()
    await daemon.client.send('leaker', { type: 'leak' })
    const line = await daemon.logged('the end', logged('ran out of memory'))
    assert.match(String(line.msg), /executor small ran out of memory: its heap was full \(max-heap 32 MiB\)/)
    assert.deepEqual([line.node, line.executor], ['leaker', 'small'])
    await daemon.logged('the second delivery', ({ node, attempts }) => node === 'leaker' && attempts === 1)
    await daemon.running()
    assert.equal(await ping(daemon, 'leaker'), 1)
    assert.deepEqual([(await report(daemon, 'main')).restarts, (await report(daemon, 'other')).restarts], [0, 0])
  })

  it('process.exit of a node ends its thread and not the daemon, and the node is named', async () => {
    using folder = new Folder()
    await using _host = await startStandalone(folder)
    await using daemon = startDaemon(folder, yaml({ quitter: 'worker', other: 'worker' }))
    await daemon.running()
    await daemon.client.send('quitter', { type: 'exit' })
    const line = await daemon.logged('the end', logged('called process.exit(3)'))
    assert.equal(line.node, 'quitter')
    await daemon.logged('the second delivery', ({ node, attempts }) => node === 'quitter' && attempts === 1)
    await daemon.running()
    assert.equal((await report(daemon, 'other')).restarts, 0)
  })

  it('errors of timers and callbacks are those of the node, whole, and end it alone', async () => {
    using folder = new Folder()
    await using _host = await startStandalone(folder)
    await using daemon = startDaemon(folder, yaml({ a: 'worker', b: 'worker', c: 'main' }))
    await daemon.running()
    await daemon.client.send('a', { type: 'throwLater' })
    const thrown = await daemon.logged(
      'the error',
      ({ node, msg }) => node === 'a' && msg === 'failed: thrown from a timer',
    )
    const err = thrown.err as { stack: string; code: string }
    assert.match(err.stack, /^Error: thrown from a timer\n {4}at .*trouble\.ts:\d+/)
    assert.match(err.stack, /caused by: Error: the cause/)
    assert.equal(err.code, 'E_TIMER')
    await daemon.client.send('b', { type: 'rejectLater' })
    await daemon.logged('the rejection', ({ node, msg }) => node === 'b' && msg === 'failed: rejected in a callback')
    await daemon.running()
    await daemon.client.send('a', { type: 'fail' })
    await daemon.logged('the failure', ({ node, msg }) => node === 'a' && msg === 'failed: asked to fail')
    assert.equal((await report(daemon, 'c')).restarts, 0)
  })

  it('lines of the log come out whole, and before a loop that never ends', async () => {
    using folder = new Folder()
    await using _host = await startStandalone(folder)
    await using daemon = startDaemon(folder, yaml({ a: 'worker' }, 'executors: { worker: { max-stall: 500ms } }\n'))
    await daemon.running()
    await daemon.client.send('a', { type: 'say', text: 'hello' })
    const line = await daemon.logged('hello', ({ msg }) => msg === 'hello')
    assert.deepEqual([line.node, line.level, line.list], ['a', 'warn', [1, { a: 2 }]])
    assert.match((line.err as { stack: string }).stack, /^Error: logged\n/)
    await daemon.client.send('a', { type: 'sayAndSpin' })
    await daemon.logged('the line', ({ msg }) => msg === 'said before the loop')
    await daemon.logged('the end', logged('executor worker a did not answer'))
    await daemon.running()
  })

  it('a coroutine that does not end within its grace time has its executor ended', async () => {
    using folder = new Folder()
    await using _host = await startStandalone(folder)
    await using daemon = startDaemon(folder, yaml({ a: 'both', b: 'both' }, 'executors: { both: {} }\n'))
    await daemon.running()
    await daemon.client.send('a', { type: 'deaf' })
    await waitFor('it to be deaf', async () => (await report(daemon, 'a')).received === 1)
    folder.write('daemon.yaml', yaml({ b: 'both' }, 'executors: { both: {} }\n'))
    await daemon.client.reload()
    const line = await daemon.logged('the end', logged('waits for something that never comes'))
    assert.equal(line.node, 'a')
    await daemon.running()
    assert.equal(await ping(daemon, 'b'), 1)
  })

  it('main cannot be ended: what it is stuck in is in the log while it is, and in the report after', async () => {
    using folder = new Folder()
    await using _host = await startStandalone(folder)
    const executors = 'executors: { main: { max-stall: 300ms } }\n'
    await using daemon = startDaemon(folder, yaml({ a: 'main', b: 'main', c: 'worker' }, executors))
    await daemon.running()
    await daemon.client.send('a', { type: 'spinFor', ms: 3000 })
    const line = await daemon.logged('the stall', logged('executor main did not answer for'))
    assert.match(String(line.msg), /it is stuck in run \(.*trouble\.ts:\d+:\d+\); all of its nodes wait/)
    assert.deepEqual([line.executor, line.node, line.level], ['main', 'a', 'error'])
    assert.doesNotMatch(daemon.program.stdout, /it was stuck/)
    const back = await daemon.logged('the return', logged('it was stuck in run'))
    assert.deepEqual(back.suspects, ['a'])
    assert.match((await report(daemon, 'a')).lastError ?? '', /main did not answer for \d\.\d s/)
    await daemon.running()
    assert.equal(await ping(daemon, 'a'), 1)
  })

  it('a reload moves nodes between threads with their queues, and gives threads other limits', async () => {
    using folder = new Folder()
    await using host = await startStandalone(folder)
    await using daemon = startDaemon(
      folder,
      yaml({ a: 'main', b: 'shared', c: 'worker' }, 'executors: { shared: {} }\n'),
    )
    await daemon.running()
    const change = async (nodes: Readonly<Record<string, string>>, executors: string) => {
      folder.write('daemon.yaml', yaml(nodes, executors))
      await daemon.client.reload()
      await daemon.running()
      for (const name of Object.keys(nodes)) assert.equal(await ping(daemon, name, 9), 9)
    }
    await change({ a: 'shared', b: 'main', c: 'shared' }, 'executors: { shared: {} }\n')
    await change({ a: 'shared', b: 'worker', c: 'shared' }, 'executors: { shared: { max-heap: 64MiB } }\n')
    await change({ a: 'main', b: 'main', c: 'main' }, '')
    // Counts go on over all of it, on whichever thread.
    assert.deepEqual(
      (await daemon.client.nodes()).map(node => node.received),
      [3, 3, 3],
    )
    assert.match(await host.cli('show errors'), /3 +a +events seen|3 +events seen/)
  })

  it('SIGTERM ends a daemon whose threads spin, with status 0', async () => {
    using folder = new Folder()
    await using _host = await startStandalone(folder)
    await using daemon = startDaemon(folder, yaml({ a: 'worker', b: 'worker', c: 'worker' }))
    await daemon.running()
    for (const node of ['a', 'b']) await daemon.client.send(node, { type: 'spin' })
    await waitFor('the spins', async () => (await report(daemon, 'b')).received === 1)
    const { code } = await daemon.program.kill('SIGTERM')
    assert.equal(code, 0)
    assert.match(daemon.program.stdout, /stuck in spin.*; it is ended"/)
    assert.doesNotMatch(daemon.program.stdout, /started again/)
  })

  it('SIGTERM ends a daemon whose nodes on main do not want to end, with status 0', async () => {
    using folder = new Folder()
    await using _host = await startStandalone(folder)
    await using daemon = startDaemon(folder, yaml({ a: 'main', b: 'main' }))
    await daemon.running()
    await daemon.client.send('a', { type: 'stubborn' })
    await daemon.client.send('b', { type: 'careless' })
    for (const node of ['a', 'b']) await waitFor('the event', async () => (await report(daemon, node)).received === 1)
    const { code } = await daemon.program.kill('SIGTERM')
    assert.equal(code, 0)
  })

  it('15 worker threads, and the death of the daemon with all of them', async () => {
    using folder = new Folder()
    await using _host = await startStandalone(folder)
    const nodes = Object.fromEntries(Array.from({ length: 15 }, (_, i) => [`n${i}`, 'worker']))
    {
      await using daemon = startDaemon(folder, yaml(nodes))
      await daemon.running()
      const answers = await Promise.all(Object.keys(nodes).map((name, i) => ping(daemon, name, i)))
      assert.deepEqual(answers, [...answers.keys()])
      await daemon.program.kill('SIGKILL')
    }
    await using daemon = startDaemon(folder, yaml(nodes))
    await daemon.running()
    assert.equal(await ping(daemon, 'n14', 5), 5)
  })

  it('another host: the nodes of all threads are there again', async () => {
    using folder = new Folder()
    const host = await startStandalone(folder)
    await using daemon = startDaemon(folder, yaml({ a: 'worker', b: 'main' }))
    await daemon.running()
    await host[Symbol.asyncDispose]()
    await waitFor('the loss', async () => (await daemon.client.status()).host.state !== 'connected')
    await using _host = await startStandalone(folder)
    await daemon.running()
    assert.equal(await ping(daemon, 'a', 3), 3)
    assert.equal(await ping(daemon, 'b', 4), 4)
  })
})
