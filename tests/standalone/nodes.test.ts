// Process nodes of the standalone host: events in, commands out, counters, CLI jobs, recycling, a thousand of them.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'mocha'
import { Folder } from '../support/folder.js'
import { waitFor } from '../support/wait.js'
import { kinds, Peer } from '../vpp/peer.js'
import { startHost } from './host.js'

const counters = [
  { name: 'sent', text: 'beacons sent', severity: 'info' },
  { name: 'full', text: 'ring full', severity: 'warn' },
] as const

/** Resident bytes of a process. */
function resident(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}

describe('corod-standalone: nodes', () => {
  it('relays signals and messages in order, and drops what the node does not declare', async () => {
    using folder = new Folder()
    await using host = await startHost(folder)
    using peer = await Peer.attach(host.socket)
    const node = await peer.node('n', {
      codes: [
        { code: 1, maxSize: 8 },
        { code: 7, maxSize: 8 },
      ],
    })
    await host.show('signal n 7 0x1122334455667788')
    assert.match(await host.show('corod send n 1 0aff'), /accepted as 2/)
    await host.show('signal n 99 1')
    await host.show('signal n 4294967303 1')
    await host.show('signal n 7 18446744073709551615')
    const [first, second, third, ...more] = await node.got(3)
    assert.deepEqual(more, [])
    assert.deepEqual([first?.kind, first?.type, first?.seq], [kinds.signal, 7, 1n])
    assert.equal(first?.payload.readBigUInt64LE(), 0x1122334455667788n)
    assert.deepEqual([second?.kind, second?.type, second?.payload], [kinds.event, 1, Buffer.from([0x0a, 0xff])])
    assert.equal(third?.payload.readBigUInt64LE(), 0xffffffffffffffffn)
    assert.match(await host.show('show corod node n'), /accepted 3, .* undeclared 2,/)
    const tooBig = await host.ask(`corod send n 1 ${'00'.repeat(9)}`)
    assert.equal(tooBig.code, 1)
    assert.match(tooBig.stdout, /larger than the limit/)
  })

  it('shows nodes, counters and runtime', async () => {
    using folder = new Folder()
    await using host = await startHost(folder)
    using peer = await Peer.attach(host.socket)
    const node = await peer.node('beacon', { counters, next: ['ip4-lookup', 'error-drop'] })
    node.count(0, 5)
    node.count(0, 2)
    node.count(1, 1)
    const errors = await waitFor('the counters', async () => {
      const shown = await host.show('show errors')
      return /^ +7 beacon +beacons sent +info$/m.test(shown) ? shown : undefined
    })
    assert.match(errors, /^ +1 beacon +ring full +warn$/m)
    const shown = await host.show('show node beacon')
    assert.match(shown, /next 0: ip4-lookup\n {2}next 1: error-drop\n {2}counter sent: 7 beacons sent/)
    assert.match(await host.show('show node'), new RegExp(`^ +${node.index} beacon +process +event wait$`, 'm'))
    assert.match(await host.show('show runtime'), /^beacon +event wait +\d+ +0 +\d+$/m)
    assert.match(await host.show('show corod'), /daemon attached: process \d+ \(peer\)/)
    assert.match(await host.show('show corod nodes'), /^1 +beacon +attached/m)
    assert.match(await host.show('show corod attachment'), /protocol 1, epoch [0-9a-f]{16}, 1 executors, 1 nodes/)
  })

  it('refuses what it does not have', async () => {
    using folder = new Folder()
    await using host = await startHost(folder, ['--no-interfaces', '--max-nodes', '2'])
    using peer = await Peer.attach(host.socket)
    await assert.rejects(
      peer.node('n', { next: ['ip4-lookup', 'nowhere'] }),
      /NEXT_UNKNOWN: .*nowhere; there are ip4-lookup/,
    )
    await assert.rejects(peer.node('n', { next: ['n'] }), /NEXT_UNKNOWN/)
    await assert.rejects(peer.node('ip4-lookup'), /NAME_TAKEN/)
    await peer.node('n')
    await assert.rejects(peer.node('m', { next: ['n'] }), /NEXT_UNKNOWN/)
    await peer.node('m')
    await assert.rejects(peer.node('o'), /LIMIT: the host takes 2 nodes/)
  })

  it('wakes the daemon at its deadline, not before', async () => {
    using folder = new Folder()
    await using host = await startHost(folder)
    using peer = await Peer.attach(host.socket)
    const node = await peer.node('n')
    const before = await host.show('show corod node n')
    assert.match(before, /deadlines relayed 0/)
    const at = performance.now() + 30
    peer.executor.deadline(node.slot, (await import('../vpp/peer.js')).now() + 30)
    assert.match(await host.show('show node'), /n +process +any wait/)
    await waitFor('the relay', async () => /deadlines relayed [1-9]/.test(await host.show('show corod node n')))
    assert.ok(performance.now() >= at)
    peer.executor.deadline(node.slot, Number.POSITIVE_INFINITY)
  })

  it("runs a node's CLI commands in order; one that waits delays no other node", async () => {
    using folder = new Folder()
    await using host = await startHost(folder)
    using peer = await Peer.attach(host.socket)
    const [slow, fast] = [await peer.node('slow'), await peer.node('fast')]
    const order: string[] = []
    const slowly = [slow.cli('wait 0.05'), slow.cli('show version')].map((outcome, i) =>
      outcome.then(({ status }) => order.push(`slow ${i} ${status}`)),
    )
    const { status, bytes } = await fast.cli('show node')
    order.push(`fast ${status}`)
    assert.match(bytes.toString(), /^ +\d+ slow +process/m)
    await Promise.all(slowly)
    assert.deepEqual(order, ['fast OK', 'slow 0 OK', 'slow 1 OK'])
    const bad = await fast.cli('bogus')
    assert.equal(bad.status, 'CLI_FAILED')
    assert.match(bad.bytes.toString(), /unknown command: bogus/)
  })

  it('signals other nodes: ours by name, others only when listed', async () => {
    using folder = new Folder()
    await using host = await startHost(folder)
    using peer = await Peer.attach(host.socket)
    const [a, b] = [await peer.node('a'), await peer.node('b')]
    assert.equal((await a.signal('b', 1n, 5n)).status, 'OK')
    assert.equal((await b.got(1))[0]?.payload.readBigUInt64LE(), 5n)
    assert.equal((await a.signal('nobody', 1n, 5n)).status, 'NOT_LISTED')
    await peer.ask(call => peer.link.allowSignal(call, 'nobody'))
    assert.equal((await a.signal('nobody', 1n, 5n)).status, 'NODE_UNKNOWN')
    assert.equal((await a.signal('b', 2n, 5n)).status, 'TYPE_UNKNOWN')
  })

  it('keeps nodes and their events while the daemon is away, and gives a removed name its index back', async () => {
    using folder = new Folder()
    await using host = await startHost(folder)
    let index: number
    {
      using peer = await Peer.attach(host.socket)
      const node = await peer.node('n', { counters })
      index = node.index
      node.count(0, 3)
      await waitFor('the count', async () => / 3 n /.test(await host.show('show errors')))
    }
    await waitFor('the end', async () => /no daemon is attached/.test(await host.show('show corod')))
    await host.show('corod send n 1 01')
    await host.show('signal n 1 2')
    assert.match(await host.show('show corod nodes'), /^1 +n +away +0 +2 /m)
    {
      using peer = await Peer.attach(host.socket)
      const node = await peer.node('n', { counters })
      assert.equal(node.answer.carried, 2)
      assert.equal(node.index, index)
      assert.equal((await node.got(2)).length, 2)
      await peer.remove(node)
      assert.match(await host.show('show node'), /n +process +parked/)
      await host.show('signal n 1 2') // discarded by the parked process
      const other = await peer.node('other')
      assert.notEqual(other.index, index)
      const again = await peer.node('n', { counters })
      assert.equal(again.index, index)
      assert.match(await host.show('show errors'), / 3 n /)
      assert.match(await host.show('show node n'), /discarded 1/)
      assert.equal((await again.signal('n', 1n, 1n)).status, 'OK')
      assert.equal((await again.got(1)).length, 1)
    }
  })

  it('has a thousand nodes in less than 50 MB, and lets names come and go without growing', async function () {
    this.timeout(60_000)
    using folder = new Folder()
    await using host = await startHost(folder)
    using peer = await Peer.attach(host.socket)
    const nodes = await Promise.all(Array.from({ length: 1000 }, (_, i) => peer.node(`n${i}`, { counters })))
    for (const node of nodes) node.count(0, 1)
    for (const [i, node] of nodes.entries()) {
      const outcome = await node.signal(`n${(i + 1) % 1000}`, 1n, BigInt(i))
      assert.equal(outcome.status, 'OK')
    }
    await waitFor('all events', () => nodes.every(node => node.events.length === 1))
    const used = resident(host.program.pid)
    assert.ok(used < 50e6, `${used} bytes`)
    for (let i = 0; i < 1000; i++) await peer.remove(await peer.node(`short-lived-${i}`, { counters }))
    assert.ok((await host.show('show node')).split('\n').length < 1000 + 4 + 300)
  })
})
