import assert from 'node:assert/strict'
import { bytes, interfaceChange, ip4, message, processNode, signal, text, Unordered, u64 } from '../../daemon/index.js'
import { NodeStoppedError, TimeoutError } from '../../daemon/process/errors.js'
import type { ProcessContext, Vm } from '../../daemon/process/node.js'
import { type NodeSetup, testNode } from '../../daemon/testing/index.js'

const messages = {
  go: message(1, { to: ip4, name: text(8) }),
  stop: message(2),
  datum: signal(3),
  big: message(4, { n: u64, data: bytes(4) }),
}
type Node = ProcessContext<
  typeof messages,
  'ip4-lookup' | 'error-drop',
  'seen' | 'lost',
  undefined,
  Record<string, unknown>
>

const define = (run: (vm: Vm, node: Node) => Promise<void>) =>
  processNode({
    messages,
    next: ['ip4-lookup', 'error-drop'],
    counters: { seen: 'seen', lost: 'lost' },
    run: run as never,
  })

const start = (run: (vm: Vm, node: Node) => Promise<void>, setup?: NodeSetup) => testNode(define(run), setup)

describe('testing/kit: time', () => {
  it('an hour of timers takes no time', async () => {
    await using kit = await start(async (vm, node) => {
      for (;;) {
        await vm.sleep(1000)
        node.count('seen')
      }
    })
    const before = performance.now()
    await kit.advance(3_600_000)
    assert.equal(kit.counters.seen, 3600)
    assert.equal(kit.now, 1_000_000 + 3_600_000)
    assert.ok(performance.now() - before < 60_000)
  })

  it('a timer goes off at its very time, not before', async () => {
    const times: number[] = []
    await using kit = await start(async vm => {
      await vm.sleep(99.75)
      times.push(vm.now())
      await vm.sleep(0.125)
      times.push(vm.now())
    })
    await kit.advance(99.5)
    assert.deepEqual(times, [])
    await kit.advance(0.25)
    assert.deepEqual(times, [1_000_099.75])
    await kit.advance(1)
    assert.deepEqual(times, [1_000_099.75, 1_000_099.875])
  })

  it('timers beyond 37 hours are as exact', async () => {
    const day = 86_400_000
    await using kit = await start(async (vm, node) => {
      await vm.sleep(30 * day)
      node.count('seen')
    })
    await kit.advance(30 * day - 1)
    assert.equal(kit.counters.seen, 0)
    await kit.advance(1)
    assert.equal(kit.counters.seen, 1)
  })

  it('vm.now() and event.time are the virtual clock, from where the test says', async () => {
    await using kit = await start(
      async (vm, node) => {
        const event = await node.inbox.recv()
        node.log.info({ now: vm.now(), time: event?.time })
      },
      { start: 42 },
    )
    await kit.advance(8)
    kit.send('stop')
    await kit.settle()
    assert.deepEqual(kit.logs, [{ time: 50, level: 'info', text: '', fields: { now: 50, time: 50 } }])
  })

  it('without the test no time passes, however long it takes', async () => {
    let woke = false
    await using kit = await start(async vm => {
      await vm.sleep(0.001)
      woke = true
    })
    for (let i = 0; i < 50; i++) await new Promise(resolve => setImmediate(resolve))
    await kit.settle()
    assert.equal(woke, false)
  })

  it('vm.timeout elapses in virtual time', async () => {
    let caught: unknown
    await using kit = await start(async (vm, node) => {
      caught = await vm.timeout(5000, node.inbox).catch((error: unknown) => error)
    })
    await kit.advance(4999)
    assert.equal(kit.running, true)
    await kit.advance(1)
    assert.ok(caught instanceof TimeoutError)
  })

  it('a time that cannot pass is refused', async () => {
    await using kit = await start(async (vm, node) => void (await vm.timeout(1, node.inbox)))
    for (const ms of [-1, Number.NaN, Number.POSITIVE_INFINITY]) await assert.rejects(kit.advance(ms), /cannot pass/)
    assert.throws(() => kit.after(Number.NaN, () => {}), /no time/)
    await kit.destroy()
  })

  it('until: goes on until it is true, and no further', async () => {
    await using kit = await start(async (vm, node) => {
      for (;;) {
        await vm.sleep(100)
        node.count('seen')
      }
    })
    await kit.until(() => kit.counters.seen === 3)
    assert.equal(kit.now, 1_000_300)
  })

  it('until: says what never became true, and why', async () => {
    await using idle = await start(async (_, node) => void (await node.inbox.recv()))
    await assert.rejects(
      idle.until(() => idle.counters.seen === 1),
      /idle\.counters\.seen === 1: nothing more is going to happen \(the node runs, 0 events wait\)/,
    )
    await using busy = await start(async vm => {
      for (;;) await vm.sleep(7)
    })
    await assert.rejects(
      busy.until(() => false, { within: 100 }),
      /did not become true within 100 ms of virtual time: false/,
    )
  })
})

describe('testing/kit: settle', () => {
  it('runs promise after promise, ticks, immediates and yields', async () => {
    let steps = 0
    await using kit = await start(async vm => {
      for (let i = 0; i < 1000; i++) await Promise.resolve()
      await new Promise<void>(resolve => process.nextTick(resolve))
      for (let i = 0; i < 20; i++) {
        await vm.yield()
        steps++
      }
    })
    assert.equal(steps, 20)
    assert.equal(kit.running, false)
  })

  it('fires what is due without time passing', async () => {
    let fired = 0
    await using kit = await start(async vm => {
      using timer = vm.timer(0)
      await vm.select({ timer })
      fired++
      timer.at(vm.now() - 5)
      await vm.select({ timer })
      fired++
    })
    assert.equal(fired, 2)
    assert.equal(kit.now, 1_000_000)
  })

  it('one thing at a time: a second one is refused', async () => {
    await using kit = await start(async vm => void (await vm.sleep(1)))
    const first = kit.advance(1)
    await assert.rejects(kit.settle(), /two things at once/)
    await first
  })

  it('a node that spins fails, instead of the test hanging', async () => {
    const spins = [
      async (vm: Vm) => {
        for (;;) await vm.sleep(0)
      },
      async (vm: Vm) => {
        using timer = vm.timer()
        for (;;) {
          timer.set(0)
          await vm.select({ timer })
        }
      },
      async (_: Vm, node: Node) => {
        for (;;) node.inbox.tryRecv()
      },
      async (vm: Vm) => {
        for (;;) await vm.yield()
      },
      async (vm: Vm) => {
        const until = vm.now() + 1
        while (vm.now() < until);
      },
    ]
    for (const run of spins) await assert.rejects(start(run, { limit: 1000 }), /the node spins: .* at 1000000 ms/)
  })

  it('a node that does much, but lets time pass, does not spin', async () => {
    await using kit = await start(
      async vm => {
        for (let i = 0; i < 5000; i++) await vm.sleep(1)
      },
      { limit: 100 },
    )
    await kit.advance(5000)
    assert.deepEqual(kit.result, { how: 'returned' })
  })
})

describe('testing/kit: events', () => {
  it('come as they would from the codec: fresh, whole, numbered', async () => {
    const got: unknown[] = []
    await using kit = await start(async (_, node) => {
      for await (const event of node.inbox) got.push(event)
    })
    const data = Uint8Array.of(1, 2)
    assert.equal(kit.send('go', { to: '10.0.0.1', name: 'a' }), 1n)
    assert.equal(kit.send('big', { n: 2n ** 64n - 1n, data }), 2n)
    kit.send('datum', { data: 7n })
    data[0] = 9
    await kit.settle()
    const meta = { time: 1_000_000, redelivered: false, attempts: 0 }
    assert.deepEqual(got, [
      { type: 'go', seq: 1n, ...meta, to: '10.0.0.1', name: 'a' },
      { type: 'big', seq: 2n, ...meta, n: 2n ** 64n - 1n, data: Uint8Array.of(1, 2) },
      { type: 'datum', seq: 3n, ...meta, data: 7n },
    ])
  })

  it('what no sender could send is refused where the test sends it', async () => {
    await using kit = await start(async (_, node) => void (await node.inbox.recv()))
    assert.throws(() => kit.send('go', { to: '10.0.0', name: 'a' }), /\/to: "10\.0\.0" is not ip4/)
    assert.throws(() => kit.send('go', { to: '10.0.0.1', name: 'much too long' }), /\/name: 13 bytes/)
    assert.throws(() => kit.send('nix' as 'stop'), /no message "nix"/)
    assert.equal(kit.queued, 0)
  })

  it('what was sent until the test goes on arrives together, in its order', async () => {
    const batches: string[][] = []
    await using kit = await start(async (_, node) => {
      for await (const batch of node.inbox.batches()) batches.push(batch.map(event => `${event.type}${event.seq}`))
    })
    kit.send('stop')
    kit.send('datum', { data: 1n })
    await kit.settle()
    kit.send('stop')
    await kit.settle()
    assert.deepEqual(batches, [['stop1', 'datum2'], ['stop3']])
  })

  it('redelivered events are marked', async () => {
    const got: unknown[] = []
    await using kit = await start(async (_, node) => {
      for await (const event of node.inbox) got.push([event.redelivered, event.attempts, event.time])
    })
    kit.send('stop', {}, { redelivered: true })
    kit.send('stop', {}, { attempts: 3, time: 5 })
    kit.send('stop')
    await kit.settle()
    assert.deepEqual(got, [
      [true, 1, 1_000_000],
      [true, 3, 5],
      [false, 0, 1_000_000],
    ])
  })

  it('a gap takes the numbers of what was dropped', async () => {
    const got: unknown[] = []
    await using kit = await start(async (_, node) => {
      for await (const event of node.inbox) {
        got.push(event.type === 'gap' ? [event.seq, event.first, event.last, event.count] : event.seq)
      }
    })
    kit.send('stop')
    kit.gap(3)
    kit.send('stop')
    await kit.settle()
    assert.deepEqual(got, [1n, [4n, 2n, 4n, 3n], 5n])
    assert.throws(() => kit.gap(0), RangeError)
  })

  it('transitions keep the state of their interface', async () => {
    const got: unknown[] = []
    const watch = processNode({
      messages: { link: interfaceChange, other: message(1) },
      async run(_, node) {
        for await (const event of node.inbox) {
          if (event.type !== 'link') continue
          const { name, change, admin, link, index, address, family } = event
          got.push([name, change, admin, link, index, address, family])
        }
      },
    })
    await using kit = await testNode(watch)
    kit.transition('eth0', 'added')
    kit.transition('eth0', 'admin', { admin: true })
    kit.transition('eth1', 'added', { index: 70 })
    kit.transition('eth0', 'link', { link: true })
    kit.transition('eth0', 'address-added', { family: 4, prefix: 24, address: '10.0.0.1' })
    kit.transition('eth0', 'mtu', { mtu: 9000 })
    kit.transition('eth0', 'removed')
    kit.transition('eth0', 'added')
    await kit.settle()
    assert.deepEqual(got, [
      ['eth0', 'added', false, false, 1, undefined, 0],
      ['eth0', 'admin', true, false, 1, undefined, 0],
      ['eth1', 'added', false, false, 70, undefined, 0],
      ['eth0', 'link', true, true, 1, undefined, 0],
      ['eth0', 'address-added', true, true, 1, '10.0.0.1', 4],
      ['eth0', 'mtu', true, true, 1, undefined, 0],
      ['eth0', 'removed', true, true, 1, undefined, 0],
      ['eth0', 'added', false, false, 3, undefined, 0],
    ])
  })

  it('on a schedule, at their times; ties in the order of planning, before timers', async () => {
    const got: unknown[] = []
    await using kit = await start(async (vm, node) => {
      const note = (what: string) => got.push(`${what} ${vm.now() - 1_000_000}`)
      const sleeper = vm.sleep(50).then(() => note('slept'))
      for await (const event of node.inbox) note(`${event.type}${event.seq}`)
      await sleeper
    })
    kit.after(50, () => kit.send('stop'))
    kit.after(50, () => kit.send('datum', { data: 0n }))
    kit.after(20, () => kit.after(10, () => kit.send('stop')))
    await kit.advance(100)
    // The wait for the second event begins only after that for the timer has ended.
    assert.deepEqual(got, ['stop1 30', 'stop2 50', 'slept 50', 'datum3 50'])
  })

  it('a tie within one select goes to the source that is named first, whatever came first', async () => {
    const got: string[] = []
    const tied = (first: 'due' | 'inbox') =>
      start(async (vm, node) => {
        using due = vm.timer(10)
        const { inbox } = node
        const won = first === 'due' ? await vm.select({ due, inbox }) : await vm.select({ inbox, due })
        got.push(won.source)
      })
    for (const first of ['due', 'inbox'] as const) {
      await using kit = await tied(first)
      kit.after(10, () => kit.send('stop'))
      await kit.advance(10)
    }
    assert.deepEqual(got, ['due', 'inbox'])
  })

  it('the same test does the same thing every time', async () => {
    const once = async () => {
      await using kit = await start(async (vm, node) => {
        const work = new Unordered<string>()
        for (const ms of [30, 10, 30, 20]) work.add(vm.sleep(ms).then(() => `${ms}`))
        for (;;) {
          const won = await vm.select({ work, inbox: node.inbox })
          if (won.done) return
          node.log.info(`${won.source === 'work' ? won.value : won.value.type} ${vm.now()}`)
        }
      })
      for (const ms of [10, 20, 30]) kit.after(ms, () => kit.send('stop'))
      await kit.advance(100)
      return kit.logs.map(line => line.text)
    }
    const first = await once()
    assert.equal(first.length, 7)
    for (let i = 0; i < 5; i++) assert.deepEqual(await once(), first)
  })
})

describe('testing/kit: what the node does', () => {
  it('counts, packets and commands are written down in order, by name', async () => {
    const packet = Uint8Array.of(1, 2, 3)
    await using kit = await start(
      async (vm, node) => {
        node.count('seen')
        node.enqueue('error-drop', packet, { tx: 4, flags: 2 })
        packet[0] = 99
        await vm.sleep(5)
        node.count('lost', 3)
        node.enqueue('ip4-lookup', Uint8Array.of(7))
        await vm.cli('show version')
      },
      { cli: { 'show version': 'v' } },
    )
    await kit.advance(5)
    const none = { rx: undefined, tx: undefined, flags: 0 }
    assert.deepEqual(kit.commands, [
      { kind: 'count', time: 1_000_000, counter: 'seen', by: 1 },
      {
        kind: 'enqueue',
        time: 1_000_000,
        next: 'error-drop',
        packet: Uint8Array.of(1, 2, 3),
        ...none,
        tx: 4,
        flags: 2,
        taken: true,
      },
      { kind: 'count', time: 1_000_005, counter: 'lost', by: 3 },
      { kind: 'enqueue', time: 1_000_005, next: 'ip4-lookup', packet: Uint8Array.of(7), ...none, taken: true },
      { kind: 'cli', time: 1_000_005, command: 'show version' },
    ])
    assert.deepEqual(kit.counters, { seen: 1, lost: 3 })
    assert.deepEqual(kit.cliCommands, ['show version'])
    assert.equal(kit.packets.length, 2)
  })

  it('a host without room refuses packets', async () => {
    const taken: boolean[] = []
    await using kit = await start(async (_, node) => {
      for await (const _ of node.inbox) taken.push(node.enqueue('ip4-lookup', Uint8Array.of(1)))
    })
    kit.room = 1
    kit.send('stop')
    kit.send('stop')
    await kit.settle()
    kit.room = Number.POSITIVE_INFINITY
    kit.send('stop')
    await kit.settle()
    assert.deepEqual(taken, [true, false, true])
    assert.equal(kit.packets.length, 2)
    assert.equal(kit.commands.length, 3)
  })

  it('logs, with level, text and fields', async () => {
    await using kit = await start(async (_, node) => {
      node.log.debug('a')
      node.log.warn({ n: 1 }, 'b')
      node.log.error({ n: 2 })
    })
    const time = kit.now
    assert.deepEqual(kit.logs, [
      { time, level: 'debug', text: 'a', fields: {} },
      { time, level: 'warn', text: 'b', fields: { n: 1 } },
      { time, level: 'error', text: '', fields: { n: 2 } },
    ])
  })

  it('what the node has taken and not finished with is in hand', async () => {
    await using kit = await start(async (vm, node) => {
      for await (const _ of node.inbox) await vm.sleep(10)
    })
    kit.send('stop')
    kit.send('datum', { data: 5n })
    await kit.settle()
    assert.deepEqual([kit.inHand.map(event => event.type), kit.queued], [['stop'], 1])
    await kit.advance(10)
    assert.deepEqual([kit.inHand.map(event => event.type), kit.queued], [['datum'], 0])
    await kit.advance(10)
    assert.deepEqual(kit.inHand, [])
  })
})

describe('testing/kit: the CLI', () => {
  const ask = (commands: readonly string[]) => async (vm: Vm, node: Node) => {
    for (const command of commands) {
      const said = await vm
        .cli(command)
        .catch((error: unknown) => error as Error & { status?: string; output?: string })
      if (typeof said === 'string') node.log.info(said)
      else node.log.error({ status: said.status, output: said.output }, said.message)
    }
  }
  const texts = (kit: { logs: readonly { text: string }[] }) => kit.logs.map(line => line.text)

  it('answers from the script: text, function, failure, the newest rule first', async () => {
    await using kit = await start(ask([]))
    await kit.restart()
    await using other = await start(ask(['a', 'b 1', 'b 2', 'c', 'd']), {
      cli: { a: 'A', 'b 1': 'old', c: { failed: 'no such thing', status: 'CLI_BUSY', output: 'half' } },
    })
    assert.deepEqual(texts(other), [
      'A',
      'old',
      '"b 2": the test has no answer for this command: give one with kit.onCli()',
      '"c": no such thing',
      '"d": the test has no answer for this command: give one with kit.onCli()',
    ])
    assert.deepEqual(other.logs[3]?.fields, { status: 'CLI_BUSY', output: 'half' })
    other.onCli(/^b/, command => command.toUpperCase())
    other.onCli('d', async () => ({ text: 'D' }))
    await other.restart()
    assert.deepEqual(texts(other).slice(5), ['A', 'B 1', 'B 2', '"c": no such thing', 'D'])
  })

  it('a command takes its time, and those of a node run one after the other', async () => {
    await using kit = await start(
      async (vm, node) => {
        const work = new Unordered([vm.cli('slow'), vm.cli('fast')])
        for await (const text of work) node.log.info(`${text} ${vm.now() - 1_000_000}`)
      },
      { cli: { slow: { text: 'slow', after: 100 }, fast: { text: 'fast', after: 1 } } },
    )
    await kit.advance(1000)
    assert.deepEqual(texts(kit), ['slow 100', 'fast 101'])
  })

  it('the signal of a script aborts when the node does not wait any more', async () => {
    let aborted = false
    await using kit = await start(
      async vm => {
        await vm.timeout(10, signal => vm.cli('hang', { signal })).catch(() => {})
      },
      {
        cli: {
          hang: (_, signal) => {
            signal.addEventListener('abort', () => {
              aborted = true
            })
            return new Promise(() => {})
          },
        },
      },
    )
    await kit.advance(10)
    assert.deepEqual([aborted, kit.result], [true, { how: 'returned' }])
  })
})

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
