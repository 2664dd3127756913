// Error counters with description and severity. That VPP shows them: tests/vpp.
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { compileNode, processNode } from '../../../daemon/process/define.js'
import { TestNode } from '../port.js'

describe('parity: error counters with description and severity', () => {
  it('are told to the host, and counted by index', async () => {
    const definition = processNode({
      counters: {
        sent: 'packets sent',
        full: { text: 'no room', severity: 'warn' },
        lost: { text: 'lost', severity: 'error' },
        seen: { text: 'seen' },
      },
      async run(_vm, node) {
        node.count('full')
        node.count('sent', 3)
        node.count('lost', 0)
      },
    })
    assert.deepEqual(compileNode(definition).counters, [
      { name: 'sent', text: 'packets sent', severity: 'info' },
      { name: 'full', text: 'no room', severity: 'warn' },
      { name: 'lost', text: 'lost', severity: 'error' },
      { name: 'seen', text: 'seen', severity: 'info' },
    ])
    const node = new TestNode(definition)
    assert.deepEqual(await node.ended, { how: 'returned' })
    assert.deepEqual(node.port.counted, [
      [1, 1],
      [0, 3],
      [2, 0],
    ])
  })
})
