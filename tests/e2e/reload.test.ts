// Reloads under load: a daemon that is changed again and again while events come from every side.
import assert from 'node:assert/strict'
import { chmodSync, chownSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, it } from 'mocha'
import { Folder } from '../support/folder.js'
import { canBeNobody, nobody } from '../support/nobody.js'
import { corod, type RunningDaemon, startDaemon, startStandalone } from '../support/service.js'
import { waitFor } from '../support/wait.js'

interface Seen {
  readonly type: string
  readonly n: number
  readonly redelivered: boolean
  readonly version: number
  readonly word: string
}

/** Writes down every event before it asks for the next one. */
const recorder = (version: number, { messages = '', next = "'ip4-lookup'", ending = '' } = {}) => `
import { appendFileSync } from 'node:fs'
import { message, processNode, u32 } from 'corod'
export default processNode({
  messages: { outside: message(1, { n: u32 }), inside: message(2, { n: u32 }), ${messages} },
  next: [${next}],
  counters: { seen: 'events seen' },
  async run(vm, node) {
    const { file, word } = node.options as { file: string; word: string }
    for await (const event of node.inbox) {
      if (event.type !== 'outside' && event.type !== 'inside') continue
      const { type, n, redelivered } = event
      appendFileSync(file, JSON.stringify({ type, n, redelivered, version: ${version}, word }) + '\\n')
      node.count('seen')
      ${ending}
    }
  },
})`

/** Sends to the recorder all the time, and answers how its life has been. */
const peer = `
import { call, message, processNode, u32, u64 } from 'corod'
const life = BigInt(Math.floor(Math.random() * 2 ** 50))
let lives = 0
export default processNode({
  messages: { life: call(1, {}, { life: u64, lives: u32, sent: u32, ticks: u32 }) },
  peers: { rec: { inside: message(2, { n: u32 }) } },
  async run(vm, node) {
    lives++
    let sent = 0
    let ticks = 0
    using due = vm.timer(1)
    using tick = vm.timer(20)
    for (;;) {
      const event = await vm.select({ tick, message: node.inbox, due })
      if (event.done) return
      if (event.source === 'tick') {
        ticks++
        tick.set(20)
      } else if (event.source === 'due') {
        await node.peers.rec.send('inside', { n: ++sent })
        due.set(1)
      } else if (event.value.type === 'life') event.value.reply({ life, lives, sent, ticks })
    }
  },
})`

describe('end to end: reloads', function () {
  this.timeout(120_000)

  const lines = (file: string): Seen[] =>
    readFileSync(file, 'utf8')
      .split('\n')
      .filter(line => line.endsWith('}'))
      .map(line => JSON.parse(line) as Seen)

  /** The numbers of one sender in the order in which they were first seen. Whatever was seen twice must be marked. */
  function order(seen: readonly Seen[], type: string): number[] {
    const first = new Set<number>()
    for (const event of seen.filter(one => one.type === type)) {
      if (first.has(event.n)) assert.ok(event.redelivered, `${type} ${event.n} came twice, unmarked`)
      first.add(event.n)
    }
    return [...first]
  }

  const upTo = (last: number) => Array.from({ length: last }, (_, i) => i + 1)

  async function life(daemon: RunningDaemon) {
    const { reply } = await daemon.client.ask('peer', { type: 'life' }, 10_000)
    return reply as { life: string; lives: number; sent: number; ticks: number }
  }

  /** A stream of numbered events that goes on until it is told to stop. */
  function stream(daemon: RunningDaemon) {
    let going = true
    let sent = 0
    async function* source() {
      while (going) {
        yield Array.from({ length: 5 }, () => `{"type":"outside","n":${++sent}}\n`).join('')
        await sleep(1)
      }
    }
    const summary = daemon.client.send('rec', source())
    return {
      async stop() {
        going = false
        return await summary
      },
    }
  }

  it('twenty in a row, under load from outside and inside: no event is lost, doubled or out of order', async () => {
    using folder = new Folder()
    const file = folder.write('seen.ndjson', '')
    folder.write('rec.ts', recorder(0))
    folder.write('peer.ts', peer)
    const queue = '    queue: { backlog: 100000, bytes: 64MiB }\n'
    const yaml = (word: string, more = '') =>
      `nodes:\n  rec:\n    module: ./rec.ts\n    options: { file: ${file}, word: ${word} }\n${more.includes('queue:') ? '' : queue}${more}  peer: { module: ./peer.ts }\n`
    await using host = await startStandalone(folder)
    await using daemon = startDaemon(folder, yaml('start'))
    await daemon.running()
    const before = await life(daemon)
    const load = stream(daemon)
    let version = 0
    const words = ['start']
    const changes: readonly ((n: number) => string | undefined)[] = [
      () => void folder.write('rec.ts', recorder(++version)),
      n => yaml(`word${n}`),
      n => void folder.write('rec.ts', recorder(++version, { messages: `extra${n}: message(${100 + n}, { n: u32 })` })),
      () => void folder.write('rec.ts', recorder(++version, { next: "'ip6-lookup', 'ip4-lookup'" })),
      n => yaml(`word${n}`, '    executor: worker\n'),
      n =>
        `executors: { shared: {} }\n${yaml(`word${n}`, '    executor: shared\n    queue: { backlog: 90000, bytes: 64MiB }\n')}`,
      n => `executors: { shared: { max-stall: ${n}s } }\n${yaml(`word${n}`, '    executor: shared\n')}`,
    ]
    for (let n = 1; n <= 20; n++) {
      const seen = lines(file).length
      await waitFor('some events between two reloads', () => lines(file).length > seen + 20)
      const text = changes[(n - 1) % changes.length]!(n)
      if (text !== undefined) {
        writeFileSync(daemon.config, text)
        words.push(`word${n}`)
      }
      const ended = await corod(['--socket', daemon.socket, 'reload', '--json'])
      assert.equal(ended.code, 0, ended.stderr)
      const { changed, unchanged } = JSON.parse(ended.stdout) as { changed: { name: string }[]; unchanged: string[] }
      assert.deepEqual([changed.map(({ name }) => name), unchanged], [['rec'], ['peer']], `reload ${n}`)
    }
    const { accepted, rejected, dropped } = await load.stop()
    assert.deepEqual([rejected, dropped], [0, 0])
    const after = await life(daemon)
    await waitFor('the last event', () => lines(file).some(event => event.type === 'outside' && event.n === accepted))
    await waitFor('the last of the peer', () =>
      lines(file).some(event => event.type === 'inside' && event.n >= after.sent),
    )
    const seen = lines(file)
    assert.deepEqual(order(seen, 'outside'), upTo(accepted))
    const inside = order(seen, 'inside')
    assert.deepEqual(inside, upTo(inside.length))
    // Every version had its part of the work.
    assert.deepEqual(
      [...new Set(seen.map(event => event.version))],
      Array.from({ length: version + 1 }, (_, i) => i),
    )
    assert.deepEqual([...new Set(seen.map(event => event.word))], words)
    // And the peer has not noticed.
    assert.deepEqual([after.life, after.lives], [before.life, 1])
    assert.ok(after.ticks > before.ticks)
    const { restarts, received } = await daemon.client.node('rec')
    assert.deepEqual([restarts, received >= seen.length], [0, true])
    const { reloads } = await daemon.client.status()
    assert.equal(reloads, 20)
    // Counted as often as it was seen; the peer goes on meanwhile.
    const wanted = lines(file).length
    const counted = async () => Number(/(\d+) +rec +events seen/.exec(await host.cli('show errors'))?.[1])
    const count = await waitFor('the counter', async () => {
      const now = await counted()
      return now >= wanted ? now : undefined
    })
    assert.ok(count <= lines(file).length, `${count} counts of ${lines(file).length} events`)
  })

  it('a coroutine that does not end in time: what it had in hand comes again, marked', async () => {
    using folder = new Folder()
    const file = folder.write('seen.ndjson', '')
    const holds = 'if (!redelivered && n % 50 === 0) await new Promise(end => vm.signal.addEventListener("abort", end))'
    folder.write('rec.ts', recorder(0, { ending: holds }))
    const yaml = `nodes:\n  rec:\n    module: ./rec.ts\n    grace: 20ms\n    options: { file: ${file}, word: x }\n    queue: { backlog: 100000, bytes: 64MiB }\n`
    await using _host = await startStandalone(folder)
    await using daemon = startDaemon(folder, yaml)
    await daemon.running()
    const load = stream(daemon)
    for (let version = 1; version <= 5; version++) {
      await waitFor('an event in hand', () => lines(file).some(event => event.n === version * 50 && !event.redelivered))
      folder.write('rec.ts', recorder(version, { ending: holds }))
      await daemon.client.reload()
    }
    const { accepted } = await load.stop()
    folder.write('rec.ts', recorder(6))
    await daemon.client.reload()
    await waitFor('the last event', () => lines(file).at(-1)?.n === accepted)
    const seen = lines(file)
    assert.deepEqual(order(seen, 'outside'), upTo(accepted))
    for (let n = 50; n <= 250; n += 50)
      assert.deepEqual(
        seen.filter(event => event.n === n).map(event => event.redelivered),
        [false, true],
      )
  })

  it('bad files under load change nothing, and say what is wrong', async () => {
    using folder = new Folder()
    const file = folder.write('seen.ndjson', '')
    folder.write('rec.ts', recorder(0))
    const yaml = `nodes:\n  rec:\n    module: ./rec.ts\n    options: { file: ${file}, word: x }\n    queue: { backlog: 100000, bytes: 64MiB }\n`
    await using _host = await startStandalone(folder)
    await using daemon = startDaemon(folder, yaml)
    await daemon.running()
    const load = stream(daemon)
    const bad: readonly [() => void, RegExp][] = [
      [() => writeFileSync(daemon.config, 'nodes: {'), /daemon\.yaml:1:\d+: not YAML/],
      [() => writeFileSync(daemon.config, `${yaml}    modul: x\n`), /daemon\.yaml:6:5: nodes\.rec\.modul: unknown key/],
      [() => writeFileSync(daemon.config, `${yaml}  more: { module: ./none.ts }\n`), /no file \S+none\.ts/],
      [() => void folder.write('rec.ts', 'throw new Error("at the top")'), /rec\.ts:1:7: Error: at the top/],
      [() => void folder.write('rec.ts', 'export default {'), /rec\.ts:1:\d+: /],
    ]
    for (const [spoil, pattern] of bad) {
      spoil()
      const ended = await corod(['--socket', daemon.socket, 'reload'])
      assert.deepEqual([ended.code, ended.stdout], [78, ''])
      assert.match(ended.stderr, pattern)
      assert.match(ended.stderr, /corod: nothing was changed\n$/)
      writeFileSync(daemon.config, yaml)
      folder.write('rec.ts', recorder(0))
    }
    const same = await corod(['--socket', daemon.socket, 'reload'])
    assert.deepEqual([same.code, same.stdout], [0, 'nothing changed: 1 node\n'])
    const { accepted, rejected } = await load.stop()
    assert.equal(rejected, 0)
    await waitFor('the last event', () => lines(file).at(-1)?.n === accepted)
    assert.deepEqual(
      lines(file).map(event => event.n),
      upTo(accepted),
    )
    assert.ok(lines(file).every(event => !event.redelivered))
  })

  it('a configuration that the daemon may not read changes nothing', async function () {
    if (!canBeNobody()) this.skip()
    using folder = new Folder()
    chownSync(folder.path, nobody, nobody)
    const yaml = 'nodes: {}\n'
    await using daemon = startDaemon(folder, yaml, { uid: nobody })
    await waitFor('the daemon', async () => (await daemon.client.status()).pid)
    chmodSync(daemon.config, 0)
    await assert.rejects(
      daemon.client.reload(),
      (error: { code: string; body: { problems: { message: string }[] } }) => {
        assert.equal(error.code, 'CONFIG_INVALID')
        assert.match(error.body.problems[0]!.message, /no permission to read this file/)
        return true
      },
    )
    chmodSync(daemon.config, 0o644)
    assert.deepEqual((await daemon.client.reload()).unchanged, [])
  })
})
