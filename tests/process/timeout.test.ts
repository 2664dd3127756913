// vm.timeout around work, vm.cli, vm.yield: waits on what is not ours.
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { CliError, TimeoutError } from '../../daemon/process/errors.js'
import { finish, settle, start, TestPort } from './port.js'

describe('timeout with work', () => {
  it('gives the result, and aborts nothing', async () => {
    await finish(async vm => {
      let signal: AbortSignal | undefined
      const result = await vm.timeout(10, async given => {
        signal = given
        return 5
      })
      assert.equal(result, 5)
      assert.equal(signal?.aborted, false)
    })
  })

  it('that ends in time leaves no deadline behind', async () => {
    const node = start(async vm => {
      await vm.timeout(10, () => vm.sleep(5))
      await vm.sleep(100)
    })
    await node.pass(5)
    node.runtime.tick()
    assert.equal(node.port.nearest, 1105)
    await node.pass(100)
    assert.deepEqual(await node.ended, { how: 'returned' })
  })

  it('passes a rejection and a throw on', async () => {
    await finish(async vm => {
      await assert.rejects(
        vm.timeout(10, async () => {
          throw new Error('mine')
        }),
        /mine/,
      )
      await assert.rejects(
        vm.timeout(10, () => {
          throw new Error('sync')
        }),
        /sync/,
      )
    })
  })

  it('after the deadline: rejects, aborts the work, gives its late result back', async () => {
    let finishWork: (value: string) => void = () => {}
    let reason: unknown
    const late: string[] = []
    const node = start(async vm => {
      const work = (signal: AbortSignal) => {
        signal.addEventListener('abort', () => {
          reason = signal.reason
        })
        return new Promise<string>(resolve => {
          finishWork = resolve
        })
      }
      await assert.rejects(
        vm.timeout(10, work, result => late.push(result)),
        TimeoutError,
      )
      finishWork('too late')
      await vm.sleep(1)
    })
    await node.pass(20)
    assert.deepEqual(await node.ended, { how: 'returned' })
    assert.ok(reason instanceof TimeoutError)
    assert.deepEqual(late, ['too late'])
    assert.equal(node.port.lates, 1)
  })

  it('a rejection that comes late is nobody’s', async () => {
    let failWork: (error: Error) => void = () => {}
    const node = start(async vm => {
      await assert.rejects(
        vm.timeout(
          10,
          () =>
            new Promise((_, reject) => {
              failWork = reject
            }),
        ),
        TimeoutError,
      )
      failWork(new Error('late'))
      await vm.sleep(1)
    })
    await node.pass(20)
    await settle()
    assert.deepEqual(await node.ended, { how: 'returned' })
  })

  it('Infinity is no deadline', async () => {
    const node = start(async vm => {
      assert.equal(
        await vm.timeout(Number.POSITIVE_INFINITY, async () => {
          await vm.sleep(1e6)
          return 1
        }),
        1,
      )
    })
    await node.pass(2e6)
    assert.deepEqual(await node.ended, { how: 'returned' })
  })

  it('refuses what is neither a source nor a function', async () => {
    await finish(async vm => {
      const wrong = Promise.resolve(1) as unknown as () => Promise<number>
      await assert.rejects(vm.timeout(1, wrong), {
        code: 'ERR_INVALID_ARGUMENT',
      })
    })
  })
})

describe('timeout with a source', () => {
  it('a value that comes in time ends it, and its deadline', async () => {
    const node = start(async (vm, { inbox }) => {
      assert.equal((await vm.timeout(10, inbox))?.seq, 1n)
      await vm.sleep(20)
    })
    await node.pass(5)
    assert.equal(node.port.nearest, 1010)
    node.send('event')
    await settle()
    // Any wake tells the host what is left to wake for.
    node.runtime.tick()
    assert.equal(node.port.nearest, 1025)
    await node.pass(50)
    assert.deepEqual(await node.ended, { how: 'returned' })
  })

  it('throws what the source throws', async () => {
    const port = new TestPort()
    port.take = () => {
      throw new Error('torn')
    }
    await finish(async (vm, { inbox }) => {
      await assert.rejects(vm.timeout(1, inbox), /torn/)
    }, port)
  })
})

describe('cli', () => {
  it('gives the output', async () => {
    await finish(async vm => assert.equal(await vm.cli('show version'), 'show version: done'))
  })

  it('rejects with CliError, whatever the port has thrown', async () => {
    const port = new TestPort()
    port.answer = async command => {
      if (command === 'no') throw new CliError('no', 'CLI_BUSY', 'too many commands are waiting', 'so far')
      throw new Error('broken')
    }
    await finish(async vm => {
      await assert.rejects(vm.cli('no'), {
        code: 'ERR_CLI',
        status: 'CLI_BUSY',
        command: 'no',
        output: 'so far',
        message: '"no": too many commands are waiting',
      })
      await assert.rejects(vm.cli('x'), {
        code: 'ERR_CLI',
        status: 'CLI_FAILED',
        message: '"x": broken',
      })
    }, port)
  })

  it('a command is one line of text', async () => {
    await finish(async vm => {
      for (const wrong of ['', '  ', 'a\nb', 'a\0', 5 as unknown as string]) {
        await assert.rejects(vm.cli(wrong), { code: 'ERR_INVALID_ARGUMENT' })
      }
    })
  })

  it('a signal, or the stop of the node, ends the wait and is told to the host', async () => {
    const port = new TestPort()
    const aborted: unknown[] = []
    port.answer = (command, signal) =>
      new Promise(resolve => {
        signal.addEventListener('abort', () => {
          aborted.push(command)
          resolve('too late')
        })
      })
    const node = start(async vm => {
      await assert.rejects(
        vm.timeout(5, signal => vm.cli('first', { signal })),
        TimeoutError,
      )
      const given = AbortSignal.abort(new Error('before'))
      await assert.rejects(vm.cli('never', { signal: given }), /before/)
      await vm.cli('second')
    }, port)
    await node.pass(10)
    assert.deepEqual(aborted, ['first'])
    node.runtime.destroy()
    assert.deepEqual(await node.ended, { how: 'stopped' })
    assert.deepEqual(aborted, ['first', 'second'])
    await settle()
    assert.equal(node.port.lates, 2)
  })
})

describe('yield', () => {
  it('lets the event loop turn', async () => {
    let turns = 0
    await finish(async vm => {
      const count = setInterval(() => turns++, 0)
      while (turns < 3) await vm.yield()
      clearInterval(count)
    })
  })

  it('is fair: nodes that compute take turns, and one that waits is served in between', async () => {
    const turns: string[] = []
    const computing = (name: string) =>
      start(async vm => {
        // Were it not fair, the event would never come.
        while (!turns.includes('event')) {
          turns.push(name)
          await vm.yield()
        }
      })
    const nodes = [computing('a'), computing('b')]
    const waiting = start(async (_vm, { inbox }) => {
      for await (const _ of inbox) turns.push('event')
    })
    setTimeout(() => {
      waiting.send('event')
      waiting.close()
    })
    for (const node of [...nodes, waiting]) assert.deepEqual(await node.ended, { how: 'returned' })
    const computed = turns.filter(name => name !== 'event')
    for (let i = 1; i < computed.length; i++) assert.notEqual(computed[i], computed[i - 1])
  })
})
