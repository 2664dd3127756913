// plugin.test.ts: the plugin in a real VPP, seen by a daemon without coroutines: nodes, senders, signals, counters.
import assert from 'node:assert/strict'
import { waitFor } from '../support/wait.js'
import { kinds, Peer } from './peer.js'
import { needVpp, Vpp } from './vpp.js'

describe('vpp: nodes', () => {
  let vpp: Vpp
  before(async function () {
    needVpp(this)
    vpp = await Vpp.start()
  })
  after(async () => {
    await vpp?.[Symbol.asyncDispose]()
  })
  afterEach(() => assert.ok(vpp.running, vpp.output))

  it('makes a real process node under its name, and its counters and next nodes', async () => {
    using peer = await Peer.attach(vpp.socket)
    const node = await peer.node('first', {
      next: ['ip4-lookup'],
      counters: [{ name: 'sent', text: 'beacons sent', severity: 'info' }],
    })
    await peer.ready()
    assert.match(await vpp.cli('show node first'), /process.*index \d+[\s\S]*ip4-lookup/i)
    assert.match(await vpp.cli('show runtime first'), /first\s+"(event|any) wait/)
    node.count(0, 7)
    await waitFor('the counter', async () => /7\s+first\s+beacons sent\s+info/.test(await vpp.cli('show errors')))
    assert.match(await vpp.stats('/err/first/sent'), /: 7 packets \/err\/first\/sent$/m)
    const suspends = async () =>
      Number(/^first +"[^"]*" +\d+ +\d+ +(\d+) /m.exec(await vpp.cli('show runtime first'))?.[1])
    const before = await suspends()
    for (let i = 0; i < 5; i++) await vpp.cli(`corod-test signal first 1 ${i}`)
    await node.got(5)
    assert.ok((await suspends()) >= before + 5)
  })

  it('refuses names VPP has, unknown next nodes and nodes that take no packets', async () => {
    using peer = await Peer.attach(vpp.socket)
    await assert.rejects(peer.node('ip4-lookup'), /NAME_TAKEN: ip4-lookup: the host has another node/)
    await assert.rejects(peer.node('a', { next: ['nowhere'] }), /NEXT_UNKNOWN: next node nowhere: VPP has no such/)
    await assert.rejects(
      peer.node('a', { next: ['pg-input'] }),
      /NEXT_UNKNOWN: next node pg-input: it takes no packets/,
    )
    const long = 'n'.repeat(63)
    await assert.rejects(
      peer.node(long, { counters: [{ name: 'c'.repeat(63), text: '', severity: 'warn' }] }),
      /NAME_INVALID: counter c+: .*longer than 127/,
    )
    await peer.ready()
  })

  it('gives a removed node back to the next one of its name', async () => {
    using peer = await Peer.attach(vpp.socket)
    const one = await peer.node('again')
    await vpp.cli('corod-test keep again')
    await peer.remove(one)
    assert.match(await vpp.cli('corod-test kept 1'), /^22 /)
    await vpp.cli('corod-test signal again 1 5')
    const two = await peer.node('again')
    assert.equal(two.index, one.index)
    assert.match(await vpp.cli('corod-test kept 1'), /^22 /, 'the handle is of the earlier life')
    await vpp.cli('corod-test signal again 1 6')
    const [event] = await two.got(1)
    assert.equal(event?.payload.readBigUInt64LE(), 6n, 'what was sent to the parked node is discarded')
  })

  it('makes 1,000 nodes, at most ten to a pass', async () => {
    using peer = await Peer.attach(vpp.socket)
    await vpp.cli('corod-test count-nodes')
    const nodes = await Promise.all(Array.from({ length: 1000 }, (_, i) => peer.node(`many-${i}`)))
    const most = Number(/most nodes made in one pass (\d+)/.exec(await vpp.cli('corod-test show'))?.[1])
    assert.ok(most > 1 && most <= 10, `${most} in one pass`)
    assert.equal(new Set(nodes.map(node => node.index)).size, 1000)
    await peer.ready()
    await vpp.cli('corod-test signal many-999 1 9')
    assert.equal((await (nodes[999] as (typeof nodes)[0]).got(1))[0]?.payload.readBigUInt64LE(), 9n)
  })

  it('makes nodes of other names out of removed ones, once many are parked', async () => {
    using peer = await Peer.attach(vpp.socket)
    const first = await Promise.all(Array.from({ length: 200 }, (_, i) => peer.node(`first-${i}`)))
    for (const node of first) await peer.remove(node)
    await vpp.cli('corod-test count-nodes')
    const second = await Promise.all(Array.from({ length: 100 }, (_, i) => peer.node(`second-${i}`)))
    assert.match(await vpp.cli('corod-test show'), /most nodes made in one pass 0\s/)
    assert.equal(new Set(second.map(node => node.index)).size, 100)
    assert.match(await vpp.cli('show node second-99'), /process/i)
    await vpp.cli('corod-test signal second-99 1 9')
    assert.equal((await (second[99] as (typeof second)[0]).got(1))[0]?.payload.readBigUInt64LE(), 9n)
  })

  it('hands over signals in order, declared ones only', async () => {
    using peer = await Peer.attach(vpp.socket)
    const node = await peer.node('signalled')
    await peer.ready()
    await vpp.cli('corod-test signal signalled 2 1 10')
    await vpp.cli('corod-test signal signalled 1 100 50000')
    const events = await node.got(50_000)
    assert.ok(events.every((e, i) => e.kind === kinds.signal && e.payload.readBigUInt64LE() === BigInt(100 + i)))
    assert.ok(events.every((e, i) => e.seq === BigInt(i + 1)))
  })

  it('goes on with signals and handles of C senders while a daemon changes its node', async () => {
    using peer = await Peer.attach(vpp.socket)
    const first = await peer.node('reloaded')
    await peer.ready()
    await vpp.cli('corod-test keep reloaded')
    await peer.remove(first, 'keep')
    const send = async (value: number) => {
      assert.match(await vpp.cli('corod-test kept 1 1'), /^0 done/)
      await vpp.cli(`corod-test signal reloaded 1 ${value}`)
    }
    await send(7)
    const asked = peer.node('reloaded', { next: ['ip4-lookup', 'ip6-lookup'] })
    await send(8)
    const second = await asked
    await send(9)
    const events = await second.got(6)
    assert.deepEqual(
      events.map(e => (e.kind === kinds.signal ? e.payload.readBigUInt64LE() : 'sent')),
      ['sent', 7n, 'sent', 8n, 'sent', 9n],
    )
    assert.match(await vpp.cli('show node reloaded'), /ip6-lookup/)
  })

  it('takes events from the C API on main, the CLI, and tells errors', async () => {
    using peer = await Peer.attach(vpp.socket)
    const node = await peer.node('sent-to', { codes: [{ code: 1, maxSize: 16 }] })
    await peer.ready()
    await vpp.cli('corod-test keep sent-to')
    assert.match(await vpp.cli('corod-test kept 1 16'), /^0 done/)
    assert.match(await vpp.cli('corod-test kept 1 17'), /^11 /)
    assert.match(await vpp.cli('corod-test kept 2'), /^10 /)
    assert.match(await vpp.cli('corod-test alien'), /^20 /, 'a thread that is not VPP’s')
    assert.match(await vpp.cli('corod-test keep nobody'), /^9 /)
    assert.match(await vpp.cli('corod send sent-to 1 0102ff'), /accepted as 2/)
    assert.match(await vpp.cli('corod send sent-to 3'), /no such message/)
    const events = await node.got(2)
    assert.deepEqual(events[1]?.payload, Buffer.from([1, 2, 255]))
    assert.match(await vpp.cli('show corod node sent-to'), /accepted 2/)
    assert.match(await vpp.cli('show corod'), /daemon attached: process \d+ \(peer\)[\s\S]*^\d+ +sent-to +attached/m)
    assert.match(await vpp.cli('show corod what').catch(String), /unknown: 'what'; try nodes, node NAME, attachment/)
  })

  it('keeps nodes and events while no daemon is attached, and refuses a second daemon', async () => {
    const first = await Peer.attach(vpp.socket)
    const before = await first.node('kept')
    await first.ready()
    await assert.rejects(Peer.attach(vpp.socket), new RegExp(`BUSY: .*\\(process ${process.pid}\\)`))
    first.close()
    await vpp.cli('corod send kept 1 aa')
    await vpp.cli('corod send kept 1 bb')
    using second = await Peer.attach(vpp.socket)
    const node = await second.node('kept')
    assert.equal(node.index, before.index)
    assert.equal(node.answer.carried, 2)
    const events = await node.got(2)
    assert.deepEqual(
      events.map(e => e.payload.toString('hex')),
      ['aa', 'bb'],
    )
  })

  it('signals native process nodes only if listed', async () => {
    using peer = await Peer.attach(vpp.socket)
    const node = await peer.node('signaller')
    const other = await peer.node('other')
    assert.equal((await node.signal('other', 1n, 3n)).status, 'OK')
    assert.equal((await other.got(1))[0]?.payload.readBigUInt64LE(), 3n)
    assert.equal((await node.signal('corod-test-native', 5n, 1n)).status, 'NOT_LISTED')
    for (const name of ['corod-test-native', 'ip4-lookup', 'nowhere'])
      await peer.ask(call => peer.link.allowSignal(call, name))
    assert.equal((await node.signal('corod-test-native', 5n, 41n)).status, 'OK')
    await waitFor('the signal', async () => /signals 1 sum 41 type 5/.test(await vpp.cli('corod-test show')))
    assert.equal((await node.signal('ip4-lookup', 5n, 1n)).status, 'NODE_UNKNOWN')
    assert.equal((await node.signal('nowhere', 5n, 1n)).status, 'NODE_UNKNOWN')
  })

  it('wakes at the deadline of a node', async () => {
    using peer = await Peer.attach(vpp.socket)
    const node = await peer.node('timed')
    await peer.ready()
    const { now } = await import('../../shm/ring.js')
    for (const ms of [0, 1, 30]) {
      const due = now() + ms
      const runs = async () => Number(/runs (\d+)/.exec(await vpp.cli('show corod node timed'))?.[1] ?? 0)
      const before = await runs()
      peer.executor.deadline(node.slot, due)
      await waitFor('the process to run', async () => (await runs()) > before)
      peer.executor.deadline(node.slot, Number.POSITIVE_INFINITY)
    }
  })
})
