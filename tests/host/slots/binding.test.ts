import assert from 'node:assert/strict'
import type { LoadedNode } from '../../../daemon/host/modules/loader.js'
import { NodeBinding, type Place } from '../../../daemon/host/slots/binding.js'
import { noCounts } from '../../../daemon/host/slots/counts.js'
import { Directory } from '../../../daemon/host/slots/directory.js'
import type { Runtime } from '../../../daemon/host/supervisor.js'
import { message } from '../../../daemon/message/message.js'
import { compileNode, processNode } from '../../../daemon/process/define.js'
import { CliError } from '../../../daemon/process/errors.js'
import type { ProcessContext, Vm } from '../../../daemon/process/node.js'
import { NodeRuntime } from '../../../daemon/process/runtime.js'
import { nodeConfig, silent } from '../fake-config.js'
import { fakeExecutor, turn } from '../fake-ring.js'

const place: Place = { slot: 3, generation: 9, node: 77 }

const go = message(1)
type Run = (
  vm: Vm,
  node: ProcessContext<{ go: typeof go }, 'next-a' | 'next-b', 'one' | 'two', undefined, unknown>,
) => Promise<void>

function setUp(run: Run) {
  const definition = processNode({
    messages: { go },
    next: ['next-a', 'next-b'],
    counters: { one: 'first', two: 'second' },
    run: run as never,
  })
  const { ring, executor, faults } = fakeExecutor()
  const node = { config: nodeConfig('n'), definition, options: {}, ...compileNode(definition) } as unknown as LoadedNode
  const clock = { now: 1000 }
  const removed: (Place & { how: string })[] = []
  const places: Record<string, Place> = {}
  let last: Runtime | undefined
  const counts = noCounts()
  const binding = new NodeBinding(
    node,
    place,
    executor,
    { counts, wanted: () => true, letters: undefined, rejected: () => {} },
    {
      now: () => clock.now,
      log: silent,
      runtime: port => {
        last = new NodeRuntime(definition, port, node)
        return last
      },
      close: async () => {},
      remove: async (at, how) => {
        removed.push({ ...at, how })
        return 5
      },
      directory: new Directory(name => places[name]),
    },
  )
  const start = () => {
    const ended = binding.runtime().run()
    return ended.then(result => {
      binding.settle(result)
      return result
    })
  }
  const send = (...seqs: number[]) => {
    ring.put(3, ...seqs.map(seq => ({ code: 1, seq: BigInt(seq) })))
    ring.ready(3)
  }
  return { ring, executor, faults, counts, binding, clock, removed, start, send, runtime: () => last }
}

describe('binding', () => {
  it('wakes a coroutine that waits, and lets it end', async () => {
    const seen: bigint[] = []
    const { binding, start, send } = setUp(async (_vm, node) => {
      for await (const event of node.inbox) seen.push(event.seq)
    })
    const ended = start()
    await turn()
    send(1, 2)
    await turn()
    send(3)
    await turn()
    assert.deepEqual(seen, [1n, 2n, 3n])
    binding.close()
    send()
    assert.deepEqual(await ended, { how: 'returned' })
  })

  it('adds counts up and pushes them once, before the events are released', async () => {
    const { ring, start, send } = setUp(async (_vm, node) => {
      for await (const event of node.inbox) {
        node.count('two', 3)
        node.count('two')
        if (event.seq === 2n) node.count('one')
      }
    })
    void start()
    await turn()
    ring.trace.length = 0
    send(1, 2)
    await turn()
    assert.deepEqual(ring.trace, ['take 3 1', 'take 3 1', 'count 3 0 1', 'count 3 1 8', 'release 3', 'flush'])
  })

  it('pushes counts at the end of the turn while an event is in hand', async () => {
    const { ring, start, send } = setUp(async (vm, node) => {
      for await (const _ of node.inbox) {
        node.count('one')
        await vm.sleep(1e6)
      }
    })
    void start()
    await turn()
    send(1)
    await turn()
    assert.deepEqual(
      ring.taken().map(c => [c.op, ...c.args]),
      [['count', 0, 1]],
    )
    assert.equal(ring.trace.at(-1), 'flush')
  })

  it('keeps counts that find no room, and adds up', async () => {
    const { ring, binding } = setUp(async () => {})
    ring.room = 0
    binding.count(0, 1)
    await turn()
    binding.count(0, 2)
    await turn()
    assert.deepEqual(ring.taken(), [])
    ring.room = 10
    ring.ready(3)
    await turn()
    assert.deepEqual(
      ring.taken().map(c => [c.op, ...c.args]),
      [['count', 0, 3]],
    )
    ring.ready(3)
    await turn()
    assert.deepEqual(ring.taken(), [])
  })

  it('sends packets, and says when there is no room', async () => {
    const answers: boolean[] = []
    const { ring, start, send } = setUp(async (_vm, node) => {
      for await (const _ of node.inbox) {
        answers.push(node.enqueue('next-b', Uint8Array.of(1, 2), { tx: 4 }))
        answers.push(node.enqueue('next-a', Uint8Array.of(3)))
      }
    })
    ring.room = 1
    void start()
    await turn()
    send(1)
    await turn()
    assert.deepEqual(answers, [true, false])
    const [command] = ring.taken()
    assert.deepEqual(command?.args, [1, 0xffffffff, 4, 0, Uint8Array.of(1, 2)])
  })

  it('does not let a packet overtake a command that waits for room', async () => {
    const { ring, binding } = setUp(async () => {})
    ring.room = 0
    void binding.cli('show version', new AbortController().signal).catch(() => {})
    ring.room = 10
    assert.equal(binding.enqueue(0, Uint8Array.of(1), 0, 0, 0), false)
    ring.ready(3)
    assert.equal(binding.enqueue(0, Uint8Array.of(1), 0, 0, 0), true)
    assert.deepEqual(
      ring.taken().map(c => c.op),
      ['cli', 'enqueue'],
    )
  })

  it('runs CLI commands and tells how they failed', async () => {
    const { ring, binding } = setUp(async () => {})
    const { signal } = new AbortController()
    const fine = binding.cli('show version', signal)
    const failed = binding.cli('show nonsense', signal)
    const busy = binding.cli('show errors', signal)
    const [a, b, c] = ring.taken()
    ring.reply(3, a!.call, 0, Buffer.from('v1'))
    ring.reply(3, b!.call, 15, Buffer.from('unknown input\n'))
    ring.reply(3, c!.call, 17)
    ring.ready(3)
    assert.equal(await fine, 'v1')
    await assert.rejects(
      failed,
      (error: CliError) => error.status === 'CLI_FAILED' && /unknown input/.test(error.message),
    )
    await assert.rejects(busy, (error: CliError) => error.status === 'CLI_BUSY' && /too many/.test(error.message))
    await assert.rejects(binding.cli('', signal), (error: CliError) => error instanceof CliError)
  })

  it('signals process nodes, and tells why it could not', async () => {
    const { ring, binding } = setUp(async () => {})
    const { signal } = new AbortController()
    const done = binding.signal('dhcp', 2n, 5n, signal)
    const unlisted = binding.signal('fib', 1n, 0n, signal)
    const lost = binding.signal('fib', 1n, 0n, signal)
    const taken = ring.taken()
    assert.deepEqual(
      taken.map(({ op, args }) => [op, args]),
      [
        ['signal', ['dhcp', 2n, 5n]],
        ['signal', ['fib', 1n, 0n]],
        ['signal', ['fib', 1n, 0n]],
      ],
    )
    ring.reply(3, taken[0]!.call, 0)
    ring.reply(3, taken[1]!.call, 18)
    ring.ready(3)
    await done
    await assert.rejects(unlisted, { code: 'ERR_UNDELIVERED', node: 'fib', status: 'NOT_LISTED' })
    binding.detach('the host is gone')
    await assert.rejects(lost, { code: 'ERR_UNDELIVERED', status: 'HOST_AWAY' })
  })

  it('counts results that come when the coroutine does not wait for them any more', async () => {
    const { ring, counts, start } = setUp(async vm => {
      await vm.timeout(0, signal => vm.cli('show runtime', { signal })).catch(() => {})
      let give: (result: string) => void = () => {}
      const work = () => new Promise<string>(resolve => (give = resolve))
      await vm.timeout(0, work).catch(() => {})
      give('of no use')
      await vm.yield()
    })
    await start()
    assert.equal(counts.late, 1)
    const call = ring.taken()[0]!.call
    ring.reply(3, call, 0, Buffer.from('half'), true)
    ring.reply(3, call, 0, Buffer.from('late'))
    ring.ready(3)
    assert.equal(counts.late, 2)
  })

  it('tells the host the nearest deadline once a turn, and ticks when it has come', async () => {
    const order: string[] = []
    const { ring, clock, start } = setUp(async vm => {
      using timer = vm.timer()
      timer.set(50)
      timer.set(30)
      await vm.timeout(1e6, timer)
      order.push('30')
      await vm.sleep(10)
      order.push('40')
    })
    const ended = start()
    await turn()
    assert.deepEqual(ring.trace.filter(line => line.startsWith('deadline')).length, 1)
    const due = ring.slot(3).deadline
    assert.ok(due > 1000 && due <= 1030)
    ring.ready(3)
    await turn()
    assert.deepEqual(order, [])
    // The wheel may look more than once on the way.
    while (order.length === 0) {
      clock.now = ring.slot(3).deadline
      ring.ready(3)
      await turn()
    }
    assert.equal(clock.now, 1030)
    while (order.length === 1) {
      clock.now = ring.slot(3).deadline
      ring.ready(3)
      await turn()
    }
    assert.equal(clock.now, 1040)
    await ended
    await turn()
    assert.equal(ring.slot(3).deadline, Number.POSITIVE_INFINITY)
  })

  it('asks its own clock again when the host rings a little early', async () => {
    const { ring, clock, start } = setUp(async vm => vm.sleep(30))
    const ended = start()
    await turn()
    const due = ring.slot(3).deadline
    clock.now = due - 0.009
    ring.ready(3)
    clock.now = due
    // No further ring: the host has relayed this deadline.
    if (due === 1030) await ended
    else await turn()
  })

  it('hands the event in hand to the next coroutine after a failure', async () => {
    const seen: string[] = []
    const { start, send, ring } = setUp(async (_vm, node) => {
      for await (const event of node.inbox) {
        seen.push(`${event.seq} ${event.redelivered} ${event.attempts}`)
        if (event.seq === 2n && event.attempts < 2) throw new Error('poison')
      }
    })
    const first = start()
    await turn()
    send(1, 2, 3)
    assert.equal((await first).how, 'failed')
    assert.deepEqual([ring.slot(3).handed, ring.slot(3).done], [2, 1])
    assert.equal((await start()).how, 'failed')
    void start()
    await turn()
    assert.deepEqual(seen, ['1 false 0', '2 false 0', '2 true 1', '2 true 2', '3 false 0'])
    assert.deepEqual([ring.slot(3).handed, ring.slot(3).done], [3, 3])
  })

  it('releases the event in hand when the coroutine returns, and not when it is stopped', async () => {
    const { start, send, ring, runtime } = setUp(async (vm, node) => {
      const event = await node.inbox.recv()
      if (event?.seq === 2n) await vm.sleep(1e6)
    })
    const first = start()
    await turn()
    send(1)
    assert.equal((await first).how, 'returned')
    assert.equal(ring.slot(3).released, 1)
    const second = start()
    await turn()
    send(2)
    await turn()
    runtime()?.destroy()
    assert.equal((await second).how, 'stopped')
    assert.deepEqual([ring.slot(3).handed, ring.slot(3).released], [2, 1])
  })

  it('without a host: the inbox is at its end, commands go nowhere, timers still run', async () => {
    let rejected: unknown
    const { ring, binding, clock, start, runtime } = setUp(async (vm, node) => {
      const call = vm.cli('show version').catch(error => {
        rejected = error
      })
      assert.equal(await node.inbox.recv(), undefined)
      await call
      node.count('one')
      assert.equal(node.enqueue('next-a', Uint8Array.of(1)), false)
      await vm.sleep(5)
    })
    const ended = start()
    await turn()
    ring.taken()
    binding.detach('the host is gone')
    binding.wake()
    runtime()?.close()
    const clockwork = setInterval(() => {
      clock.now += 1
    }, 1)
    assert.equal((await ended).how, 'returned')
    clearInterval(clockwork)
    assert.ok(rejected instanceof CliError && rejected.status === 'HOST_AWAY')
    assert.deepEqual(ring.taken(), [])
  })

  it('tells the owner of the attachment, once, when the host breaks the contract', async () => {
    const { ring, faults, start, send } = setUp(async (_vm, node) => {
      for await (const _ of node.inbox);
    })
    void start()
    await turn()
    ring.broken = new Error('malformed')
    send(1)
    send(2)
    await turn()
    assert.deepEqual(faults, [ring.broken])
  })

  it('is removed when its last counts are in the ring, also those that waited for room', async () => {
    const { binding, removed, ring, executor } = setUp(async () => {})
    ring.room = 0
    binding.count(0, 3)
    await turn()
    let done = false
    const removal = binding.remove('park').then(discarded => {
      done = true
      return discarded
    })
    await turn()
    assert.deepEqual([done, removed], [false, []])
    ring.room = 1
    ring.trace.length = 0
    ring.ready(3)
    assert.equal(await removal, 5)
    assert.deepEqual(ring.trace.slice(0, 2), ['count 3 0 3', 'flush'])
    assert.deepEqual(removed, [{ ...place, how: 'park' }])
    assert.ok(executor)
  })

  it('is removed at once when the host is gone, whatever it had counted', async () => {
    const { binding, ring } = setUp(async () => {})
    ring.room = 0
    binding.count(0, 3)
    const removal = binding.remove('park')
    binding.detach('gone')
    assert.equal(await removal, 5)
  })

  it('is removed with its generation', async () => {
    const { binding, removed } = setUp(async () => {})
    assert.equal(await binding.remove('keep'), 5)
    assert.deepEqual(removed, [{ ...place, how: 'keep' }])
    assert.equal(binding.enqueue(0, Uint8Array.of(1), 0, 0, 0), false)
  })
})
