// hostile.test.ts: a daemon that stands still, dies, or closes its doorbells: VPP neither blocks nor spins.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { root } from '../support/folder.js'
import { Program } from '../support/program.js'
import { waitFor } from '../support/wait.js'
import { Daemon } from './daemon.js'
import { Peer } from './peer.js'
import { needVpp, Vpp } from './vpp.js'

describe('vpp: a daemon that behaves badly', function () {
  this.timeout(120_000)
  let vpp: Vpp
  before(async function () {
    needVpp(this)
    vpp = await Vpp.start()
  })
  after(async () => {
    await vpp?.[Symbol.asyncDispose]()
  })
  afterEach(() => assert.ok(vpp.running, vpp.output))

  /**
   * VPP's own computing in two seconds: a main loop that never sleeps takes all of a core, an idle one a tenth. A busy
   * machine gives it less, never more.
   */
  async function rests(): Promise<void> {
    const before = vpp.computed()
    const from = performance.now()
    await sleep(2000)
    const share = (vpp.computed() - before) / ((performance.now() - from) / 1000)
    assert.ok(share < 0.5, `VPP takes ${(share * 100).toFixed()} % of a core`)
  }

  it('stands still: VPP goes on and rests, what is too much is dropped and told, the rest arrives', async () => {
    await using daemon = new Daemon(vpp.socket, { events: { module: 'events.js', queue: { backlog: 10_000 } } })
    await daemon.running()
    process.kill(daemon.pid, 'SIGSTOP')
    const sent = 100_000
    await vpp.cli(`corod-test signal events 2 0 ${sent}`)
    assert.match(await vpp.cli('show version'), /^vpp v/)
    await rests()
    const counts = /accepted (\d+), dropped (\d+)/.exec(await vpp.cli('show corod node events'))
    const dropped = Number(counts?.[2])
    assert.ok(dropped > 50_000, `${dropped} dropped`)
    process.kill(daemon.pid, 'SIGCONT')
    const seen = (type: string) =>
      daemon.lines<{ type: string; count?: string }>('events').filter(line => line.type === type)
    await waitFor('what was taken', () => seen('poke').length === sent - dropped)
    await vpp.cli('corod-test signal events 2 0')
    await waitFor('one more', () => seen('poke').length === sent - dropped + 1)
    assert.equal(
      seen('gap').reduce((sum, gap) => sum + Number(gap.count), 0),
      dropped,
    )
  })

  it('is killed: VPP rests', async () => {
    const daemon = new Daemon(vpp.socket, { events: { module: 'events.js' } })
    await daemon.running()
    await daemon.kill('SIGKILL')
    await waitFor('VPP to notice', async () => /no daemon is attached/.test(await vpp.cli('show corod attachment')))
    await rests()
    await daemon[Symbol.asyncDispose]()
  })

  it('closes the doorbells that VPP reads and stays: VPP rests, and the next daemon finds it as it was', async () => {
    const program = join(root, 'dist', 'tests', 'vpp', 'hangup.js')
    const hangup = new Program(process.execPath, [program, vpp.socket])
    try {
      await waitFor('the doorbells to be closed', () => /^closed [1-9]/m.test(hangup.output))
      await vpp.cli('corod send hung-up 1 00')
      await rests()
    } finally {
      await hangup.kill('SIGKILL')
    }
    await waitFor('VPP to notice', async () => /no daemon is attached/.test(await vpp.cli('show corod attachment')))
    using peer = await Peer.attach(vpp.socket)
    const node = await peer.node('after')
    await vpp.cli('corod send after 1 00')
    await node.got(1)
  })
})
