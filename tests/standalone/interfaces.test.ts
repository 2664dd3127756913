// Interface transitions of the kernel: in order, timed, with the full state; and what is told when some were missed.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'mocha'
import { Folder } from '../support/folder.js'
import { Program } from '../support/program.js'
import { waitFor } from '../support/wait.js'
import { kinds, now, Peer, type PeerEvent } from '../vpp/peer.js'
import { type Host, hostOf, program } from './host.js'

const INTERFACE = 0xffff0001
const changes = ['', 'admin', 'link', 'mtu', 'address added', 'address removed', 'added', 'removed', 'resync']

interface Transition {
  readonly index: number
  readonly change: string
  readonly admin: boolean
  readonly link: boolean
  readonly mtu: number
  readonly mac: string
  readonly address: string
  readonly name: string
}

/** struct corod_interface of shm/layout.h. */
function transition(event: PeerEvent): Transition {
  const p = event.payload
  assert.equal(event.type, INTERFACE)
  assert.equal(p.length, 99)
  const family = p.readUInt8(17)
  return {
    index: p.readUInt32LE(0),
    change: changes[p.readUInt8(4)] ?? '?',
    admin: p.readUInt8(5) === 1,
    link: p.readUInt8(6) === 1,
    mtu: p.readUInt32LE(7),
    mac: p.toString('hex', 11, 17),
    address: family === 0 ? '' : `${p.toString('hex', 19, family === 4 ? 23 : 35)}/${p.readUInt8(18)}`,
    name: p.toString('utf8', 35).replace(/\0+$/, ''),
  }
}

/** Whether this machine lets us have a network of our own; with which kind of link. */
const kind = ['dummy', 'veth'].find(
  type => spawnSync('unshare', ['-Urn', 'ip', 'link', 'add', 'd0', 'type', type]).status === 0,
)

class Network implements AsyncDisposable {
  readonly host: Host

  private constructor(host: Host) {
    this.host = host
  }

  /** A host in a network of its own. */
  static async start(folder: Folder): Promise<Network> {
    const [socket, cli] = [folder.at('host.sock'), folder.at('cli.sock')]
    const running = new Program('unshare', ['-Urn', program, '--socket', socket, '--cli', cli])
    return new Network(await hostOf(running, socket, cli))
  }

  /** Runs lines of `ip -batch` there. */
  ip(...lines: readonly string[]): void {
    const inside = ['-t', String(this.host.program.pid), '-U', '-n', '--preserve-credentials']
    const result = spawnSync('nsenter', [...inside, 'ip', '-batch', '-'], {
      input: `${lines.join('\n')}\n`,
      encoding: 'utf8',
    })
    assert.equal(result.status, 0, result.stderr)
  }

  /** Has told everything that happened so far. */
  async settled(
    node: { readonly events: readonly PeerEvent[] },
    last: (t: Transition) => boolean,
  ): Promise<Transition[]> {
    const told = () => node.events.filter(event => event.kind === kinds.event).map(transition)
    await waitFor('the last transition', () => told().some(last))
    return told()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host[Symbol.asyncDispose]()
  }
}

const codes = [{ code: INTERFACE, maxSize: 99 }]

describe('corod-standalone: interfaces', function () {
  this.timeout(60_000)

  before(function () {
    if (kind === undefined) this.skip()
  })

  it('tells each transition in order, with the full state, to the nodes that list it', async () => {
    using folder = new Folder()
    await using network = await Network.start(folder)
    using peer = await Peer.attach(network.host.socket)
    const [node, other] = [await peer.node('watch', { codes }), await peer.node('other')]
    const begin = now()
    network.ip(`link add d0 address 02:00:00:00:00:07 type ${kind}`, 'link set d0 up', 'link set d0 mtu 1400')
    network.ip('address add 192.0.2.1/24 dev d0', 'address del 192.0.2.1/24 dev d0')
    network.ip('link set d0 down', 'link set d0 name d1', 'link delete d1')
    const told = (await network.settled(node, t => t.change === 'removed' && t.name === 'd1')).filter(
      t => /^d[01]$/.test(t.name) && !t.address.startsWith('fe80') && t.change !== 'link',
    )
    const seen = told.map(t => `${t.name} ${t.change} ${t.admin ? 'up' : 'down'} ${t.mtu} ${t.address}`.trim())
    assert.deepEqual(seen, [
      'd0 added down 1500',
      'd0 admin up 1500',
      'd0 mtu up 1400',
      'd0 address added up 1400 c0000201/24',
      'd0 address removed up 1400 c0000201/24',
      'd0 admin down 1400',
      'd0 removed down 1400',
      'd1 added down 1400',
      'd1 removed down 1400',
    ])
    assert.ok(told.every(t => t.mac === '020000000007' && t.index === told[0]?.index))
    const times = node.events.map(event => event.time)
    assert.deepEqual(
      times,
      [...times].sort((a, b) => a - b),
    )
    assert.ok((times[0] ?? 0) >= begin)
    assert.deepEqual(other.events, [])
    assert.match(await network.host.show('show interface'), /^lo +1 +(up|down)/m)
  })

  it('misses none of a thousand flips', async () => {
    using folder = new Folder()
    await using network = await Network.start(folder)
    network.ip(`link add d0 type ${kind}`)
    using peer = await Peer.attach(network.host.socket)
    const node = await peer.node('watch', { codes })
    for (let i = 0; i < 50; i++) {
      network.ip(...Array.from({ length: 10 }, () => 'link set d0 up\nlink set d0 down'))
      await waitFor(
        'these flips',
        () => node.events.filter(e => transition(e).change === 'admin').length >= 20 * (i + 1),
      )
    }
    const admin = node.events.map(transition).filter(t => t.change === 'admin' && t.name === 'd0')
    assert.equal(admin.length, 1000)
    assert.ok(admin.every((t, i) => t.admin === (i % 2 === 0)))
  })

  it('tells a gap and the state afresh when the kernel had to drop transitions', async () => {
    using folder = new Folder()
    await using network = await Network.start(folder)
    network.ip(`link add d0 type ${kind}`, `link add d2 type ${kind}`, 'address add 192.0.2.9/32 dev d2')
    using peer = await Peer.attach(network.host.socket)
    const node = await peer.node('watch', { codes, backlog: 100_000, eventRing: 1 << 20 })
    await waitFor('the host to know them', async () => /^d2 /m.test(await network.host.show('show interface')))
    process.kill(network.host.program.pid, 'SIGSTOP')
    network.ip(...Array.from({ length: 3000 }, () => 'link set d0 up\nlink set d0 down'))
    network.ip('link set d0 up', 'link delete d2')
    process.kill(network.host.program.pid, 'SIGCONT')
    const told = await network.settled(node, t => t.change === 'resync' && t.name === 'd0' && t.admin)
    await network.settled(node, t => t.change === 'removed' && t.name === 'd2')
    const gap = node.events.find(event => event.kind === kinds.gap)
    assert.ok(gap, 'a gap notice')
    assert.equal(gap.payload.readBigUInt64LE(16), 0n) // nobody knows how many
    assert.ok(told.filter(t => t.change === 'admin').length < 6001)
    // Whoever follows the transitions has the true state in the end.
    const last = new Map(node.events.filter(e => e.kind === kinds.event).map(e => [transition(e).name, transition(e)]))
    assert.equal(last.get('d0')?.admin, true)
    assert.equal(last.get('d2')?.change, 'removed')
    assert.match(await network.host.show('show interface'), /transitions were missed [1-9]/)
    assert.match(network.host.program.stderr, /interface transitions were missed/)
  })
})
