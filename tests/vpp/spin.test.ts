// spin.test.ts: a coroutine that computes for five seconds, while another VPP sends packets through this one at a fixed
// rate over memif: it forwards every one. A process node in C that computes likewise is shown beside it.
import assert from 'node:assert/strict'
import { Folder } from '../support/folder.js'
import { waitFor } from '../support/wait.js'
import { Daemon } from './daemon.js'
import { needVpp, sanitized, Vpp, vppHas } from './vpp.js'

const rate = 5000
const seconds = 6

describe('vpp: a node that computes', function () {
  this.timeout(180_000)
  const folder = new Folder()
  let vpp: Vpp
  let source: Vpp
  before(async function () {
    // VPP's memif reads past the end of a vector, four entries at a time, and ignores what is not there.
    if (sanitized) {
      process.stderr.write('  skipped: AddressSanitizer ends VPP in its own memif\n')
      this.skip()
    }
    needVpp(this, 2)
    if (!vppHas('memif')) {
      process.stderr.write('  skipped: this VPP has no memif plugin\n')
      this.skip()
    }
    const socket = folder.at('memif.sock')
    vpp = await Vpp.start({ plugins: ['memif'] })
    source = await Vpp.start({ plugins: ['memif'] })
    const memif = (id: number, role: string) => `create interface memif id ${id} socket-id 1 ring-size 4096 ${role}`
    await vpp.script([
      `create memif socket id 1 filename ${socket}`,
      memif(0, 'master'),
      memif(1, 'master'),
      'set interface state memif1/0 up',
      'set interface state memif1/1 up',
      'set interface ip address memif1/0 10.1.0.1/24',
      'set interface ip address memif1/1 10.2.0.1/24',
      'set ip neighbor memif1/1 10.2.0.2 02:00:00:00:00:99',
    ])
    await source.script([
      `create memif socket id 1 filename ${socket}`,
      memif(0, 'slave no-zero-copy'),
      memif(1, 'slave no-zero-copy'),
      'set interface state memif1/0 up',
      'set interface state memif1/1 up',
      'create packet-generator interface pg0',
      'set interface state pg0 up',
    ])
    await waitFor('memif', async () => /connected/.test(await source.cli('show memif memif1/1')))
    await vpp.script(['set interface rx-mode memif1/0 interrupt', 'set interface rx-mode memif1/1 interrupt'])
    await source.script(['set interface rx-mode memif1/0 interrupt', 'set interface rx-mode memif1/1 interrupt'])
  })
  after(async () => {
    await source?.[Symbol.asyncDispose]()
    await vpp?.[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
  })

  /** A counter of `show interface` of the source. */
  async function counter(name: string, what: string): Promise<number> {
    const text = await source.cli(`show interface ${name}`)
    return Number(new RegExp(`${what} +(\\d+)`).exec(text)?.[1] ?? 0)
  }

  /** Sends packets for some seconds, calls `meanwhile` early on, and gives how many were sent and did not come back. */
  async function lossDuring(meanwhile: () => Promise<void>): Promise<{ sent: number; lost: number }> {
    const before = await counter('memif1/1', 'rx packets')
    const generated = async () => Number(/^s +\w+ +(\d+)/m.exec(await source.cli('show packet-generator'))?.[1] ?? 0)
    const mac = /Ethernet address ([0-9a-f:]+)/.exec(await vpp.cli('show hardware-interfaces memif1/0'))?.[1]
    const sent = rate * seconds
    await source.script([
      `packet-generator new { name s limit ${sent} rate ${rate} size 64-64 interface pg0 node memif1/0-output tx-interface memif1/0 data { IP4: 02:00:00:00:00:01 -> ${mac} UDP: 10.1.0.2 -> 10.2.0.2 UDP: 1 -> 2 incrementing 20 } }`,
      'packet-generator enable-stream s',
    ])
    await meanwhile()
    await waitFor('the stream to end', async () => (await generated()) === sent, { ms: 60_000 })
    let received = -1
    await waitFor(
      'the last packet',
      async () => {
        const last = received
        received = (await counter('memif1/1', 'rx packets')) - before
        return received === last || received === sent
      },
      { every: 500 },
    )
    await source.cli('packet-generator delete s')
    return { sent, lost: sent - received }
  }

  it('costs VPP no packet, whatever the coroutine does', async () => {
    await using daemon = new Daemon(vpp.socket, { spin: { module: 'spin.js' } })
    await daemon.running()
    const { lost } = await lossDuring(async () => {
      await daemon.send('spin', 'spin', { ms: 5000 })
    })
    await waitFor('the coroutine', () => daemon.lines('spin').length === 1)
    assert.equal(lost, 0)
    const native = await lossDuring(async () => {
      await vpp.cli('corod-test spin 5000')
    })
    console.log(`      a process node in C that computes as long: ${native.lost} of ${native.sent} packets lost`)
    assert.ok(native.lost > 0, 'the comparison means nothing: nothing can be lost here')
  })
})
