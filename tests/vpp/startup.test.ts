// startup.test.ts: the section `corod { … }` of startup.conf, and a VPP whose plugin cannot listen.
import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { Peer } from './peer.js'
import { needVpp, Vpp } from './vpp.js'

describe('vpp: startup.conf', () => {
  before(function () {
    needVpp(this)
  })

  it('takes every key', async () => {
    await using vpp = await Vpp.start({
      corod:
        'mode 600 group root max-nodes 2 max-event 1024 event-ring 8k reply-ring 4k command-ring 16k backlog 10 ' +
        'backlog-bytes 64k budget 8 cli-runners 1 cli-refuse { show plugins } next ip4-lookup thread-ring 128k',
    })
    assert.equal(statSync(vpp.socket).mode & 0o777, 0o600)
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
