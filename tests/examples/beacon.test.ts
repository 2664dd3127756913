// beacon.ts in the kit: its pace, its packets and its counters, without a host.
import assert from 'node:assert/strict'
import { testNode } from '../../daemon/testing/index.js'
import beacon from '../../docs/examples/beacon.js'

const dest = '198.51.100.7'

/** Destination address of an IPv4 packet. */
const to = ({ packet }: { packet: Uint8Array }) => packet.subarray(16, 20).join('.')

describe('examples: beacon', () => {
  it('is silent until it is enabled', async () => {
    await using kit = await testNode(beacon)
    await kit.advance(3_600_000)
    assert.deepEqual(kit.commands, [])
  })

  it('sends one packet at once, and then at its pace; an hour of it', async () => {
    await using kit = await testNode(beacon, { options: { every: 250 } })
    kit.send('enable', { dest })
    await kit.settle()
    assert.equal(kit.packets.length, 1)
    await kit.advance(3_600_000)
    assert.equal(kit.packets.length, 1 + 3600 * 4)
    assert.deepEqual(kit.counters, { sent: 14_401, full: 0, missed: 0 })
    assert.ok(kit.packets.every(packet => packet.next === 'ip4-lookup' && to(packet) === dest))
  })

  it('keeps its pace when it is told a new destination, but for one packet at once', async () => {
    await using kit = await testNode(beacon)
    kit.send('enable', { dest })
    kit.after(150, () => kit.send('enable', { dest: '203.0.113.1' }))
    await kit.advance(250)
    const sent = kit.packets.map(packet => [packet.time - 1_000_000, to(packet)])
    assert.deepEqual(sent, [
      [0, dest],
      [100, dest],
      [150, '203.0.113.1'],
      [250, '203.0.113.1'],
    ])
  })

  it('stops when it is disabled, and when requests were lost', async () => {
    await using kit = await testNode(beacon)
    for (const stop of [() => kit.send('disable'), () => kit.gap(2)]) {
      kit.send('enable', { dest })
      await kit.advance(100)
      const before = kit.packets.length
      stop()
      await kit.advance(10_000)
      assert.equal(kit.packets.length, before)
    }
    assert.equal(kit.counters.missed, 2)
  })

  it('skips a packet when the host has no room, and counts that', async () => {
    await using kit = await testNode(beacon)
    kit.room = 2
    kit.send('enable', { dest })
    await kit.advance(300)
    assert.deepEqual(kit.counters, { sent: 2, full: 2, missed: 0 })
  })

  it('handles an enable again that it had in hand when it died', async () => {
    await using kit = await testNode(beacon)
    kit.send('enable', { dest })
    await kit.settle()
    assert.equal(kit.inHand.length, 0)
    await kit.restart()
    // The enable was finished with: a new life is silent until it is told again.
    await kit.advance(1000)
    assert.equal(kit.packets.length, 1)
  })

  it('ends when its inbox is closed', async () => {
    await using kit = await testNode(beacon)
    kit.send('enable', { dest })
    assert.deepEqual(await kit.close(), { how: 'returned' })
  })
})
