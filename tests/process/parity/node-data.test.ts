// Data of each node.
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { processNode } from '../../../daemon/process/define.js'
import { TestNode } from '../port.js'

describe('parity: data of each node', () => {
  it('is made anew for each life', async () => {
    const made: object[] = []
    const definition = processNode({
      data: () => {
        const data = { seen: 0 }
        made.push(data)
        return data
      },
      async run(_vm, node) {
        node.data.seen++
        assert.equal(node.data.seen, 1)
      },
    })
    for (let life = 0; life < 2; life++) assert.deepEqual(await new TestNode(definition).ended, { how: 'returned' })
    assert.equal(made.length, 2)
    assert.notEqual(made[0], made[1])
  })

  it('its failure is a failure of the node', async () => {
    const error = new Error('no data')
    const definition = processNode({
      data: (): { n: number } => {
        throw error
      },
      async run() {},
    })
    assert.deepEqual(await new TestNode(definition).ended, { how: 'failed', error })
  })

  it('is undefined if the definition makes none', async () => {
    const definition = processNode({
      async run(_vm, node) {
        assert.equal(node.data, undefined)
      },
    })
    assert.deepEqual(await new TestNode(definition).ended, { how: 'returned' })
  })
})
