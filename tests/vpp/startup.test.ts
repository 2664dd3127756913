// startup.test.ts: the section `corod { … }` of startup.conf, and a VPP whose plugin cannot listen.
import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { waitFor } from '../support/wait.js'
import { Peer } from './peer.js'
import { needVpp, Vpp } from './vpp.js'

describe('vpp: startup.conf', () => {
  before(function () {
    needVpp(this)
  })

  it('may be left out: every key has its default, and VPP forwards without a daemon', async () => {
    await using vpp = await Vpp.start({ corod: null })
    // corod.sock in VPP's runtime directory, which is where this one looks, too.
    const { mode, gid } = statSync(vpp.socket)
    assert.deepEqual([mode & 0o777, gid], [0o660, process.getgid?.()])
    assert.match(await vpp.cli('show corod'), /no daemon is attached/)
    await vpp.script([
      'create packet-generator interface pg0',
      'create packet-generator interface pg1',
      'set interface state pg0 up',
      'set interface state pg1 up',
      'set interface ip address pg0 10.1.0.1/24',
      'set interface ip address pg1 10.2.0.1/24',
      'set ip neighbor pg1 10.2.0.2 02:00:00:00:00:99',
      'packet-generator new { name s limit 1000 size 64-64 interface pg0 node ip4-input data { UDP: 10.1.0.2 -> 10.2.0.2 UDP: 1 -> 2 incrementing 20 } }',
      'packet-generator enable-stream s',
    ])
    await waitFor('1,000 packets', async () => /tx packets +1000\b/.test(await vpp.cli('show interface pg1')))

    using peer = await Peer.attach(vpp.socket)
    const node = await peer.node('usual', { next: ['ip4-lookup'] })
    await peer.ready()
    const usual = await vpp.cli('show corod node usual')
    assert.match(usual, /events 65536, replies 16384, commands 32768[\s\S]*of 65536 \(0 of 16777216 bytes\)/)
    assert.equal((await node.cli('show version')).status, 'OK')
    await assert.rejects(peer.node('large', { codes: [{ code: 1, maxSize: 4097 }] }), /TOO_BIG: .*the host takes 4096/)
  })

  it('takes every key', async () => {
    // Not VPP's own group where that can be chosen: root may take any, others one of theirs.
    const gid = process.getuid?.() === 0 ? 1 : (process.getgroups?.().at(-1) ?? 0)
    const group = new RegExp(`^([^:]*):[^:]*:${gid}:`, 'm').exec(readFileSync('/etc/group', 'utf8'))?.[1] ?? gid
    await using vpp = await Vpp.start({
      corod:
        `mode 600 group ${group} ` +
        'max-nodes 2 max-event 1024 event-ring 8k reply-ring 4k command-ring 16k backlog 10 ' +
        'backlog-bytes 64k budget 8 cli-runners 1 cli-refuse { show plugins } next ip4-lookup thread-ring 128k',
    })
    const socket = statSync(vpp.socket)
    assert.deepEqual([socket.mode & 0o777, socket.gid], [0o600, gid])
    using peer = await Peer.attach(vpp.socket)
    const codes = [{ code: 1, maxSize: 1024 }]
    await peer.node('one', { next: ['ip4-lookup'], codes })
    assert.match(await vpp.cli('show corod node one'), /events 8192, replies 4096, commands 16384[\s\S]*of 10 \(/)
    await assert.rejects(
      peer.node('two', { next: ['ip6-lookup'], codes }),
      /NEXT_UNKNOWN: .*not listed in startup.conf/,
    )
    await assert.rejects(peer.node('two'), /TOO_BIG: .*the host takes 1024/)
    await peer.node('two', { codes })
    await assert.rejects(peer.node('three', { codes }), /LIMIT/)
  })

  it('refuses what it does not know or cannot do, in a sentence', async () => {
    const wrong: [string, RegExp][] = [
      ['bogus 1', /corod: unknown input .bogus/],
      ['max-nodes 5000', /max-nodes 5000: must be 1 to 4095/],
      ['event-ring 5000', /ring size 5000: must be a power of two/],
      ['mode 999', /unknown input .mode 999|unknown input/],
      ['group no-such-group', /unknown input/],
      ['thread-ring 64k max-event 32k', /thread-ring 65536: must be four times max-event 32768/],
    ]
    for (const [corod, why] of wrong) await assert.rejects(Vpp.start({ corod }), why, corod)
  })

  it('runs on without the socket if another VPP has it, and says so', async () => {
    await using first = await Vpp.start()
    await using second = await Vpp.start({ corod: `socket ${first.socket}`, listens: false })
    assert.match(await second.cli('show corod').catch(String), /not listening: .*/)
    assert.match(await second.cli('show version'), /^vpp v/)
    using peer = await Peer.attach(first.socket)
    await peer.node('still-there')
  })
})
