// A real VPP whose nodes are changed while events come from inside and outside.
import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { Folder } from '../support/folder.js'
import { startDaemon } from '../support/service.js'
import { waitFor } from '../support/wait.js'
import { needVpp, Vpp } from './vpp.js'

interface Seen {
  readonly type: string
  readonly n: number
  readonly redelivered: boolean
  readonly version: number
}

/** Writes down its events, counts them under a name of its version, and sends a packet to its own next node. */
const recorder = (version: number, next: readonly string[], counters: string) => `
import { appendFileSync } from 'node:fs'
import { message, processNode, u32 } from 'corod'
export default processNode({
  messages: { outside: message(1, { n: u32 }), inside: message(2, { n: u32 }) },
  next: ${JSON.stringify(next)},
  counters: { ${counters} },
  async run(vm, node) {
    for await (const event of node.inbox) {
      if (event.type !== 'outside' && event.type !== 'inside') continue
      const { type, n, redelivered } = event
      appendFileSync(String(node.options.file), JSON.stringify({ type, n, redelivered, version: ${version} }) + '\\n')
      node.count('seen')
      node.enqueue(${JSON.stringify(next.at(-1))}, new Uint8Array(60).fill(${version}))
    }
  },
})`

const still = `
import { call, processNode, u32 } from 'corod'
let lives = 0
export default processNode({
  messages: { lives: call(1, {}, { lives: u32 }) },
  async run(vm, node) {
    lives++
    for await (const event of node.inbox) if (event.type === 'lives') event.reply({ lives })
  },
})`

describe('vpp: reload', function () {
  this.timeout(180_000)
  let vpp: Vpp
  before(async function () {
    needVpp(this)
    vpp = await Vpp.start()
  })
  after(async () => {
    await vpp?.[Symbol.asyncDispose]()
  })

  it('with other next nodes and counters while events flow: nothing is lost, the node keeps its place', async () => {
    using folder = new Folder()
    const file = folder.write('seen.ndjson', '')
    const lines = (): Seen[] =>
      readFileSync(file, 'utf8')
        .split('\n')
        .filter(line => line.endsWith('}'))
        .map(line => JSON.parse(line) as Seen)
    folder.write('rec.ts', recorder(0, ['error-drop'], "seen: 'seen by 0'"))
    folder.write('still.ts', still)
    const yaml = `nodes:\n  rec:\n    module: ./rec.ts\n    options: { file: ${file} }\n    queue: { backlog: 100000, bytes: 64MiB }\n  still: { module: ./still.ts }\n`
    await using daemon = startDaemon(folder, yaml, { host: vpp.socket })
    await daemon.running()
    const before = await daemon.client.node('rec')
    let going = true
    let outside = 0
    let inside = 0
    async function* source() {
      while (going) {
        yield `{"type":"outside","n":${++outside}}\n`
        await new Promise(resolve => setTimeout(resolve, 2))
      }
    }
    const sent = daemon.client.send('rec', source())
    const hex = (n: number) => {
      const bytes = Buffer.alloc(4)
      bytes.writeUInt32LE(n)
      return bytes.toString('hex')
    }
    // VPP's own senders go on through every change.
    const fromVpp = (async () => {
      while (going) {
        const commands = Array.from({ length: 20 }, () => `corod send rec 2 ${hex(++inside)}`)
        assert.ok(!/closed|stale|unknown/i.test(await vpp.script(commands)))
      }
    })()
    const next = [['error-drop', 'ip4-lookup'], ['ip6-lookup', 'error-drop'], ['error-drop']]
    for (let version = 1; version <= 6; version++) {
      const had = lines().length
      await waitFor('events between two reloads', () => lines().length > had + 30)
      const counters = `seen: 'seen by ${version}', more${version}: 'more ${version}'`
      folder.write('rec.ts', recorder(version, next[version % 3]!, counters))
      writeFileSync(daemon.config, `${yaml}# ${version}\n`)
      const report = await daemon.client.reload()
      assert.deepEqual(
        [report.changed, report.unchanged, report.failed],
        [[{ name: 'rec', why: ['code'] }], ['still'], []],
      )
    }
    going = false
    const [{ accepted, rejected }] = await Promise.all([sent, fromVpp])
    assert.equal(rejected, 0)
    await waitFor('the last events', () => {
      const all = lines()
      return (['outside', 'inside'] as const).every(type =>
        all.some(event => event.type === type && event.n === (type === 'outside' ? accepted : inside)),
      )
    })
    const all = lines()
    for (const [type, last] of [
      ['outside', accepted],
      ['inside', inside],
    ] as const) {
      const numbers = all.filter(event => event.type === type && !event.redelivered).map(event => event.n)
      assert.deepEqual(
        numbers,
        Array.from({ length: last }, (_, i) => i + 1),
        type,
      )
    }
    const after = await daemon.client.node('rec')
    assert.deepEqual([after.slot, after.index, after.restarts, after.state], [before.slot, before.index, 0, 'running'])
    const { reply } = await daemon.client.ask('still', { type: 'lives' }, 5000)
    assert.equal(reply.lives, 1)
    // A counter goes on under its name, whatever its text is by now: none of the counts is lost.
    await waitFor('the counter', async () =>
      new RegExp(`\\b${all.length} +rec +seen by 6`).test(await vpp.cli('show errors')),
    )
    assert.match(await vpp.cli('show node rec'), /error-drop/)
    assert.ok(vpp.running)
    writeFileSync(daemon.config, 'nodes:\n  still: { module: ./still.ts }\n')
    assert.deepEqual((await daemon.client.reload()).removed, ['rec'])
    assert.match(await vpp.cli(`corod send rec 2 ${hex(1)}`), /no|unknown|closed/i)
    assert.equal((await daemon.client.ask('still', { type: 'lives' }, 5000)).reply.lives, 1)
  })
})
