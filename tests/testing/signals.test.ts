import assert from 'node:assert/strict'
import { processNode } from '../../daemon/index.js'
import { readRecording, replay, testNode } from '../../daemon/testing/index.js'

const node = (code: number) =>
  processNode({
    signals: ['dhcp', 'fib'],
    counters: { done: 'done', lost: 'lost' },
    async run(vm, node) {
      for (let i = 0; i < 3; i++) {
        await vm.sleep(10)
        const told = node.signal('dhcp', code, i).then(
          () => node.count('done'),
          error => node.log.warn(error.status),
        )
        await told
        node.count('lost', 0)
      }
    },
  })

describe('testing: signals to process nodes of the host', () => {
  it('are written down, and done unless the test says otherwise', async () => {
    await using kit = await testNode(node(2))
    await kit.advance(15)
    kit.onSignal('dhcp', 'NODE_UNKNOWN')
    await kit.advance(10)
    kit.onSignal('dhcp', undefined)
    await kit.advance(10)
    assert.deepEqual(
      kit.commands.filter(command => command.kind === 'signal'),
      [0n, 1n, 2n].map((data, i) => ({ kind: 'signal', time: 1_000_010 + 10 * i, target: 'dhcp', code: 2n, data })),
    )
    assert.deepEqual([kit.counters.done, kit.logs.map(line => line.text)], [2, ['NODE_UNKNOWN']])
  })

  it('are recorded, end in a replay as they ended, and a changed node is told apart', async () => {
    let text = ''
    const record = {
      write(line: string) {
        text += line
      },
    }
    {
      await using kit = await testNode(node(2), { record })
      await kit.advance(15)
      kit.onSignal('dhcp', 'HOST_AWAY')
      await kit.advance(10)
      kit.onSignal('dhcp', undefined)
      await kit.advance(100)
    }
    const { lines } = readRecording(text)
    assert.deepEqual(
      lines.flatMap(line => ('signalled' in line ? [[line.signalled, line.error, line.why]] : [])),
      [
        [1, undefined, undefined],
        [2, 'ERR_UNDELIVERED', 'HOST_AWAY'],
        [3, undefined, undefined],
      ],
    )
    const same = await replay(node(2), text)
    assert.deepEqual([same.same, same.diff], [true, ''])
    const other = await replay(node(3), text)
    assert.equal(other.same, false)
    assert.match(other.diff, /^- .*signal dhcp 2 0$/m)
    assert.match(other.diff, /^\+ .*signal dhcp 3 0$/m)
  })
})
