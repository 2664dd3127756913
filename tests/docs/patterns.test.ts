// docs/patterns.md: each node on the page does what the page says of it.
import assert from 'node:assert/strict'
import type { interfaceChange } from '../../daemon/index.js'
import { type NodeKit, type NodeSetup, testNode } from '../../daemon/testing/index.js'
import { settle, TestNode } from '../process/port.js'
import { type LooseKit, loadNode, Page } from './page.js'

const page = new Page('docs/patterns.md')
const tested = new Set<string>()

/** The node below a heading, in the kit. */
async function kitOf(heading: string, setup: NodeSetup = {}): Promise<LooseKit> {
  tested.add(heading)
  return testNode(await loadNode(page, heading), setup)
}

describe('docs/patterns.md', () => {
  it('periodic work does not drift, and leaves out what it missed', async () => {
    await using kit = await kitOf('Periodic work')
    const runs = () =>
      kit.commands.filter(one => one.kind === 'count' && one.counter === 'runs').map(one => one.time - 1e6)
    await kit.advance(3500)
    assert.deepEqual(runs(), [1000, 2000, 3000])
    assert.deepEqual(kit.counters, { runs: 3, late: 0 })
    await kit.close()
    assert.deepEqual(kit.result, { how: 'returned' })
  })

  it('periodic work that comes late leaves out what it missed, and is on time again', async () => {
    const node = new TestNode(await loadNode(page, 'Periodic work'))
    await node.pass(1500)
    node.port.time += 3000
    node.runtime.tick()
    await settle()
    assert.equal(node.port.nearest, 1000 + 5000)
    assert.deepEqual(
      node.port.counted.map(([counter]) => counter),
      [0, 0, 1, 1],
    )
    node.close()
    assert.deepEqual(await node.ended, { how: 'returned' })
  })

  it('debounce acts once, when it is quiet, with the last', async () => {
    await using kit = await kitOf('Debounce')
    kit.onCli(/^ip route add/, '')
    for (const [ms, last] of [
      [0, 1],
      [30, 2],
      [60, 3],
      [500, 4],
    ] as const)
      kit.after(ms, () => kit.send('route', { via: `10.0.0.${last}` }))
    await kit.advance(1000)
    assert.deepEqual(kit.cliCommands, [
      'ip route add 198.51.100.0/24 via 10.0.0.3',
      'ip route add 198.51.100.0/24 via 10.0.0.4',
    ])
    assert.deepEqual(kit.counters, { applied: 2, merged: 2 })
  })

  it('debounce does what it put off when it is stopped', async () => {
    await using kit = await kitOf('Debounce')
    kit.onCli(/^ip route add/, '')
    kit.send('route', { via: '10.0.0.1' })
    await kit.close()
    assert.deepEqual(kit.cliCommands, ['ip route add 198.51.100.0/24 via 10.0.0.1'])
  })

  it('collect writes when there are a hundred, after 20 ms, and at the end', async () => {
    await using kit = await kitOf('Collect')
    for (let key = 0; key < 120; key++) kit.send('add', { key })
    await kit.settle()
    assert.deepEqual(kit.counters, { written: 100, writes: 1 })
    await kit.advance(19)
    assert.equal(kit.counters.writes, 1)
    await kit.advance(1)
    assert.deepEqual(kit.counters, { written: 120, writes: 2 })
    kit.send('add', { key: 7 })
    await kit.close()
    assert.deepEqual(kit.peerEvents.at(-1)?.fields, { keys: [7] })
  })

  it('hold-down believes up at once, and down when it lasts', async () => {
    await using kit = await kitOf('Hold-down')
    const say = (ms: number, now: string) => kit.after(ms, () => kit.send('state', { now }))
    say(0, 'up')
    say(100, 'down')
    say(2000, 'up')
    say(3000, 'down')
    say(3500, 'down')
    await kit.advance(4999)
    assert.deepEqual(kit.counters, { up: 1, down: 0, flaps: 1 })
    await kit.advance(1)
    assert.deepEqual(kit.counters, { up: 1, down: 1, flaps: 1 })
  })

  it('hold-down: an "up" at the last moment counts', async () => {
    await using kit = await kitOf('Hold-down')
    kit.send('state', { now: 'up' })
    kit.after(100, () => kit.send('state', { now: 'down' }))
    kit.after(2100, () => kit.send('state', { now: 'up' }))
    await kit.advance(60_000)
    assert.deepEqual(kit.counters, { up: 1, down: 0, flaps: 1 })
  })

  it('watchdog tells who fell silent, at its time, and knows who came back', async () => {
    await using kit = await kitOf('Watchdog')
    const alive = (ms: number, name: string) => kit.after(ms, () => kit.send('alive', { name }))
    for (const ms of [0, 2000, 4000, 6000, 8000]) alive(ms, 'a')
    alive(1000, 'b')
    alive(7000, 'b')
    await kit.advance(9000)
    const lost = kit.logs.map(line => [line.time - 1e6, line.fields.name])
    assert.deepEqual(lost, [[4000, 'b']])
    assert.deepEqual(kit.counters, { lost: 1, members: 3 })
    await kit.advance(10_000)
    assert.equal(kit.counters.lost, 3)
  })

  it('retry waits longer each time, until it works', async () => {
    await using kit = await kitOf('Retry with back-off')
    let tries = 0
    kit.onCli('show version', () => (++tries < 5 ? { failed: 'busy' } : 'v26.06'))
    kit.send('run', { command: 'show version' })
    await kit.until(() => kit.logs.length > 0)
    const times = kit.commands.map(one => one.time)
    const waits = times.slice(1).map((time, i) => time - times[i]!)
    for (const [i, wait] of waits.entries()) {
      const middle = 100 * 2 ** i
      assert.ok(wait >= 0.75 * middle && wait <= 1.25 * middle, `wait ${i}: ${wait}`)
    }
    assert.equal(waits.length, 4)
  })

  it('retry ends when the node is stopped, and tries again after a crash', async () => {
    await using kit = await kitOf('Retry with back-off')
    kit.onCli('show version', { failed: 'busy' })
    kit.send('run', { command: 'show version' })
    await kit.advance(1000)
    kit.onCli('show version', 'v26.06')
    await kit.restart()
    assert.equal(kit.logs.at(-1)?.text, 'v26.06')
    kit.onCli('show version', { failed: 'busy' })
    kit.send('run', { command: 'show version' })
    await kit.settle()
    assert.deepEqual(await kit.destroy(), { how: 'stopped' })
  })

  it('fan-in has the results of both, and ends with its message', async () => {
    await using kit = await kitOf('Fan-in', { cli: { 'show interface': 'up', 'show errors': 'none' } })
    await kit.advance(5500)
    const said = kit.logs.map(line => line.text)
    assert.ok(said.filter(text => text === 'up').length >= 5, `${said}`)
    kit.send('stop', {})
    await kit.settle()
    assert.deepEqual(kit.result, { how: 'returned' })
  })

  it('fan-in ends with a poll that fails', async () => {
    const cli = { 'show interface': 'up', 'show errors': { failed: 'no' } }
    await assert.rejects(kitOf('Fan-in', { cli }), { code: 'ERR_CLI' })
  })

  it('request and reply: eight at once, the others wait', async () => {
    await using kit = await kitOf('Request and reply')
    kit.onPeer('routes', 'lookup', { reply: { via: '10.0.0.1' }, after: 50 })
    const calls = Array.from({ length: 10 }, (_, i) => kit.call('resolve', { dest: `192.0.2.${i}` }))
    await kit.settle()
    assert.equal(kit.peerEvents.length, 8)
    assert.equal(kit.queued, 2)
    await kit.advance(100)
    for (const { answer } of calls) assert.deepEqual(answer, { how: 'replied', value: { via: '10.0.0.1' } })
  })

  it('request and reply: asks again what got lost, and tells what cannot be', async () => {
    await using kit = await kitOf('Request and reply')
    let asked = 0
    kit.onPeer('routes', 'lookup', () => (++asked < 3 ? { died: true } : { reply: { via: '10.0.0.1' } }))
    const lost = kit.call('resolve', { dest: '192.0.2.1' })
    await kit.settle()
    assert.equal(lost.answer?.how, 'replied')
    kit.onPeer('routes', 'lookup', { refused: 'no route' })
    const refused = kit.call('resolve', { dest: '192.0.2.2' })
    await kit.settle()
    assert.equal(refused.answer?.how, 'refused')
    kit.onPeer('routes', 'lookup', { reply: { via: '10.0.0.1' }, after: 1000 })
    const slow = kit.call('resolve', { dest: '192.0.2.3' })
    await kit.advance(299)
    const how = () => slow.answer?.how
    assert.equal(how(), undefined)
    await kit.advance(1)
    assert.equal(how(), 'refused')
  })

  it('start from what is true: reads at the start, and again when something is missing', async () => {
    let shown = 'local0 0 down 0/0/0/0\neth0 1 up 9000/0/0/0'
    await using kit = await kitOf('Start from what is true', { cli: { 'show interface': () => shown } })
    const last = () => kit.logs.at(-1)?.fields.up
    const links = kit as unknown as NodeKit<{ link: typeof interfaceChange }>
    links.transition('eth1', 'admin', { admin: true })
    await kit.settle()
    assert.deepEqual(last(), ['eth0', 'eth1'])
    links.transition('eth0', 'admin', { admin: false })
    await kit.settle()
    assert.deepEqual(last(), ['eth1'])
    shown = 'eth2 3 up 9000/0/0/0'
    kit.gap(5)
    await kit.settle()
    assert.deepEqual(last(), ['eth2'])
    assert.equal(kit.cliCommands.length, 2)
  })

  it('once only: looks first if it may have been done', async () => {
    await using kit = await kitOf('Once only')
    kit.onCli(/^create loopback/, '')
    kit.onCli('show interface', 'loop7 2 down 9000/0/0/0')
    kit.send('create', { loop: 7 })
    await kit.settle()
    assert.deepEqual(kit.cliCommands, ['create loopback interface instance 7'])
    kit.send('create', { loop: 7 }, { redelivered: true })
    kit.send('create', { loop: 71 }, { redelivered: true })
    await kit.settle()
    assert.deepEqual(kit.counters, { created: 2, there: 1 })
  })

  it('graceful stop finishes what is open, then has its last command', async () => {
    const cli = { 'set interface state loop0 up': '', 'set interface state loop0 down': '' }
    await using kit = await kitOf('Graceful stop', { cli })
    kit.onCli('show runtime', { text: '…', after: 400 })
    kit.send('run', { command: 'show runtime' })
    assert.equal(await kit.close(), undefined)
    await kit.advance(400)
    assert.deepEqual(kit.result, { how: 'returned' })
    assert.deepEqual(kit.cliCommands, [
      'set interface state loop0 up',
      'show runtime',
      'set interface state loop0 down',
    ])
  })

  it('no pattern is left out', () => {
    const headings = page.blocks.filter(({ language }) => language === 'ts').map(({ heading }) => heading)
    assert.deepEqual(
      headings.filter(heading => !tested.has(heading)),
      [],
    )
    assert.ok(headings.length >= 11)
  })
})
