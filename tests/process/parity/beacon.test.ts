// The node that the origin's own tests run, as it is written here.
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { message } from '../../../daemon/message/message.js'
import { ip4 } from '../../../daemon/message/values.js'
import { processNode } from '../../../daemon/process/define.js'
import { TestNode } from '../port.js'

describe('parity: a node as it is written', () => {
  it('the beacon of the origin: enabled with a destination, two packets, disabled', async () => {
    const beacon = processNode({
      messages: { enable: message(1, { dest: ip4 }), disable: message(2) },
      next: ['ip4-lookup'],
      counters: {
        sent: 'beacons sent',
        full: { text: 'ring full', severity: 'warn' },
      },
      async run(vm, node) {
        using due = vm.timer()
        let dest: string | undefined
        for (;;) {
          const event = await vm.select({ due, message: node.inbox })
          if (event.done) return
          if (event.source === 'message') {
            dest = event.value.type === 'enable' ? event.value.dest : undefined
            dest === undefined ? due.clear() : due.set(100)
          } else if (dest !== undefined) {
            node.count(node.enqueue('ip4-lookup', Uint8Array.from(dest.split('.').map(Number))) ? 'sent' : 'full')
            due.set(100)
          }
        }
      },
    })
    const node = new TestNode(beacon)
    node.send('enable', { dest: '10.0.0.1' })
    await node.pass(250)
    node.send('disable')
    await node.pass(500)
    node.close()
    assert.deepEqual(await node.ended, { how: 'returned' })
    assert.deepEqual(
      node.port.packets.map(({ packet }) => [...packet]),
      [
        [10, 0, 0, 1],
        [10, 0, 0, 1],
      ],
    )
    assert.deepEqual(node.port.counted, [
      [0, 1],
      [0, 1],
    ])
  })
})
