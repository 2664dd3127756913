// Buffers: a process node can send packets.
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { processNode } from '../../../daemon/process/define.js'
import { TestNode, TestPort } from '../port.js'

const none = 0xffff_ffff

describe('parity: packets to a next node', () => {
  it('go with their bytes, interfaces and flags; by default with none', async () => {
    const definition = processNode({
      next: ['ip4-lookup', 'interface-output'],
      async run(_vm, node) {
        node.enqueue('interface-output', Uint8Array.of(1, 2), { rx: 3, tx: 4, flags: 5 })
        assert.equal(node.enqueue('ip4-lookup', Uint8Array.of(9)), true)
        assert.equal(node.enqueue('ip4-lookup', Buffer.from('a part of it').subarray(2, 6), { tx: 0 }), true)
      },
    })
    const node = new TestNode(definition)
    assert.deepEqual(await node.ended, { how: 'returned' })
    assert.deepEqual(node.port.packets, [
      { next: 1, packet: Uint8Array.of(1, 2), rx: 3, tx: 4, flags: 5 },
      { next: 0, packet: Uint8Array.of(9), rx: none, tx: none, flags: 0 },
      { next: 0, packet: Buffer.from('part'), rx: none, tx: 0, flags: 0 },
    ])
  })

  it('enqueue says false when the host has no room, and nothing is sent', async () => {
    const port = new TestPort()
    port.room = false
    const definition = processNode({
      next: ['ip4-lookup'],
      async run(_vm, node) {
        assert.equal(node.enqueue('ip4-lookup', Uint8Array.of(9)), false)
        port.room = true
        assert.equal(node.enqueue('ip4-lookup', Uint8Array.of(8)), true)
      },
    })
    assert.deepEqual(await new TestNode(definition, port).ended, { how: 'returned' })
    assert.deepEqual(
      port.packets.map(({ packet }) => [...packet]),
      [[8]],
    )
  })
})
