// commands.test.ts: what a node may ask of VPP: packets, CLI. Hostile values are answered, and VPP goes on.
import assert from 'node:assert/strict'
import { setImmediate as turn } from 'node:timers/promises'
import { waitFor } from '../support/wait.js'
import { Peer, type PeerNode } from './peer.js'
import { needVpp, Vpp } from './vpp.js'

const none = 0xffffffff
/** VNET_BUFFER_F_LOCALLY_ORIGINATED. */
const local = 1 << 25

/** The last packet that corod-test-sink has seen. */
async function sink(vpp: Vpp) {
  const line = /sink packets (\d+) rx (-?\d+) tx (-?\d+) flags (\w+) last (\w*)/.exec(await vpp.cli('corod-test show'))
  assert.ok(line)
  const [, packets, rx, tx, flags, last] = line
  return { packets: Number(packets), rx: Number(rx), tx: Number(tx), flags: Number.parseInt(flags as string, 16), last }
}

describe('vpp: packets', () => {
  let vpp: Vpp
  let peer: Peer
  let node: PeerNode
  const next = ['corod-test-sink', 'ip4-lookup', 'interface-output', 'ethernet-input', 'ip6-lookup']
  before(async function () {
    needVpp(this)
    vpp = await Vpp.start()
    for (const command of ['create packet-generator interface pg0', 'create loopback interface']) await vpp.cli(command)
    peer = await Peer.attach(vpp.socket)
    node = await peer.node('packets', { next, commandRing: 1 << 20 })
    await peer.ready()
  })
  after(async () => {
    peer?.close()
    await vpp?.[Symbol.asyncDispose]()
  })
  afterEach(() => assert.ok(vpp.running, vpp.output))

  it('copies a packet into one buffer, with interface and flags', async () => {
    const packet = Buffer.from('0102030405', 'hex')
    assert.equal((await node.enqueue(0, packet, 1, none, local)).status, 'OK')
    const seen = await waitFor('the packet', async () => {
      const now = await sink(vpp)
      return now.packets === 1 ? now : undefined
    })
    assert.deepEqual(
      { ...seen, flags: seen.flags & local },
      { packets: 1, rx: 1, tx: -1, flags: local, last: '0102030405' },
    )
  })

  it('copies one that is larger than a buffer into a chain', async () => {
    const packet = Buffer.alloc(9216, 1).map((_, i) => i & 255)
    assert.equal((await node.enqueue(0, packet)).status, 'OK')
    await waitFor('the packet', async () => (await sink(vpp)).last === Buffer.from(packet).toString('hex'))
  })

  for (const loop of ['idle', 'busy'])
    it(`sends thousands in frames and loses none, main loop ${loop}`, async () => {
      await vpp.cli(`corod-test ${loop}`)
      const before = (await sink(vpp)).packets
      const sent = 20_000
      for (let i = 0; i < sent; i++) {
        while (!peer.executor.enqueue(node.slot, 0, 0, none, none, 0, Buffer.of(i & 255, i >> 8))) {
          peer.executor.flush()
          await turn()
        }
      }
      peer.executor.flush()
      await waitFor('all packets', async () => (await sink(vpp)).packets === before + sent)
      await vpp.cli('corod-test idle')
    })

  it('refuses interfaces, tables and flags that would make VPP read past its tables', async () => {
    const packet = Buffer.alloc(64)
    const unknown: [string, number, number, number][] = [
      ['rx that is none', 0, 99, none],
      ['rx far out', 0, 0xfffffffe, none],
      ['tx that is none', 2, none, 99],
      ['a table index as tx', 1, none, 77],
    ]
    for (const [what, index, rx, tx] of unknown)
      assert.equal((await node.enqueue(index, packet, rx, tx)).status, 'INTERFACE_UNKNOWN', what)
    const refused: [string, number, number, number, number][] = [
      ['no tx for interface-output', 2, none, none, 0],
      ['tx for a node that takes none', 0, none, 1, 0],
      ['Ethernet without an Ethernet interface', 3, none, none, 0],
      ['a chained buffer', 0, none, none, 2],
      ['offloads', 1, none, none, 1 << 15],
      ['all flags', 0, none, none, none],
    ]
    for (const [what, index, rx, tx, flags] of refused)
      assert.equal((await node.enqueue(index, packet, rx, tx, flags)).status, 'UNSUPPORTED', what)
    assert.equal((await node.enqueue(5, packet)).status, 'NEXT_UNKNOWN')
    assert.equal((await node.enqueue(1, packet)).status, 'OK', 'nonsense, dropped by the graph')
    assert.equal((await node.enqueue(1, packet, 1, 1)).status, 'OK', 'in the table of interface 1')
    assert.equal((await node.enqueue(4, packet)).status, 'OK')
    assert.equal((await node.enqueue(3, packet, 1)).status, 'OK')
    await waitFor('drops', async () => /ip4-|ethernet|null-node|error-drop/.test(await vpp.cli('show errors')))
  })

  it('says so when VPP has no buffer left', async () => {
    const statuses = new Set<string>()
    await vpp.cli('set interface state pg0 up')
    // Frames are put once a pass: what one wake enqueues must find buffers before they are freed.
    const outcomes = Array.from({ length: 200 }, () => node.enqueue(0, Buffer.alloc(9000)))
    for (const outcome of await Promise.all(outcomes)) statuses.add(outcome.status)
    assert.ok(
      [...statuses].every(status => status === 'OK' || status === 'NO_BUFFER'),
      [...statuses].join(),
    )
  })
})

describe('vpp: CLI of nodes', () => {
  let vpp: Vpp
  let peer: Peer
  before(async function () {
    needVpp(this)
    vpp = await Vpp.start({ plugins: ['ping'], corod: 'cli-runners 3 cli-refuse { show plugins }' })
    peer = await Peer.attach(vpp.socket)
  })
  after(async () => {
    peer?.close()
    await vpp?.[Symbol.asyncDispose]()
  })
  afterEach(() => assert.ok(vpp.running, vpp.output))

  it('gives the output, and an unknown command as a failure', async () => {
    const node = await peer.node('cli')
    const version = await node.cli('show version')
    assert.equal(version.status, 'OK')
    assert.match(version.bytes.toString(), /^vpp v/)
    const wrong = await node.cli('show nonsense')
    assert.equal(wrong.status, 'CLI_FAILED')
    assert.match(wrong.bytes.toString(), /unknown input/)
    assert.match((await node.cli('show corod nodes')).bytes.toString(), /cli .*attached/)
  })

  it('gives long output whole', async () => {
    const node = await peer.node('long-output')
    const { status, bytes } = await node.cli('show vlib graph')
    assert.equal(status, 'OK')
    assert.ok(bytes.length > 100_000, `${bytes.length} bytes`)
    assert.match(bytes.toString(), /ip4-lookup/)
  })

  it('gives 16 MB of output whole, and says so of more', async () => {
    const node = await peer.node('most-output')
    const most = 16 << 20
    const whole = await node.cli(`corod-test print ${most - 1}`) // and a newline
    assert.equal(whole.status, 'OK')
    assert.equal(whole.bytes.length, most)
    assert.ok(whole.bytes.subarray(0, -1).every(byte => byte === 0x78))
    const more = await node.cli(`corod-test print ${most + 1}`)
    assert.deepEqual([more.status, more.bytes.length], ['CUT', most])
  })

  it('runs commands that wait beside each other, and those of a node one after another', async () => {
    const nodes = await Promise.all(['w1', 'w2', 'quick'].map(name => peer.node(name)))
    const done: string[] = []
    const [one, two, quick] = nodes as [PeerNode, PeerNode, PeerNode]
    const run = (node: PeerNode, command: string, name: string) =>
      node.cli(command).then(outcome => {
        done.push(name)
        return outcome
      })
    const all = await Promise.all([
      run(one, 'ping 127.0.0.1 repeat 2 interval 0.2', 'ping'),
      run(one, 'show version', 'behind the ping'),
      run(two, 'suspend', 'suspend'),
      run(quick, 'show version', 'quick'),
    ])
    assert.ok(all.every(outcome => outcome.status === 'OK' || outcome.status === 'CLI_FAILED'))
    assert.ok(done.indexOf('quick') < done.indexOf('ping'), done.join())
    assert.ok(done.indexOf('ping') < done.indexOf('behind the ping'), done.join())
  })

  it('refuses commands that would wait while the workers are stopped, wherever they stand', async () => {
    const node = await peer.node('refused')
    const script = '/tmp/corod-no-such-script'
    for (const command of ['wait 5', 'wai 5', 'show version wait 5', 'uncomment { wait 5 }', 'show plugins'])
      assert.equal((await node.cli(command)).status, 'CLI_SUSPENDS', command)
    assert.equal((await node.cli(`exec ${script}`)).status, 'CLI_FAILED')
    assert.match(await vpp.cli('show plugins'), /corod_plugin/, 'others may')
    assert.match(await vpp.cli('wait 0.01'), /waited/)
  })
})
