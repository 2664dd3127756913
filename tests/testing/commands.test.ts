import assert from 'node:assert/strict'
import { Unordered } from '../../daemon/index.js'
import type { Vm } from '../../daemon/process/node.js'
import { type Node, start } from './node.js'

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
    await using kit = await start(ask(['a', 'b 1', 'b 2', 'c', 'd']), {
      cli: { a: 'A', 'b 1': 'old', c: { failed: 'no such thing', status: 'CLI_BUSY', output: 'half' } },
    })
    assert.deepEqual(texts(kit), [
      'A',
      'old',
      '"b 2": the test has no answer for this command: give one with kit.onCli()',
      '"c": no such thing',
      '"d": the test has no answer for this command: give one with kit.onCli()',
    ])
    assert.deepEqual(kit.logs[3]?.fields, { status: 'CLI_BUSY', output: 'half' })
    kit.onCli(/^b/, command => command.toUpperCase())
    kit.onCli('d', async () => ({ text: 'D' }))
    await kit.restart()
    assert.deepEqual(texts(kit).slice(5), ['A', 'B 1', 'B 2', '"c": no such thing', 'D'])
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

  it('what comes when the node does not wait any more is counted', async () => {
    const given: string[] = []
    await using kit = await start(
      async vm => {
        const late = vm.timeout(
          10,
          () => vm.sleep(20).then(() => 'late'),
          result => given.push(result),
        )
        await late.catch(() => {})
        await vm.timeout(10, signal => vm.cli('slow', { signal })).catch(() => {})
        await vm.sleep(500)
      },
      { cli: { slow: { text: 'slow', after: 100 } } },
    )
    await kit.advance(1000)
    assert.deepEqual([given, kit.late], [['late'], 2])
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
    assert.deepEqual([aborted, kit.result, kit.late], [true, { how: 'returned' }, 0])
  })
})
