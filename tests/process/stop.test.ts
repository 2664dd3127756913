// Close, destroy and failure: how a node ends.
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { channel } from '../../daemon/process/channel.js'
import { processNode } from '../../daemon/process/define.js'
import { NodeStoppedError } from '../../daemon/process/errors.js'
import type { Vm } from '../../daemon/process/node.js'
import { Unordered } from '../../daemon/process/unordered.js'
import { finish, settle, start, type TestContext, TestNode, TestPort } from './port.js'

const forever = () => new Promise<string>(() => {})

describe('destroy', () => {
  const waits: Record<string, (vm: Vm, node: TestContext) => Promise<unknown>> = {
    recv: (_vm, { inbox }) => inbox.recv(),
    'for await': (_vm, { inbox }) => inbox[Symbol.asyncIterator]().next(),
    batches: (_vm, { inbox }) => inbox.batches()[Symbol.asyncIterator]().next(),
    sleep: vm => vm.sleep(100),
    'sleep without end': vm => vm.sleep(Number.POSITIVE_INFINITY),
    select: (vm, { inbox }) => vm.select({ inbox, due: vm.timer(100) }),
    'select on a foreign channel': vm => vm.select({ rx: channel<number>()[1] }),
    'timeout of a source': (vm, { inbox }) => vm.timeout(100, inbox),
    'timeout of work': vm => vm.timeout(100, forever),
    cli: vm => vm.cli('show version'),
    'the node’s channel': vm => vm.channel<number>()[1].recv(),
    'an Unordered of the node': vm => vm.unordered([forever()]).next(),
    'for await of such an Unordered': vm => vm.unordered([forever()])[Symbol.asyncIterator]().next(),
    'an Unordered with vm.signal': vm => new Unordered([forever()], { signal: vm.signal }).next(),
    'select on an Unordered of nobody': vm => vm.select({ work: new Unordered([forever()]) }),
    'a channel with vm.signal': vm => channel<number>({ signal: vm.signal })[1].recv(),
    yield: vm => vm.yield(),
  }
  for (const [name, wait] of Object.entries(waits)) {
    it(`${name}: rejects with NodeStoppedError, finally and using run`, async () => {
      const port = new TestPort()
      port.answer = forever
      const steps: string[] = []
      const node = start(async (vm, context) => {
        using _ = { [Symbol.dispose]: () => void steps.push('using') }
        try {
          await wait(vm, context)
        } catch (error) {
          assert.ok(error instanceof NodeStoppedError)
          assert.equal(error.code, 'ERR_NODE_STOPPED')
          assert.equal(error.message, 'node "test" was stopped')
          // And so does every wait that begins after it.
          await assert.rejects(wait(vm, context), NodeStoppedError)
          throw error
        } finally {
          steps.push('finally')
        }
      }, port)
      if (name === 'yield') await Promise.resolve().then(() => {})
      else await settle()
      node.runtime.destroy()
      assert.deepEqual(await node.ended, { how: 'stopped' })
      assert.deepEqual(steps, ['finally', 'using'])
      assert.equal(port.nearest, Number.POSITIVE_INFINITY)
    })
  }

  it('a coroutine that catches every refusal and goes on does not hold up its thread', async () => {
    for (const [name, wait] of Object.entries(waits)) {
      if (/Unordered|channel/.test(name)) continue
      const port = new TestPort()
      port.answer = forever
      let asked = 0
      let enough = false
      const node = start(async (vm, context) => {
        while (!enough) {
          asked++
          await wait(vm, context).catch(() => {})
        }
      }, port)
      await settle()
      node.runtime.destroy()
      // The loop turns, although the coroutine never waits for anything real.
      await new Promise(resolve => setTimeout(resolve, 20))
      enough = true
      assert.equal((await node.ended).how, 'stopped', name)
      assert.ok(asked > 100, name)
    }
  })

  it('nor does one that asks on after the end of its inbox', async () => {
    const asks: ((vm: Vm, node: TestContext) => Promise<unknown>)[] = [
      (_vm, { inbox }) => inbox.recv(),
      (_vm, { inbox }) => inbox[Symbol.asyncIterator]().next(),
      (_vm, { inbox }) => inbox.batches()[Symbol.asyncIterator]().next(),
      (vm, { inbox }) => vm.select({ inbox }),
    ]
    for (const ask of asks) {
      let enough = false
      const node = start(async (vm, context) => {
        while (!enough) await ask(vm, context)
      })
      await settle()
      node.runtime.close()
      await new Promise(resolve => setTimeout(resolve, 20))
      enough = true
      assert.equal((await node.ended).how, 'returned')
    }
  })

  it('vm.signal aborts, with the same error; a signal asked for later is aborted', async () => {
    let reason: unknown
    const node = start(async (vm, { inbox }) => {
      vm.signal.addEventListener('abort', () => {
        reason = vm.signal.reason
      })
      await inbox.recv()
    })
    await settle()
    node.runtime.destroy()
    await node.ended
    assert.ok(reason instanceof NodeStoppedError)
    let vmOfEnded: Vm | undefined
    await finish(async vm => {
      vmOfEnded = vm
    })
    assert.equal(vmOfEnded?.signal.aborted, true)
  })

  it('what was in hand is not released, unless run returned all the same', async () => {
    for (const [returns, released] of [
      [false, []],
      [true, [1]],
    ] as const) {
      const node = start(async (vm, { inbox }) => {
        await inbox.recv()
        await vm.sleep(100).catch(error => {
          if (!returns) throw error
        })
      })
      node.send('event')
      await settle()
      node.runtime.destroy()
      assert.deepEqual(await node.ended, { how: 'stopped' })
      assert.deepEqual(node.port.released, released)
    }
  })

  it('after it neither events nor time reach the coroutine', async () => {
    const node = start(async (vm, { inbox }) => {
      await vm.sleep(5).catch(() => {})
      assert.throws(() => inbox.tryRecv(), NodeStoppedError)
      await forever()
    })
    await settle()
    node.runtime.destroy()
    node.runtime.destroy()
    node.send('event')
    node.runtime.close()
    await node.pass(10)
    assert.equal(node.port.queued, 1)
  })

  it('before it runs: it never does', async () => {
    let ran = false
    const port = new TestPort()
    const node = new TestNode(
      processNode({
        async run() {
          ran = true
        },
      }),
      port,
    )
    assert.deepEqual(await node.ended, { how: 'returned' })
    assert.equal(ran, true)
    ran = false
    const { NodeRuntime } = await import('../../daemon/process/runtime.js')
    const runtime = new NodeRuntime(
      processNode({
        async run() {
          ran = true
        },
      }),
      port,
    )
    runtime.destroy()
    assert.deepEqual(await runtime.run(), { how: 'stopped' })
    assert.equal(ran, false)
  })

  it('an error of the author’s own in finally is a failure; an AbortError is not', async () => {
    const failing = start(async vm => {
      try {
        await vm.sleep(5)
      } finally {
        await Promise.reject(new Error('in finally'))
      }
    })
    failing.runtime.destroy()
    const result = await failing.ended
    assert.match(String(result.how === 'failed' && result.error), /in finally/)

    const aborting = start(async vm => {
      const { setTimeout: wait } = await import('node:timers/promises')
      await wait(100_000, undefined, { signal: vm.signal })
    })
    await settle()
    aborting.runtime.destroy()
    assert.deepEqual(await aborting.ended, { how: 'stopped' })
  })

  it('ends the oldest wait first', async () => {
    const ended: string[] = []
    const node = start(async (vm, { inbox }) => {
      const waits = { sleep: vm.sleep(50), due: vm.select({ due: vm.timer(10) }), inbox: inbox.recv() }
      for (const [name, wait] of Object.entries(waits)) void wait.catch(() => ended.push(name))
      await forever()
    })
    await settle()
    node.runtime.destroy()
    await settle()
    assert.deepEqual(ended, ['sleep', 'due', 'inbox'])
  })

  it('waits that nobody awaits end with the node, too', async () => {
    const late: unknown[] = []
    const node = start(async vm => {
      vm.sleep(1000).catch(error => late.push(error.code))
      vm.cli('show version').then(output => late.push(output))
    })
    assert.deepEqual(await node.ended, { how: 'returned' })
    await settle()
    assert.ok(late.includes('ERR_NODE_STOPPED'))
  })
})

describe('close', () => {
  it('lets what is queued be handled, then ends for await', async () => {
    const seen: bigint[] = []
    const port = new TestPort()
    for (let i = 0; i < 3; i++) port.put('event')
    const node = start(async (vm, { inbox }) => {
      for await (const event of inbox) {
        seen.push(event.seq)
        await vm.sleep(10)
      }
    }, port)
    node.close()
    await node.pass(100)
    assert.deepEqual(await node.ended, { how: 'returned' })
    assert.deepEqual(seen, [1n, 2n, 3n])
    assert.deepEqual(port.released, [1, 2, 3])
  })

  it('leaves timers and calls alone', async () => {
    const node = start(async (vm, { inbox }) => {
      assert.equal(await inbox.recv(), undefined)
      assert.equal(vm.signal.aborted, false)
      await vm.sleep(10)
      assert.equal(await vm.cli('last'), 'last: done')
    })
    node.runtime.close()
    await node.pass(20)
    assert.deepEqual(await node.ended, { how: 'returned' })
  })
})

describe('fail', () => {
  it('ends the node with an error from elsewhere, whatever the coroutine does then', async () => {
    const error = new Error('thrown in a callback')
    for (const swallow of [true, false]) {
      let cause: unknown
      const node = start(async (_vm, { inbox }) => {
        await inbox.recv()
        await inbox.recv().catch(stopped => {
          cause = stopped.cause
          if (!swallow) throw stopped
        })
      })
      node.send('event')
      await settle()
      node.runtime.fail(error)
      assert.deepEqual(await node.ended, { how: 'failed', error })
      assert.equal(cause, error)
      assert.deepEqual(node.port.released, [1])
      node.runtime.fail(new Error('after the end'))
    }
  })

  it('what was in hand is not released, even if run returns', async () => {
    const node = start(async (vm, { inbox }) => {
      await inbox.recv()
      await vm.sleep(100).catch(() => {})
    })
    node.send('event')
    await settle()
    node.runtime.fail(new Error('thrown in a callback'))
    assert.equal((await node.ended).how, 'failed')
    assert.deepEqual(node.port.released, [])
  })
})
