// Named next nodes that the process may send packets to. Wrong names do not compile: tests/process/types.
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { compileNode, processNode } from '../../../daemon/process/define.js'
import { TestNode } from '../port.js'

describe('parity: named next nodes', () => {
  it('become indexes in the order of the definition', async () => {
    const definition = processNode({
      next: ['ip4-lookup', 'error-drop'],
      async run(_vm, node) {
        node.enqueue('error-drop', Uint8Array.of(1))
        node.enqueue('ip4-lookup', Uint8Array.of(2))
      },
    })
    assert.deepEqual(compileNode(definition).next, ['ip4-lookup', 'error-drop'])
    const node = new TestNode(definition)
    assert.deepEqual(await node.ended, { how: 'returned' })
    assert.deepEqual(
      node.port.packets.map(({ next }) => next),
      [1, 0],
    )
  })
})
