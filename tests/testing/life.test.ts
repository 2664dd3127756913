import assert from 'node:assert/strict'
import { processNode } from '../../daemon/index.js'
import { NodeStoppedError } from '../../daemon/process/errors.js'
import { testNode } from '../../daemon/testing/index.js'
import { start } from './node.js'

describe('testing/kit: life and death', () => {
  it('close: the inbox ends after what was sent', async () => {
    const got: string[] = []
    await using kit = await start(async (_, node) => {
      for await (const event of node.inbox) got.push(event.type)
      got.push('end')
    })
    kit.send('stop')
    assert.deepEqual(await kit.close(), { how: 'returned' })
    assert.deepEqual(got, ['stop', 'end'])
    assert.throws(() => kit.send('stop'), /inbox was closed/)
  })

  it('close: undefined while the node still has something to wait for', async () => {
    await using kit = await start(async (vm, node) => {
      for await (const _ of node.inbox);
      await vm.sleep(500)
    })
    assert.equal(await kit.close(), undefined)
    await kit.advance(500)
    assert.deepEqual(kit.result, { how: 'returned' })
  })

  it('destroy: waits reject, the signal aborts, finally runs', async () => {
    const seen: unknown[] = []
    await using kit = await start(async vm => {
      vm.signal.addEventListener('abort', () => seen.push('abort'))
      try {
        await vm.sleep(1e9)
      } catch (error) {
        seen.push(error instanceof NodeStoppedError)
        throw error
      } finally {
        seen.push('finally')
      }
    })
    assert.deepEqual(await kit.destroy(), { how: 'stopped' })
    assert.deepEqual(seen, ['abort', true, 'finally'])
  })

  it('what the node throws, the test hears, once and at its time', async () => {
    const kit = await start(async vm => {
      await vm.sleep(100)
      throw new Error('no luck')
    })
    await assert.rejects(kit.advance(1000), /no luck/)
    assert.equal(kit.now, 1_000_100)
    assert.equal(kit.result?.how, 'failed')
    await kit.settle()
    await kit[Symbol.asyncDispose]()
  })

  it('what throws at once, rejects the start', async () => {
    await assert.rejects(
      start(async () => {
        throw new Error('at once')
      }),
      /at once/,
    )
  })

  it('a failure that nobody was told comes when the kit is disposed of', async () => {
    const kit = await start(async vm => {
      try {
        await vm.sleep(1e6)
      } finally {
        // biome-ignore lint/correctness/noUnsafeFinally: what a clumsy author might write
        throw new Error('unheard')
      }
    })
    await assert.rejects(kit[Symbol.asyncDispose](), /unheard/)
  })

  it('a new life gets again what the one before had in hand, marked, before all else', async () => {
    const got: unknown[] = []
    const kit = await start(async (_, node) => {
      for await (const event of node.inbox) {
        got.push([event.seq, event.redelivered, event.attempts])
        if (event.attempts < 2 && event.type === 'datum') throw new Error('died of it')
      }
    })
    kit.send('stop')
    kit.send('datum', { data: 1n })
    kit.send('stop')
    await assert.rejects(kit.settle(), /died of it/)
    await assert.rejects(kit.restart(), /died of it/)
    await kit.restart()
    assert.deepEqual(got, [
      [1n, false, 0],
      [2n, false, 0],
      [2n, true, 1],
      [2n, true, 2],
      [3n, false, 0],
    ])
    await kit[Symbol.asyncDispose]()
  })

  it('a new life of a node that runs, has its own timers and data', async () => {
    const lives: object[] = []
    const node = processNode({
      counters: { fired: 'timers that went off' },
      data: () => ({}),
      async run(vm, context) {
        lives.push(context.data)
        await vm.sleep(100)
        context.count('fired')
      },
    })
    await using kit = await testNode(node)
    await kit.advance(60)
    await kit.restart()
    await kit.advance(60)
    assert.equal(kit.counters.fired, 0)
    await kit.advance(40)
    assert.equal(kit.counters.fired, 1)
    assert.equal(new Set(lives).size, 2)
  })

  it('nobody can send to a node that has returned', async () => {
    await using kit = await start(async () => {})
    assert.throws(() => kit.send('stop'), /has returned/)
  })

  it('a node that does not stop is told by restart', async () => {
    const forever = new Promise<void>(() => {})
    const kit = await start(async () => forever)
    await assert.rejects(kit.restart(), /does not stop/)
  })
})

describe('testing/kit: options', () => {
  const schema = {
    '~standard': {
      version: 1 as const,
      vendor: 'test',
      validate: (value: unknown) => {
        const { every } = value as { every?: unknown }
        if (typeof every === 'number') return { value: { every: every * 2 } }
        return { issues: [{ message: 'not a number', path: ['every'] }] }
      },
    },
  }
  const node = processNode({
    options: schema,
    async run(_, { options, log }) {
      log.info(`every ${options.every}`)
    },
  })

  it('are checked by the schema of the node, which may change them', async () => {
    await using kit = await testNode(node, { options: { every: 4 } })
    assert.deepEqual(kit.logs[0]?.text, 'every 8')
    await assert.rejects(testNode(node, { options: { every: 'x' } }), /^OptionsError: options\.every: not a number$/)
  })

  it('the name of the node is the one of the setup', async () => {
    const named = processNode({ run: async (_, { name, log }) => log.info(name) })
    await using kit = await testNode(named, { name: 'uplink' })
    assert.equal(kit.logs[0]?.text, 'uplink')
  })
})
