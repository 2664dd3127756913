// node.signal: what goes to process nodes of the host, and what does not.
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { compileNode, processNode } from '../../daemon/process/define.js'
import { NodeStoppedError, UndeliveredError } from '../../daemon/process/errors.js'
import type { Vm } from '../../daemon/process/node.js'
import { settle, TestNode, TestPort } from './port.js'

type Signal = (target: string, code: bigint | number, data?: bigint | number) => Promise<void>

function start(run: (signal: Signal, vm: Vm) => Promise<void>, port = new TestPort()): TestNode {
  const definition = processNode({
    signals: ['dhcp-client-process', 'other'],
    async run(vm, node) {
      await vm.yield()
      await run((target, code, data) => node.signal(target as 'other', code, data), vm)
    },
  })
  return new TestNode(definition, port)
}

describe('node.signal', () => {
  it('gives code and datum to the host, at once and in order', async () => {
    const node = start(async signal => {
      const first = signal('dhcp-client-process', 2n ** 64n - 1n, 5)
      const second = signal('other', 0)
      assert.equal(node.port.signals.length, 2)
      await Promise.all([first, second])
    })
    await settle()
    assert.deepEqual(await node.ended, { how: 'returned' })
    assert.deepEqual(node.port.signals, [
      ['dhcp-client-process', 2n ** 64n - 1n, 5n],
      ['other', 0n, 0n],
    ])
  })

  it('passes on why it was not done', async () => {
    const port = new TestPort()
    port.signalled = async () => {
      throw new UndeliveredError('other', 'NODE_UNKNOWN', 'no such node')
    }
    const node = start(
      signal => assert.rejects(signal('other', 1), { code: 'ERR_UNDELIVERED', status: 'NODE_UNKNOWN' }),
      port,
    )
    assert.deepEqual(await node.ended, { how: 'returned' })
  })

  it('ends with the node', async () => {
    const port = new TestPort()
    port.signalled = () => new Promise(() => {})
    const node = start(async signal => {
      await assert.rejects(signal('other', 1), NodeStoppedError)
      await assert.rejects(signal('other', 1), NodeStoppedError)
      assert.equal(port.signals.length, 1)
    }, port)
    await settle()
    node.runtime.destroy()
    assert.deepEqual(await node.ended, { how: 'stopped' })
  })

  it('refuses what the definition does not name, and numbers that are none', async () => {
    const node = start(async signal => {
      const invalid = { code: 'ERR_INVALID_ARGUMENT' }
      await assert.rejects(signal('nobody', 1), { ...invalid, message: /declares no process node "nobody"/ })
      for (const wrong of [-1, 0.5, Number.NaN, 2 ** 53, -1n, 2n ** 64n]) {
        await assert.rejects(signal('other', wrong), invalid)
        await assert.rejects(signal('other', 1, wrong), invalid)
      }
      assert.deepEqual(node.port.signals, [])
    })
    await settle()
    assert.deepEqual(await node.ended, { how: 'returned' })
  })

  it('a definition has at most 64 names, each one that a host can have', () => {
    const run = async () => {}
    const names = (count: number) => Array.from({ length: count }, (_, i) => `n${i}`)
    assert.deepEqual(compileNode(processNode({ signals: names(64), run })).signals.length, 64)
    assert.throws(() => processNode({ signals: names(65), run }), /signals: 65 .* 64/)
    assert.throws(() => processNode({ signals: ['a b'], run }), /process node "a b" in signals/)
    assert.throws(() => processNode({ signals: [''], run }), /1 to 63 printable/)
  })
})
