// Signals from coroutines to process nodes of the host. To native ones of VPP: tests/vpp.
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { Folder, root } from '../support/folder.js'
import { corod, startDaemon, startStandalone } from '../support/service.js'
import { waitFor } from '../support/wait.js'

const module = `${root}/dist/tests/e2e/nodes/signaller.js`

describe('end to end: signals', function () {
  this.timeout(60_000)

  it('reach process nodes; what is not there is told; what is not listed does not start', async () => {
    using folder = new Folder()
    await using _host = await startStandalone(folder)
    const nodes = `nodes:\n  a: { module: ${module} }\n  b: { module: ${module}, executor: worker }\n`
    const refused = await corod(['check', '-c', folder.write('bad.yaml', nodes)])
    assert.equal(refused.code, 78)
    assert.match(
      refused.stderr,
      /bad\.yaml:2:\d+: nodes\.a\.module: it signals the process node "nobody".*signals: \[nobody\]/,
    )

    await using daemon = startDaemon(folder, `signals: [nobody]\n${nodes}`)
    await daemon.running()
    const go = async (to: string, data: string, from = 'a') =>
      (await daemon.client.ask(from, { type: 'go', to, data }, 10_000)).reply
    assert.deepEqual(await go('b', '18446744073709551615'), { said: 'done' })
    await waitFor('the signal', async () => {
      const { reply } = await daemon.client.ask('b', { type: 'seen' }, 10_000)
      return reply.data === '18446744073709551615'
    })
    assert.deepEqual(await go('a', '5'), { said: 'done' })
    for (const from of ['a', 'b']) {
      assert.deepEqual(await go('a', '6', from), { said: 'done' })
      assert.deepEqual(await go('nobody', '1', from), { said: 'ERR_UNDELIVERED NODE_UNKNOWN' })
    }
  })
})
