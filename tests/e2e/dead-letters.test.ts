// Events that no coroutine survives, and events that nobody understands any more.
import assert from 'node:assert/strict'
import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { describe, it } from 'mocha'
import { Folder } from '../support/folder.js'
import { corod, type RunningDaemon, startDaemon, startStandalone } from '../support/service.js'
import { waitFor } from '../support/wait.js'

const node = (messages: string) => `
import { appendFileSync, existsSync } from 'node:fs'
import { call, choice, message, processNode, text, u32 } from 'corod'
export default processNode({
  messages: { ${messages} },
  async run(vm, node) {
    const { folder } = node.options as { folder: string }
    for await (const event of node.inbox) {
      appendFileSync(folder + '/seen', event.type + ' ' + event.seq + ' ' + event.attempts + '\\n')
      while (existsSync(folder + '/hold')) await vm.sleep(5)
      if (event.type === 'poison' && !existsSync(folder + '/healed')) throw new RangeError('too much of ' + event.n)
      if (event.type === 'kill') process.kill(process.pid, 'SIGKILL')
    }
  },
})`
const usual = 'fine: message(1, { n: u32 }), poison: call(2, { n: u32 }, {}), kill: message(3)'

/** Takes batches, begins when it may, and dies of one event, having written down the whole batch. */
const batches = `
import { appendFileSync, existsSync } from 'node:fs'
import { message, processNode, u32 } from 'corod'
export default processNode({
  messages: { fine: message(1, { n: u32 }), kill: message(2, { n: u32 }) },
  async run(vm, node) {
    const { folder } = node.options as { folder: string }
    while (!existsSync(folder + '/go')) await vm.sleep(5)
    for await (const batch of node.inbox.batches()) {
      for (const event of batch) {
        appendFileSync(folder + '/seen', event.type + ' ' + event.seq + ' ' + event.attempts + '\\n')
        if (event.type === 'kill') process.kill(process.pid, 'SIGKILL')
      }
    }
  },
})`

function yaml(folder: Folder, more = ''): string {
  const restart = 'restart: { min: 1ms, max: 2ms, crash-loop: { count: 100 } }'
  return `nodes:\n  a: { module: ./a.ts, options: { folder: ${folder.path} }, ${restart}${more} }\n`
}

function seen(folder: Folder): string[] {
  try {
    return readFileSync(folder.at('seen'), 'utf8').trimEnd().split('\n')
  } catch {
    return []
  }
}

const letters = async ({ client }: RunningDaemon) => (await client.deadLetters('a')).letters

describe('end to end: dead letters', function () {
  this.timeout(60_000)

  it('an event that ends the coroutine three times: the node goes on; sent again when the node is mended', async () => {
    using folder = new Folder()
    folder.write('a.ts', node(usual))
    await using _host = await startStandalone(folder)
    await using daemon = startDaemon(folder, yaml(folder))
    await daemon.running()
    await assert.rejects(daemon.client.ask('a', { type: 'poison', n: 7 }, 5000), { code: 'DIED' })
    await daemon.client.send('a', [
      { type: 'fine', n: 1 },
      { type: 'poison', n: 8 },
      { type: 'fine', n: 2 },
    ])
    await waitFor('the last event', () => seen(folder).includes('fine 4 0'))
    assert.deepEqual(seen(folder), [
      'poison 1 0',
      'poison 1 1',
      'poison 1 2',
      'fine 2 0',
      'poison 3 0',
      'poison 3 1',
      'poison 3 2',
      'fine 4 0',
    ])
    const [first, second, ...rest] = await letters(daemon)
    assert.deepEqual(rest, [])
    assert.deepEqual([first?.type, first?.seq, first?.attempts, first?.value], ['poison', '1', 3, { n: 7 }])
    assert.deepEqual([first?.reason.name, first?.reason.message], ['RangeError', 'too much of 7'])
    assert.match(first?.reason.stack ?? '', /a\.ts:\d+/)
    assert.equal(second?.seq, '3')
    const report = await daemon.client.node('a')
    assert.deepEqual([report.deadLetters, report.lostLetters, report.restarts], [2, 0, 6])
    assert.equal(statSync(folder.at('state/dead-letters/a.ndjson')).mode & 0o777, 0o600)

    const cli = (...args: string[]) => corod(['--socket', daemon.socket, ...args])
    assert.match((await cli('dead-letters')).stdout, / a +poison +1 +3 .* RangeError: too much of 7\n/)
    writeFileSync(folder.at('healed'), '')
    const again = await cli('dead-letters', 'a', '--resend')
    assert.deepEqual([again.code, again.stdout], [0, '2 sent again, 0 left\n'])
    await waitFor('both again', () => seen(folder).includes('poison 6 0'))
    assert.equal((await cli('dead-letters')).stdout, 'no dead letters\n')
  })

  it('an event that kills the daemon: the third daemon goes on without it', async () => {
    using folder = new Folder()
    folder.write('a.ts', node(usual))
    await using _host = await startStandalone(folder)
    for (let death = 1; death <= 3; death++) {
      await using daemon = startDaemon(folder, yaml(folder), { name: `daemon${death}` })
      if (death === 1) {
        await daemon.running()
        const events = [{ type: 'fine', n: 1 }, { type: 'kill' }, { type: 'fine', n: 2 }]
        await daemon.client.send('a', events).catch(() => {})
      }
      await daemon.program.exit
    }
    await using daemon = startDaemon(folder, yaml(folder))
    await daemon.running()
    await waitFor('the event behind it', () => seen(folder).includes('fine 3 0'))
    assert.deepEqual(
      seen(folder).filter(line => line.startsWith('kill')),
      ['kill 2 0', 'kill 2 1', 'kill 2 2'],
    )
    const all = await letters(daemon)
    assert.deepEqual(
      all.map(({ type, seq, attempts, reason }) => [type, seq, attempts, reason.name]),
      [['kill', '2', 3, 'Died']],
    )
    assert.ok(!seen(folder).includes('fine 1 2'), 'what came before was blamed, too')
  })

  it('an event that kills the daemon from within a batch: it alone is given up, no other event is lost', async () => {
    using folder = new Folder()
    folder.write('a.ts', batches)
    await using _host = await startStandalone(folder)
    const total = 200
    for (let death = 0; death < 3; death++) {
      await using daemon = startDaemon(folder, yaml(folder), { name: `daemon${death}` })
      if (death === 0) {
        await daemon.running()
        const events = Array.from({ length: total }, (_, i) => ({ type: i === 100 ? 'kill' : 'fine', n: i + 1 }))
        await daemon.client.send('a', events).catch(() => {})
        writeFileSync(folder.at('go'), '')
      }
      await daemon.program.exit
    }
    await using daemon = startDaemon(folder, yaml(folder))
    await daemon.running()
    await waitFor('the last event', () => seen(folder).some(line => line.startsWith(`fine ${total} `)))
    const all = await letters(daemon)
    assert.deepEqual(
      all.map(({ type, seq, attempts, value }) => [type, seq, attempts, value]),
      [['kill', '101', 3, { n: 101 }]],
    )
    const places = new Set(seen(folder).map(line => line.split(' ')[1]))
    assert.equal(places.size, total)
    // The innocent were in the same batch once, and never blamed again.
    const attempts = seen(folder)
      .filter(line => line.startsWith('fine'))
      .map(line => Number(line.split(' ')[2]))
    assert.equal(Math.max(...attempts), 1)
  })

  it('on a thread of its own: deaths of the coroutine and of the thread', async () => {
    using folder = new Folder()
    folder.write(
      'a.ts',
      node(`${usual}, spin: message(4)`).replace(
        "if (event.type === 'kill')",
        "if (event.type === 'spin') for (;;);\n      if (event.type === 'kill')",
      ),
    )
    await using _host = await startStandalone(folder)
    const threads = 'executors: { slow: { max-stall: 200ms } }\n'
    await using daemon = startDaemon(folder, threads + yaml(folder, ', executor: slow'))
    await daemon.running()
    await daemon.client.send('a', [
      { type: 'poison', n: 7 },
      { type: 'fine', n: 1 },
      { type: 'spin' },
      { type: 'fine', n: 2 },
    ])
    await waitFor('the last event', () => seen(folder).includes('fine 4 0'), { ms: 40_000 })
    const all = await letters(daemon)
    assert.deepEqual(
      all.map(({ type, seq, attempts, reason }) => [type, seq, attempts, reason.name]),
      [
        ['poison', '1', 3, 'RangeError'],
        ['spin', '3', 3, 'Died'],
      ],
    )
    assert.equal((await daemon.client.node('a')).deadLetters, 2)
    // What was finished in the turn of the first death may come once more, and is not blamed again.
    assert.ok(!seen(folder).some(line => /^fine \d+ [^01]/.test(line)), seen(folder).join())
  })

  it('queued events that no longer fit the changed messages of the node', async () => {
    using folder = new Folder()
    folder.write('a.ts', node(usual))
    folder.write('hold', '')
    await using _host = await startStandalone(folder)
    {
      await using daemon = startDaemon(folder, yaml(folder))
      await daemon.running()
      await daemon.client.send('a', [
        { type: 'fine', n: 1 },
        { type: 'fine', n: 2 },
        { type: 'poison', n: 3 },
      ])
      await waitFor('the first', () => seen(folder).length === 1)
      await daemon.program.kill('SIGKILL')
    }
    folder.write('a.ts', node('fine: message(1, { name: text(8) }), other: message(3)'))
    folder.write('healed', '')
    {
      await using daemon = startDaemon(folder, yaml(folder, ', grace: 0ms'))
      await daemon.running()
      const all = await waitFor('three letters', async () => {
        const some = await letters(daemon)
        return some.length === 3 ? some : undefined
      })
      assert.deepEqual(
        all.map(({ type, seq, attempts, bytes }) => [type, seq, attempts, bytes]),
        [
          ['fine', '1', 0, 'AQAAAA=='],
          ['fine', '2', 0, 'AgAAAA=='],
          [undefined, '3', 0, 'AwAAAA=='],
        ],
      )
      const { rejected, deadLetters } = await daemon.client.node('a')
      assert.deepEqual([rejected, deadLetters], [3, 3])
      const refused = await corod(['--socket', daemon.socket, 'dead-letters', 'a', '--resend'])
      assert.deepEqual([refused.code, refused.stdout], [1, '0 sent again, 3 left\n'])
      assert.match(refused.stderr, /no message has code 2/)
    }
    // Back to the old messages, they fit again.
    folder.write('a.ts', node(usual))
    await using daemon = startDaemon(folder, yaml(folder))
    await daemon.running()
    const again = await corod(['--socket', daemon.socket, 'dead-letters', 'a', '--resend'])
    assert.deepEqual([again.code, again.stdout, again.stderr], [0, '3 sent again, 0 left\n', ''])
  })

  it('a state folder that cannot be written: the event is delivered again, counted and told once', async () => {
    using folder = new Folder()
    folder.write('a.ts', node(usual))
    folder.write('state', '')
    await using _host = await startStandalone(folder)
    await using daemon = startDaemon(folder, yaml(folder))
    await daemon.running()
    await daemon.client.send('a', [
      { type: 'poison', n: 1 },
      { type: 'fine', n: 1 },
    ])
    await waitFor('more attempts', () => seen(folder).includes('poison 1 6'))
    const { lostLetters, deadLetters } = await daemon.client.node('a')
    assert.ok(lostLetters >= 3 && deadLetters === 0)
    const told = daemon.program.stdout.split('\n').filter(line => line.includes('cannot be stored'))
    assert.equal(told.length, 1, daemon.program.stdout)
    writeFileSync(folder.at('healed'), '')
    await waitFor('the event behind it', () => seen(folder).includes('fine 2 0'))
  })

  it('off: the event is delivered for ever', async () => {
    using folder = new Folder()
    folder.write('a.ts', node(usual))
    await using _host = await startStandalone(folder)
    await using daemon = startDaemon(folder, yaml(folder, ', dead-letters: off'))
    await daemon.running()
    await daemon.client.send('a', { type: 'poison', n: 1 })
    await waitFor('many attempts', () => seen(folder).includes('poison 1 8'))
    assert.deepEqual(await letters(daemon), [])
  })
})
