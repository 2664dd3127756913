import assert from 'node:assert/strict'
import type { NodeConfig } from '../../daemon/config/load.js'
import { HostRefusedError } from '../../daemon/host/attachment/session.js'
import type { LoadedNode } from '../../daemon/host/modules/loader.js'
import { noCounts } from '../../daemon/host/slots/counts.js'
import { type Binding, type Register, type Runtime, Supervisor } from '../../daemon/host/supervisor.js'
import { message } from '../../daemon/message/message.js'
import { compileNode, processNode } from '../../daemon/process/define.js'
import type { RunResult } from '../../daemon/process/runtime.js'
import { waitFor } from '../support/wait.js'
import { Lines, nodeConfig } from './fake-config.js'
import { turn } from './fake-ring.js'

/** A coroutine that ends when the test says so. */
class FakeRuntime implements Runtime {
  readonly calls: string[] = []
  end: (result: RunResult) => void = () => {}
  run = () => new Promise<RunResult>(resolve => (this.end = resolve))
  ready = () => void this.calls.push('ready')
  tick = () => void this.calls.push('tick')
  close = () => void this.calls.push('close')
  destroy = () => void this.calls.push('destroy')
  fail = (error: unknown) => void this.calls.push(`fail ${error}`)
}

class FakeBinding implements Binding {
  readonly slot = 1
  readonly index = 2
  ended = false
  readonly runtimes: FakeRuntime[] = []
  readonly calls: string[] = []
  runtime = () => {
    const runtime = new FakeRuntime()
    this.runtimes.push(runtime)
    return runtime
  }
  settle = ({ how }: RunResult) => void this.calls.push(`settle ${how}`)
  close = () => void this.calls.push('close')
  finish = async () => void this.calls.push('finish')
  remove = async (how: string) => {
    this.calls.push(`remove ${how}`)
    return 3
  }
  get last(): FakeRuntime {
    return this.runtimes.at(-1)!
  }
}

const returned: RunResult = { how: 'returned' }
const failed: RunResult = { how: 'failed', error: new Error('boom') }
const counts = { ...noCounts(), received: 4, rejected: 1 }

function setUp(more: Partial<NodeConfig> = {}) {
  const definition = processNode({
    messages: { go: message(1) },
    next: ['ip4-lookup'],
    counters: { one: 'first' },
    run: async () => {},
  })
  const node = { config: nodeConfig('n', more), definition, options: {}, ...compileNode(definition) }
  const log = new Lines()
  const supervisor = new Supervisor(node as unknown as LoadedNode, log, counts)
  const bindings: FakeBinding[] = []
  const asks: unknown[] = []
  const register: Register = async ask => {
    asks.push(ask)
    const binding = new FakeBinding()
    bindings.push(binding)
    return binding
  }
  return { supervisor, log, bindings, asks, register, state: () => supervisor.report().state }
}

describe('supervisor', () => {
  it('registers the node with its names and starts it', async () => {
    const { supervisor, register, asks, bindings, state } = setUp()
    assert.equal(state(), 'waiting-for-host')
    await supervisor.attach(register)
    assert.equal(state(), 'running')
    assert.equal(bindings[0]!.runtimes.length, 1)
    assert.deepEqual(asks[0], {
      name: 'n',
      executor: 0,
      eventRing: 4096,
      backlog: 16,
      backlogBytes: 4096,
      overflow: 'reject',
      next: ['ip4-lookup'],
      counters: [{ name: 'one', text: 'first', severity: 'info' }],
      codes: [{ code: 1, maxSize: 0 }],
    })
    assert.deepEqual(supervisor.report(), {
      name: 'n',
      module: '/nowhere/n.ts',
      state: 'running',
      restarts: 0,
      ...counts,
      slot: 1,
      index: 2,
      messages: ['go'],
      executor: 'main',
    })
  })

  it('starts a failed coroutine again, on the same binding, and tells what happened', async () => {
    const { supervisor, register, bindings, state, log } = setUp()
    await supervisor.attach(register)
    const binding = bindings[0]!
    binding.last.end(failed)
    await turn()
    assert.equal(state(), 'backing-off')
    assert.deepEqual(binding.calls, ['settle failed'])
    await waitFor('the second start', () => binding.runtimes.length === 2)
    assert.equal(state(), 'running')
    assert.deepEqual([supervisor.report().restarts, supervisor.report().lastError], [1, 'boom'])
    assert.ok(log.lines.includes('error: failed: boom'))
  })

  it('leaves a node that returned idle: parked in the host, closed to senders', async () => {
    const { supervisor, register, bindings, state } = setUp()
    await supervisor.attach(register)
    bindings[0]!.last.end(returned)
    await turn()
    assert.equal(state(), 'idle')
    assert.deepEqual(bindings[0]!.calls, ['settle returned', 'remove park'])
    assert.equal(supervisor.binding, undefined)
  })

  it('an executor that dies: who caused it has failed, and is registered again and started when its policy says so', async () => {
    const { supervisor, register, bindings, state, log } = setUp()
    await supervisor.attach(register)
    supervisor.evict(bindings[0]! as never, new Error('stuck'), true)
    assert.equal(state(), 'backing-off')
    await waitFor('the next registration', () => bindings.length === 2)
    await waitFor('the next start', () => bindings[1]!.runtimes.length === 1)
    assert.deepEqual([state(), supervisor.report().lastError, supervisor.report().restarts], ['running', 'stuck', 1])
    assert.ok(log.lines.includes('error: failed: stuck'))
    // What the dead one still says means nothing.
    bindings[0]!.last.end(returned)
    supervisor.evict(bindings[0]! as never, new Error('late'), true)
    await turn()
    assert.deepEqual([state(), supervisor.report().lastError], ['running', 'stuck'])
    supervisor.evict(bindings[1]! as never, new Error('stuck'), true)
    await waitFor('the third start', () => bindings[2]?.runtimes.length === 1)
    supervisor.evict(bindings[2]! as never, new Error('stuck'), true)
    assert.equal(state(), 'crash-loop')
    await waitFor('the fourth start', () => bindings[3]?.runtimes.length === 1)
  })

  it('an executor that dies: a neighbour is registered again and started, and has not failed', async () => {
    const { supervisor, register, bindings, state, log } = setUp({
      restart: { policy: 'never', min: 1, max: 2, crashLoop: { count: 1, window: 1000 } },
    })
    await supervisor.attach(register)
    supervisor.evict(bindings[0]! as never, undefined, false)
    await waitFor('the next start', () => bindings[1]?.runtimes.length === 1)
    assert.deepEqual([state(), supervisor.report().lastError, log.lines], ['running', undefined, []])
    // One that is to blame is not started again by such a policy.
    supervisor.evict(bindings[1]! as never, new Error('stuck'), true)
    await turn()
    assert.deepEqual([state(), bindings[1]!.calls], ['stopped', ['remove park']])
  })

  it('an executor that is ended because a coroutine does not: it is not given up, and stops with its executor', async () => {
    const { supervisor, register, bindings } = setUp({ grace: 1 })
    await supervisor.attach(register)
    const binding = bindings[0]! as unknown as { abandon(error: Error): boolean }
    const abandoned: string[] = []
    binding.abandon = error => {
      abandoned.push(error.message)
      setImmediate(() => supervisor.evict(bindings[0]! as never, error, true))
      return true
    }
    await supervisor.stop()
    assert.equal(abandoned.length, 1)
    assert.equal(supervisor.report().state, 'stopped')
    assert.match(supervisor.report().lastError ?? '', /waits for something that never comes/)
  })

  it('with restart never, a node that failed is stopped', async () => {
    const { supervisor, register, bindings, state } = setUp({
      restart: { policy: 'never', min: 1, max: 2, crashLoop: { count: 3, window: 1000 } },
    })
    await supervisor.attach(register)
    bindings[0]!.last.end(failed)
    await turn()
    assert.deepEqual([state(), supervisor.report().lastError], ['stopped', 'boom'])
    assert.deepEqual(bindings[0]!.calls, ['settle failed', 'remove park'])
  })

  it('with restart always, starts a node that returned again', async () => {
    const { supervisor, register, bindings } = setUp({
      restart: { policy: 'always', min: 1, max: 2, crashLoop: { count: 3, window: 1000 } },
    })
    await supervisor.attach(register)
    bindings[0]!.last.end(returned)
    await waitFor('the second start', () => bindings[0]!.runtimes.length === 2)
  })

  it('does not start a node again whose inbox the host has closed', async () => {
    const { supervisor, register, bindings, state } = setUp({
      restart: { policy: 'always', min: 1, max: 2, crashLoop: { count: 3, window: 1000 } },
    })
    await supervisor.attach(register)
    bindings[0]!.ended = true
    bindings[0]!.last.end(returned)
    await turn()
    assert.equal(state(), 'idle')
  })

  it('says so when a node is in a crash loop, and goes on trying', async () => {
    const { supervisor, register, bindings, state } = setUp()
    await supervisor.attach(register)
    const binding = bindings[0]!
    for (let n = 1; n <= 3; n++) {
      await waitFor(`start ${n}`, () => binding.runtimes.length === n)
      binding.last.end(failed)
      await turn()
    }
    assert.equal(state(), 'crash-loop')
    await waitFor('the next start', () => binding.runtimes.length === 4)
    assert.equal(state(), 'running')
  })

  it('when the host goes away: closes, and starts again on the next one', async () => {
    const { supervisor, register, bindings, state } = setUp()
    await supervisor.attach(register)
    const first = bindings[0]!
    supervisor.detach()
    assert.deepEqual(first.last.calls, ['close'])
    first.last.end(returned)
    await turn()
    assert.equal(state(), 'waiting-for-host')
    await supervisor.attach(register)
    assert.equal(bindings[1]!.runtimes.length, 1)
    assert.equal(state(), 'running')
  })

  it('waits for the old coroutine when the next host is there first', async () => {
    const { supervisor, register, bindings } = setUp()
    await supervisor.attach(register)
    supervisor.detach()
    await supervisor.attach(register)
    assert.equal(bindings[1]!.runtimes.length, 0)
    bindings[0]!.last.end({ how: 'stopped' })
    await turn()
    assert.equal(bindings[1]!.runtimes.length, 1)
  })

  it('runs a node that was idle again on a new host', async () => {
    const { supervisor, register, bindings, state } = setUp()
    await supervisor.attach(register)
    bindings[0]!.last.end(returned)
    await turn()
    supervisor.detach()
    await supervisor.attach(register)
    assert.deepEqual([state(), bindings[1]!.runtimes.length], ['running', 1])
  })

  it('destroys what does not end within the grace time, then gives it up', async () => {
    const { supervisor, register, bindings, log } = setUp({ grace: 5 })
    await supervisor.attach(register)
    const stopped = supervisor.stop()
    assert.deepEqual(bindings[0]!.calls, ['close'])
    await waitFor('destroy', () => bindings[0]!.last.calls.includes('destroy'))
    await stopped
    assert.equal(supervisor.report().state, 'stopped')
    assert.ok(log.lines.some(line => /never comes/.test(line)))
  })

  it('stops a node that ends in time, without a word', async () => {
    const { supervisor, register, bindings, log, state } = setUp({ grace: 10_000 })
    await supervisor.attach(register)
    const stopped = supervisor.stop()
    assert.equal(state(), 'stopping')
    bindings[0]!.last.end(returned)
    await stopped
    assert.deepEqual([state(), log.lines], ['stopped', []])
    await supervisor.attach(register)
    assert.equal(bindings.length, 1)
  })

  it('stops at once what waits for its next start', async () => {
    const { supervisor, register, bindings } = setUp({
      restart: { policy: 'on-failure', min: 3_600_000, max: 3_600_000, crashLoop: { count: 3, window: 1000 } },
    })
    await supervisor.attach(register)
    bindings[0]!.last.end(failed)
    await turn()
    await supervisor.stop()
    assert.equal(bindings[0]!.runtimes.length, 1)
  })

  it('asks again when the host refuses the node, and says why', async () => {
    const { supervisor, register, bindings, state, log } = setUp()
    let refusals = 2
    const picky: Register = async (ask, node) => {
      if (refusals-- > 0) throw new HostRefusedError('NAME_TAKEN', 'the host has another node of that name')
      return register(ask, node)
    }
    await supervisor.attach(picky)
    assert.equal(state(), 'backing-off')
    assert.match(supervisor.report().lastError!, /NAME_TAKEN: the host has another node/)
    await waitFor('the registration', () => bindings.length === 1)
    assert.equal(state(), 'running')
    // Said once, although it happened twice.
    assert.equal(log.lines.filter(line => /refused/.test(line)).length, 1)
  })

  it('ends a coroutine whose error came from elsewhere', async () => {
    const { supervisor, register, bindings } = setUp()
    await supervisor.attach(register)
    const { last } = bindings[0]!
    assert.equal(supervisor.blame(new FakeRuntime(), new Error('not mine')), false)
    assert.equal(supervisor.blame(last, new Error('mine')), true)
    assert.deepEqual(last.calls, ['fail Error: mine'])
    last.end({ how: 'failed', error: new Error('mine') })
    await waitFor('the next start', () => bindings[0]!.runtimes.length === 2)
  })

  it('drains: the node is closed to its senders, and the coroutine ends behind what they had sent', async () => {
    const { supervisor, register, bindings, state } = setUp({ grace: 10_000 })
    await supervisor.attach(register)
    const stopped = supervisor.stop('drain')
    assert.equal(state(), 'stopping')
    assert.deepEqual(bindings[0]!.calls, ['finish'])
    await turn()
    // Its inbox must not end before the host says so.
    assert.deepEqual(bindings[0]!.last.calls, [])
    bindings[0]!.ended = true
    bindings[0]!.last.end(returned)
    await stopped
    assert.deepEqual(bindings[0]!.calls, ['finish', 'settle returned'])
  })

  it('drains no longer than the grace time, nor when the host cannot close the node', async () => {
    const slow = setUp({ grace: 5 })
    await slow.supervisor.attach(slow.register)
    void slow.supervisor.stop('drain')
    await waitFor('destroy', () => slow.bindings[0]!.last.calls.includes('destroy'))
    slow.bindings[0]!.last.end({ how: 'stopped' })
    const refused = setUp({ grace: 10_000 })
    await refused.supervisor.attach(refused.register)
    refused.bindings[0]!.finish = () => Promise.reject(new HostRefusedError('STALE', 'gone'))
    const stopped = refused.supervisor.stop('drain')
    await waitFor('close', () => refused.bindings[0]!.last.calls.includes('close'))
    refused.bindings[0]!.last.end(returned)
    await stopped
  })

  it('stopped in the middle of draining, hands over nothing more', async () => {
    const { supervisor, register, bindings } = setUp({ grace: 10_000 })
    await supervisor.attach(register)
    const drained = supervisor.stop('drain')
    const stopped = supervisor.stop()
    assert.deepEqual(bindings[0]!.calls, ['finish', 'close'])
    assert.deepEqual(bindings[0]!.last.calls, ['close'])
    bindings[0]!.last.end(returned)
    await Promise.all([drained, stopped])
  })

  it('registers at once and starts when it may', async () => {
    const { supervisor, register, bindings, state } = setUp()
    let go = () => {}
    await supervisor.attach(register, new Promise<void>(resolve => (go = resolve)))
    assert.deepEqual([bindings.length, bindings[0]!.runtimes.length, state()], [1, 0, 'starting'])
    go()
    await turn()
    assert.deepEqual([bindings[0]!.runtimes.length, state()], [1, 'running'])
  })

  it('does not start what was stopped while it waited', async () => {
    const { supervisor, register, bindings } = setUp()
    let go = () => {}
    await supervisor.attach(register, new Promise<void>(resolve => (go = resolve)))
    await supervisor.stop()
    go()
    await turn()
    assert.equal(bindings[0]!.runtimes.length, 0)
  })

  it('stopped while the host has not answered, lets others wait for that', async () => {
    const { supervisor, register, bindings } = setUp()
    let answer = () => {}
    const late = new Promise<void>(resolve => (answer = resolve))
    void supervisor.attach(async (ask, node) => {
      await late
      return register(ask, node)
    })
    await supervisor.stop()
    let answered = false
    const waiting = supervisor.answered.then(() => (answered = true))
    await turn()
    assert.equal(answered, false)
    answer()
    await waiting
    assert.deepEqual([bindings.length, bindings[0]!.runtimes.length], [1, 0])
  })

  it('takes other settings while it runs', async () => {
    const { supervisor, register, bindings, state, log } = setUp()
    await supervisor.attach(register)
    const { node } = supervisor
    const restart = { policy: 'never', min: 1, max: 2, crashLoop: { count: 3, window: 1000 } } as const
    supervisor.adjust({ ...node, config: { ...node.config, grace: 7, restart } })
    bindings[0]!.last.end(failed)
    await turn()
    assert.equal(state(), 'stopped')
    const other = setUp()
    await other.supervisor.attach(other.register)
    other.supervisor.adjust({ ...other.supervisor.node, config: { ...node.config, grace: 7 } })
    void other.supervisor.stop()
    await waitFor('destroy', () => other.bindings[0]!.last.calls.includes('destroy'))
    assert.ok(
      other.log.lines.some(line => /within 7 ms/.test(line)),
      log.lines.join(),
    )
    other.bindings[0]!.last.end({ how: 'stopped' })
  })
})
