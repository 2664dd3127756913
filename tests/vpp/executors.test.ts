// executors.test.ts: nodes on worker threads in a real VPP: one that spins, and one on another thread beside it.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { root } from '../support/folder.js'
import { waitFor } from '../support/wait.js'
import { Daemon } from './daemon.js'
import { needVpp, Vpp } from './vpp.js'

const module = join(root, 'tests', 'e2e', 'nodes', 'trouble.ts')

describe('vpp: executors', function () {
  this.timeout(120_000)
  let vpp: Vpp
  let daemon: Daemon
  before(async function () {
    needVpp(this)
    vpp = await Vpp.start()
    const restart = { min: '10ms', max: '100ms' }
    const nodes = {
      spinner: { module, executor: 'slow', restart },
      other: { module, executor: 'worker' },
    }
    daemon = new Daemon(vpp.socket, nodes, { executors: { slow: { 'max-stall': '1s' } } })
    await daemon.running()
  })
  after(async () => {
    await daemon?.[Symbol.asyncDispose]()
    await vpp?.[Symbol.asyncDispose]()
  })

  const seen = async (node: string) =>
    Number(new RegExp(`(\\d+) +${node} +events seen`).exec(await vpp.cli('show errors'))?.[1] ?? 0)

  it('a node that spins is given its event again on a new thread, and the other one answers all the time', async () => {
    assert.match(await vpp.cli('corod send spinner 2'), /accepted/)
    for (let i = 1; i <= 20; i++) {
      assert.match(await vpp.cli('corod send other 1 01000000'), /accepted/)
      await waitFor(`${i} events at the other`, async () => (await seen('other')) >= i)
    }
    // The third delivery is taken, and with it its count; the counts of those that spun were never published.
    await waitFor('the third delivery', async () => (await seen('spinner')) >= 1)
    await waitFor('nothing to wait', async () => /waiting 0 of/.test(await vpp.cli('show corod node spinner')))
    assert.match(daemon.output, /executor slow did not answer/)
    await daemon.running()
  })
})
