// interface.test.ts: VPP's interface transitions, each told in order with the state after it.
import assert from 'node:assert/strict'
import { codes } from '../../shm/ring.js'
import { Peer, type PeerEvent, type PeerNode } from './peer.js'
import { needVpp, Vpp } from './vpp.js'

const changes = ['', 'admin', 'link', 'mtu', 'address-added', 'address-removed', 'added', 'removed', 'resync']

/** The fields of struct corod_interface in shm/layout.h. */
function decode({ payload }: PeerEvent) {
  assert.equal(payload.length, 99)
  const family = payload.readUInt8(17)
  return {
    index: payload.readUInt32LE(0),
    change: changes[payload.readUInt8(4)],
    admin: payload.readUInt8(5),
    link: payload.readUInt8(6),
    mtu: payload.readUInt32LE(7),
    mac: payload.subarray(11, 17).toString('hex'),
    prefix: payload.readUInt8(18),
    address: payload.subarray(19, 19 + (family === 4 ? 4 : family === 6 ? 16 : 0)).toString('hex'),
    name: payload.toString('utf8', 35, payload.indexOf(0, 35)),
  }
}

describe('vpp: interface transitions', function () {
  this.timeout(120_000)
  let vpp: Vpp
  let peer: Peer
  let node: PeerNode
  before(async function () {
    needVpp(this)
    vpp = await Vpp.start()
    peer = await Peer.attach(vpp.socket)
    node = await peer.node('links', { codes: [{ code: codes.interfaceChange, maxSize: 99 }] })
    await peer.ready()
  })
  after(async () => {
    peer?.close()
    await vpp?.[Symbol.asyncDispose]()
  })
  beforeEach(() => node.events.splice(0))
  afterEach(() => assert.ok(vpp.running, vpp.output))

  const told = async (n: number) => (await node.got(n)).map(decode)

  it('tells of a new interface, admin and link, with name and address', async () => {
    await vpp.cli('create loopback interface mac 02:00:00:00:00:07')
    await vpp.cli('set interface state loop0 up')
    await vpp.cli('set interface state loop0 down')
    const all = await told(6)
    const seen = all.map(t => `${t.name} ${t.change} ${t.admin}${t.link}`)
    assert.deepEqual(seen, [
      'loop0 added 00',
      'loop0 mtu 00',
      'loop0 admin 10',
      'loop0 link 11',
      'loop0 admin 01',
      'loop0 link 00',
    ])
    assert.equal(all.at(-1)?.mac, '020000000007')
    assert.ok(node.events.every((e, i) => i === 0 || e.time >= (node.events[i - 1] as PeerEvent).time))
  })

  it('tells of MTU and addresses', async () => {
    await vpp.cli('set interface mtu packet 1400 loop0')
    await vpp.cli('set interface ip address loop0 10.1.2.3/24')
    await vpp.cli('set interface ip address loop0 2001:db8::1/64')
    await vpp.cli('set interface ip address del loop0 10.1.2.3/24')
    const all = (await told(4)).filter(t => t.change !== 'link')
    assert.equal(all.find(t => t.change === 'mtu')?.mtu, 1400)
    assert.deepEqual(
      all.filter(t => t.address).map(t => [t.change, t.address, t.prefix]),
      [
        ['address-added', '0a010203', 24],
        ['address-added', '20010db8000000000000000000000001', 64],
        ['address-removed', '0a010203', 24],
      ],
    )
  })

  it('sees each of 1,000 flips, in order, and the true final state', async () => {
    for (let i = 0; i < 10; i++) {
      const flips = Array.from({ length: 100 }, (_, j) => `set interface state loop0 ${j % 2 ? 'down' : 'up'}`)
      await vpp.script(flips)
    }
    await node.got(1000)
    const admin = (await told(2000)).filter(t => t.change === 'admin')
    assert.equal(admin.length, 1000)
    assert.ok(admin.every((t, i) => t.admin === (i + 1) % 2))
    assert.deepEqual([admin.at(-1)?.admin, (await told(2000)).at(-1)?.link], [0, 0])
  })

  it('tells of a removed interface', async () => {
    await vpp.cli('delete loopback interface intfc loop0')
    const all = await told(1)
    assert.equal(all.at(-1)?.change, 'removed')
    assert.equal(all.at(-1)?.name, 'loop0')
  })
})
