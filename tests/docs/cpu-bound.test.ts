// docs/cpu-bound.md: its nodes give way, and are right.
import assert from 'node:assert/strict'
import { testNode } from '../../daemon/testing/index.js'
import { TestNode } from '../process/port.js'
import { type LooseKit, loadNode, loadNodes, Page } from './page.js'

const page = new Page('docs/cpu-bound.md')

describe('docs/cpu-bound.md', () => {
  it('the node that counts primes is right, and gives way', async () => {
    await using kit: LooseKit = await testNode(await loadNode(page, 'Give way'))
    let turns = 0
    const turn = () => {
      turns++
      if (kit.queued + kit.inHand.length > 0) setImmediate(turn)
    }
    const asked = kit.call('count', { below: 30_000 })
    setImmediate(turn)
    await kit.settle()
    assert.deepEqual(asked.answer, { how: 'replied', value: { primes: 3245 } })
    assert.ok(turns > 25, `${turns} turns of others`)
  })

  it('it ends within a piece when it is destroyed', async () => {
    const node = new TestNode(await loadNode(page, 'Give way'))
    node.send('count', { below: 4_000_000_000 })
    for (let turn = 0; turn < 20; turn++) await new Promise(resolve => setImmediate(resolve))
    node.runtime.destroy()
    assert.deepEqual(await node.ended, { how: 'stopped' })
  })

  it('the other answers while it computes', async () => {
    const [, second] = await loadNodes(page, 'Give way')
    await using kit: LooseKit = await testNode(second!)
    kit.send('sum', { below: 100_000 })
    kit.send('ping', {})
    await kit.settle()
    assert.deepEqual(
      kit.logs.map(line => line.text),
      ['pong', 'the sum is 4999950000'],
    )
  })
})
