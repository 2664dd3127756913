// corod ask: usage, and clients that do not wait for their answer. What nodes answer is in tests/e2e/calls.test.ts.
import assert from 'node:assert/strict'
import { createConnection } from 'node:net'
import { describe, it } from 'mocha'
import { Folder, root } from '../support/folder.js'
import { startDaemon } from '../support/service.js'
import { waitFor } from '../support/wait.js'
import { startHost } from './host.js'

describe('corod-standalone: corod ask', () => {
  it('says how it is used', async () => {
    using folder = new Folder()
    await using host = await startHost(folder)
    const wrong = ['n', 'n x', 'n 1 0', 'n 1 0g', 'n 1 00 within', 'n 1 within 0', 'n 1 within -1', 'n 1 00 within 1 2']
    for (const args of wrong) {
      const { code, stdout } = await host.ask(`corod ask ${args}`)
      assert.deepEqual([code, stdout.startsWith('corod ask NODE CODE [HEX] [within SECONDS]')], [1, true], args)
    }
    for (const args of ['n 1', 'n 0x1 within 5', 'n 1 00ff', 'n 1 00ff within 0.5']) {
      const { code, stdout } = await host.ask(`corod ask ${args}`)
      assert.deepEqual([code, stdout], [1, 'n: no such node\n'], args)
    }
    assert.match(await host.show('help'), /corod ask NODE CODE \[HEX\] \[within SECONDS\] +sends a message/)
    for (const args of ['n', 'n 1 0', 'n 1 within 5']) {
      const { code, stdout } = await host.ask(`corod send ${args}`)
      assert.deepEqual([code, stdout], [1, 'corod send NODE CODE [HEX]\n'], args)
    }
  })

  it('a client that goes away waits no more, and others are not held up', async () => {
    using folder = new Folder()
    await using host = await startHost(folder)
    const yaml = `nodes:\n  store:\n    module: ${root}/dist/tests/e2e/nodes/store.js\n    options: { gate: ${folder.at('gate')} }\n`
    await using daemon = startDaemon(folder, yaml)
    await daemon.running()
    const socket = createConnection(host.cli)
    socket.on('error', () => {})
    socket.write('corod ask store 3 00ea0000 within 60\n')
    await waitFor('the question', async () => /waiting 1$/m.test(await host.show('show corod')))
    assert.deepEqual((await host.ask('corod ask store 3 01000000')).stdout, '01000000\n')
    socket.destroy()
    await waitFor('the end of it', async () => /waiting 0$/m.test(await host.show('show corod')))
    // Ended by the host's end instead: the program leaves nothing behind.
    const other = createConnection(host.cli)
    other.on('error', () => {})
    other.write('corod ask store 3 00ea0000 within 60\n')
    await waitFor('the next', async () => /waiting 1$/m.test(await host.show('show corod')))
    assert.deepEqual(await host.program.kill(), { code: 0, signal: null })
  }).timeout(20_000)
})
