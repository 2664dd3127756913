// Exactly one coroutine for each process node; nothing is spawned.
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { processNode } from '../../../daemon/process/define.js'
import { finish, settle, start, TestNode } from '../port.js'

describe('parity: exactly one coroutine for each process node', () => {
  it('runs once; another life takes another runtime', async () => {
    let runs = 0
    const node = await finish(async () => {
      runs++
    })
    await assert.rejects(node.runtime.run(), { code: 'ERR_INVALID_ARGUMENT' })
    assert.equal(runs, 1)
  })

  it('several lives of one definition share nothing', async () => {
    const definition = processNode({
      data: () => ({ seen: 0 }),
      async run(_vm, node) {
        for await (const _ of node.inbox) node.data.seen++
        assert.equal(node.data.seen, 1)
      },
    })
    const nodes = [new TestNode(definition), new TestNode(definition)]
    for (const node of nodes) node.send('event')
    for (const node of nodes) node.close()
    for (const node of nodes) assert.deepEqual(await node.ended, { how: 'returned' })
  })

  it('handles its events one after the other: the next is not taken before this one is done', async () => {
    const steps: string[] = []
    const node = start(async (vm, { inbox }) => {
      for await (const { seq } of inbox) {
        steps.push(`begins ${seq}`)
        await vm.sleep(10)
        steps.push(`ends ${seq}`)
      }
    })
    for (let i = 0; i < 3; i++) node.send('event')
    await node.pass(15)
    assert.deepEqual(steps, ['begins 1', 'ends 1', 'begins 2'])
    assert.equal(node.port.queued, 1)
    node.close()
    await node.pass(50)
    assert.deepEqual(await node.ended, { how: 'returned' })
    assert.equal(steps.at(-1), 'ends 3')
  })

  it('nothing goes on behind it: when it has returned, what it had begun is over', async () => {
    const late: unknown[] = []
    const node = start(async vm => {
      void (async () => {
        await vm.sleep(10)
        late.push('woke')
      })().catch(error => late.push(error.code))
    })
    assert.deepEqual(await node.ended, { how: 'returned' })
    await node.pass(50)
    await settle()
    assert.deepEqual(late, ['ERR_NODE_STOPPED'])
  })
})
