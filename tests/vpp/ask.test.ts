// ask.test.ts: other code in VPP asks a node by the C API, and is called back on main.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { root } from '../support/folder.js'
import { waitFor } from '../support/wait.js'
import { Daemon } from './daemon.js'
import { needVpp, Vpp } from './vpp.js'

describe('vpp: answers to other code', function () {
  this.timeout(60_000)
  let vpp: Vpp
  before(async function () {
    needVpp(this)
    vpp = await Vpp.start()
  })
  after(async () => {
    await vpp?.[Symbol.asyncDispose]()
  })

  it('one call back for each: the reply, the reason, or why there is none', async () => {
    const store = join(root, 'dist', 'tests', 'e2e', 'nodes', 'store.js')
    await using daemon = new Daemon(vpp.socket, { store: { module: store, options: { gate: '/nowhere' } } })
    await daemon.running()
    assert.match(await vpp.cli('corod-test ask 3 01000000'), /^22 /) // no handle yet
    await vpp.cli('corod-test keep store')
    let answers = 0
    const ask = async (command: string, status: number, bytes: string) => {
      assert.match(await vpp.cli(`corod-test ask ${command}`), /^0 done/)
      answers++
      const wanted = new RegExp(`answers ${answers} status ${status} bytes ${bytes}\\s`)
      await waitFor(`${command}: ${wanted}`, async () => wanted.test(await vpp.cli('corod-test show')))
    }
    await ask('3 01000000', 0, '01000000')
    await ask(`2 ${'78'.padEnd(32, '0')}`, 25, Buffer.from('no key "x"').toString('hex'))
    await ask('3 10270000 within 0.05', 24, '')
    await ask('7 01000000', 27, '')
    assert.match(await vpp.cli('corod-test ask 99 00'), /^10 /)
    assert.match(await vpp.cli('corod-test ask 3 0100000000'), /^11 /)
    assert.match(await vpp.cli('corod-test show'), new RegExp(`answers ${answers} `))
    assert.ok(vpp.running, vpp.output)
  })
})
