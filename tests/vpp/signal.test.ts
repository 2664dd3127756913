// signal.test.ts: a coroutine signals process nodes of VPP that are not corod's.
import assert from 'node:assert/strict'
import { waitFor } from '../support/wait.js'
import { Daemon } from './daemon.js'
import { needVpp, Vpp } from './vpp.js'

describe('vpp: signals of coroutines', function () {
  this.timeout(120_000)

  it('reach native process nodes, code and datum whole; what is no process node is told', async function () {
    needVpp(this)
    await using vpp = await Vpp.start()
    const nodes = { signaller: { module: 'signal.js' } }
    await using daemon = new Daemon(vpp.socket, nodes, { signals: ['corod-test-native', 'ip4-lookup'] })
    await daemon.running()
    const go = (to: string, code: string, data: string) =>
      vpp.cli(`corod ask signaller 1 ${hex(to === 'ip4-lookup' ? 1 : 0, code, data)}`)
    assert.match(await go('corod-test-native', '5', '41'), /646f6e65|done/)
    await waitFor('the signal', async () => /signals 1 sum 41 type 5/.test(await vpp.cli('corod-test show')))
    assert.match(await go('ip4-lookup', '5', '1'), /NODE_UNKNOWN|4e4f44455f554e4b4e4f574e/)
    assert.ok(vpp.running, vpp.output)
  })
})

/** The fields of `go`, as the message table has them. */
function hex(to: number, code: string, data: string): string {
  const bytes = Buffer.alloc(17)
  bytes.writeUInt8(to)
  bytes.writeBigUInt64LE(BigInt(code), 1)
  bytes.writeBigUInt64LE(BigInt(data), 9)
  return bytes.toString('hex')
}
