// Time is virtual here: an hour passes in milliseconds. Run it with npm test.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { testNode } from 'corod/testing'
import node from './node-name.js'

describe('node-name', () => {
  it('greets', async () => {
    await using kit = await testNode(node)
    kit.send('greet', { name: 'Ada' })
    await kit.settle()
    assert.equal(kit.logs[0]?.text, 'hello Ada')
    assert.equal(kit.counters.greeted, 1)
  })

  it('reports at its pace, whatever comes in between', async () => {
    await using kit = await testNode(node, { options: { every: 60_000 } })
    kit.after(59_000, () => kit.send('greet', { name: 'Ada' }))
    await kit.advance(3_600_000)
    const reports = kit.logs.filter(line => line.text === 'so far')
    assert.equal(reports.length, 60)
    assert.deepEqual(reports[0]?.fields, { greeted: 1 })
  })

  it('takes no options that make no sense', async () => {
    await assert.rejects(testNode(node, { options: { every: 'often' } }), /every/)
  })

  it('counts what was lost', async () => {
    await using kit = await testNode(node)
    kit.gap(3)
    await kit.settle()
    assert.equal(kit.counters.missed, 3)
  })

  it('handles what is queued before it stops', async () => {
    await using kit = await testNode(node)
    kit.send('greet', { name: 'Ada' })
    assert.deepEqual(await kit.close(), { how: 'returned' })
    assert.equal(kit.counters.greeted, 1)
  })
})
