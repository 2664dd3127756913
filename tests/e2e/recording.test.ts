// A daemon that is recorded while it works, and the replay of what it did.
import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { describe, it } from 'mocha'
import { recordingsOf } from '../../daemon/record/file.js'
import { readRecording } from '../../daemon/record/reader.js'
import { Folder } from '../support/folder.js'
import { corod, type RunningDaemon, startDaemon, startStandalone } from '../support/service.js'
import { waitFor } from '../support/wait.js'

/** Uses everything that a recording has: events, batches, timers, the CLI, packets, peers, calls, a failure. */
const meter = (factor: number) => `
import { call, message, processNode, u32 } from 'corod'
const store = { keep: message(1, { n: u32 }), last: call(2, {}, { n: u32 }) }
export default processNode({
  messages: { add: message(1, { n: u32 }), ask: call(2, {}, { sum: u32 }), fail: message(3), sum: message(4) },
  next: ['ip4-lookup'],
  counters: { added: 'added', ticks: 'ticks' },
  peers: { store },
  async run(vm, node) {
    let sum = 0
    using due = vm.timer(20)
    for (;;) {
      const event = await vm.select({ due, inbox: node.inbox })
      if (event.done) return
      if (event.source === 'due') {
        node.count('ticks')
        node.enqueue('ip4-lookup', Uint8Array.of(sum & 0xff))
        due.set(20)
      } else if (event.value.type === 'add') {
        sum += event.value.n * ${factor}
        node.count('added', event.value.n)
        await node.peers.store.send('keep', { n: sum })
      } else if (event.value.type === 'ask') {
        const { n } = await node.peers.store.call('last', {}, { timeout: 5000 })
        event.value.reply({ sum: n })
      } else if (event.value.type === 'sum') {
        const shown = await vm.cli('show version')
        await vm.sleep(3)
        node.enqueue('ip4-lookup', new TextEncoder().encode(shown))
      } else if (event.value.type === 'fail' && !event.value.redelivered) throw new Error('as asked')
    }
  },
})`

const store = `
import { call, message, processNode, u32 } from 'corod'
export default processNode({
  messages: { keep: message(1, { n: u32 }), last: call(2, {}, { n: u32 }) },
  async run(_, node) {
    let last = 0
    for await (const event of node.inbox) {
      if (event.type === 'keep') last = event.n
      if (event.type === 'last') event.reply({ n: last })
    }
  },
})`

function yaml(folder: Folder, more = ''): string {
  folder.write('meter.ts', meter(1))
  folder.write('changed.ts', meter(2))
  folder.write('store.ts', store)
  return `nodes:
  meter: { module: ./meter.ts, restart: { min: 1ms }${more} }
  store: { module: ./store.ts }
`
}

async function work({ client }: RunningDaemon): Promise<void> {
  for (let n = 1; n <= 20; n++) await client.send('meter', { type: 'add', n })
  assert.deepEqual((await client.ask('meter', { type: 'ask' }, 5000)).reply, { sum: 210 })
  await client.send(
    'meter',
    Array.from({ length: 50 }, () => ({ type: 'add', n: 1 })),
  )
  await client.send('meter', { type: 'sum' })
  assert.deepEqual((await client.ask('meter', { type: 'ask' }, 5000)).reply, { sum: 260 })
}

describe('end to end: recording', function () {
  this.timeout(60_000)

  it('a real run is replayed: the same module does the same, a changed one shows the difference', async () => {
    using folder = new Folder()
    await using _host = await startStandalone(folder)
    const recordings = folder.at('state/recordings')
    const files = () => recordingsOf('meter', recordings).map(name => `${recordings}/${name}`)
    {
      await using daemon = startDaemon(folder, yaml(folder, ', record: true'))
      await daemon.running()
      await work(daemon)
      await daemon.client.send('meter', { type: 'fail' })
      await waitFor('the second life', async () => (await daemon.client.node('meter')).restarts === 1)
      await daemon.client.send('meter', { type: 'add', n: 7 })
      assert.deepEqual((await daemon.client.ask('meter', { type: 'ask' }, 5000)).reply, { sum: 7 })
      await daemon.program.kill('SIGTERM')
    }
    const [first = '', second = '', ...rest] = files()
    assert.deepEqual(rest, [])
    assert.deepEqual(recordingsOf('store', recordings), [])
    assert.equal(statSync(first).mode & 0o777, 0o600)
    const ends = [first, second].map(file => readRecording(readFileSync(file, 'utf8')).lines.at(-1))
    assert.deepEqual(
      ends.map(line => line !== undefined && 'end' in line && line.end),
      ['failed', 'returned'],
    )
    const kinds = new Set(readRecording(readFileSync(first, 'utf8')).lines.flatMap(line => Object.keys(line)))
    for (const kind of ['event', 'timer', 'count', 'enqueue', 'cli', 'answer', 'answered', 'to', 'from'])
      assert.ok(kinds.has(kind), kind)
    for (const file of [first, second]) {
      const same = await corod(['replay', file, folder.at('meter.ts')])
      assert.equal(same.code, 0, same.stdout + same.stderr)
      const changed = await corod(['replay', file, folder.at('changed.ts')])
      assert.equal(changed.code, 1, changed.stderr)
      assert.match(changed.stdout, /^[-+] .* send store keep \{"n":\d+\}$/m)
    }
  })

  it('run --record: those that are named, whatever the configuration says; a killed daemon leaves what it did', async () => {
    using folder = new Folder()
    await using _host = await startStandalone(folder)
    const args = ['--record', folder.at('rec'), '--record-node', 'meter']
    {
      await using daemon = startDaemon(folder, yaml(folder), { args })
      await daemon.running()
      await work(daemon)
      await daemon.program.kill('SIGKILL')
    }
    assert.deepEqual(recordingsOf('store', folder.at('rec')), [])
    const [name = ''] = recordingsOf('meter', folder.at('rec'))
    const same = await corod(['replay', folder.at(`rec/${name}`), folder.at('meter.ts')])
    assert.equal(same.code, 0, same.stdout + same.stderr)
    const wrong = startDaemon(folder, yaml(folder), { args: [...args, '--record-node', 'metre'], name: 'wrong' })
    await using program = wrong.program
    assert.equal((await program.exit).code, 2)
    assert.match(program.stderr, /no node metre: did you mean meter\?/)
  })

  it('corod record: from a new life on, with the queue kept, until the time is over or it is stopped', async () => {
    using folder = new Folder()
    await using _host = await startStandalone(folder)
    await using daemon = startDaemon(folder, yaml(folder))
    await daemon.running()
    const { client } = daemon
    const cli = (...args: string[]) => corod(['--socket', daemon.socket, 'record', 'meter', ...args])
    const recordings = () => {
      const place = folder.at('state/recordings')
      return existsSync(place) ? recordingsOf('meter', place).map(name => `${place}/${name}`) : []
    }
    const ends = () =>
      recordings().map(file => {
        const last = readRecording(readFileSync(file, 'utf8')).lines.at(-1)
        return last !== undefined && 'end' in last ? last.end : undefined
      })
    await client.send('meter', { type: 'add', n: 5 })
    const began = await cli()
    assert.deepEqual([began.code, began.stderr], [0, ''])
    assert.deepEqual(recordings(), [began.stdout.trim()])
    // It has started again, and the counts go on.
    assert.equal((await client.node('meter')).received, 1)
    await work(daemon)
    // A reload leaves it as it is.
    assert.deepEqual((await client.reload()).changed, [])

    const stopped = await cli('--stop')
    assert.deepEqual([stopped.code, ends()], [0, ['returned']])
    await client.send('meter', { type: 'add', n: 1 })
    assert.equal(recordings().length, 1)

    assert.equal((await cli('--for', '300ms')).code, 0)
    await client.send('meter', { type: 'add', n: 2 })
    await waitFor('the end of the time', () => ends()[1] === 'left')
    assert.deepEqual((await client.ask('meter', { type: 'ask' }, 5000)).reply, { sum: 2 })
    assert.equal(recordings().length, 2)
    for (const file of recordings()) {
      const same = await corod(['replay', file, folder.at('meter.ts')])
      assert.equal(same.code, 0, same.stdout + same.stderr)
    }
    assert.equal((await cli('--max-size', '4KiB')).code, 0)
    await daemon.logged('the end', line => /recording ends here: it would be longer than 4096/.test(`${line.msg}`))
  })

  it('a node on a thread of its own is recorded there, by configuration and by corod record', async () => {
    using folder = new Folder()
    await using _host = await startStandalone(folder)
    await using daemon = startDaemon(folder, yaml(folder, ', record: true, executor: worker'))
    await daemon.running()
    await work(daemon)
    const again = await corod(['--socket', daemon.socket, 'record', 'meter', '--for', '10m'])
    assert.equal(again.code, 0, again.stderr)
    await work(daemon)
    await daemon.program.kill('SIGTERM')
    const place = folder.at('state/recordings')
    const files = recordingsOf('meter', place).map(name => `${place}/${name}`)
    assert.equal(files.length, 2)
    assert.equal(files[1], again.stdout.split(',')[0])
    for (const file of files) {
      const same = await corod(['replay', file, folder.at('meter.ts')])
      assert.equal(same.code, 0, same.stdout + same.stderr)
    }
  })

  it('a disk that is full ends the recording, and the node goes on', async () => {
    using folder = new Folder()
    await using _host = await startStandalone(folder)
    await using daemon = startDaemon(folder, yaml(folder, ', record: true'), { fileBlocks: 8 })
    await daemon.running()
    await work(daemon)
    await daemon.logged('the end', line => line.node === 'meter' && /recording ends here: EFBIG/.test(`${line.msg}`))
    assert.deepEqual((await daemon.client.ask('meter', { type: 'ask' }, 5000)).reply, { sum: 260 })
    assert.equal((await daemon.client.node('meter')).restarts, 0)
  })
})
