import assert from 'node:assert/strict'
import fc from 'fast-check'
import { choice, f64, interfaceChange, ip4, message, processNode, text, u32, u64 } from '../../daemon/index.js'
import type { ProcessNode, Vm } from '../../daemon/process/node.js'
import { type NodeKit, type NodeSetup, readRecording, replay, testNode } from '../../daemon/testing/index.js'

const messages = {
  add: message(1, { n: u32 }),
  mode: message(2, { to: choice('slow', 'fast') }),
  link: interfaceChange,
}

interface Options {
  readonly every?: number
  readonly per?: number
}

/** Sends a packet every so often, with the sum of what it was told; asks the host for its version when the mode changes. */
const summing = ({ every = 100, per = 1 }: Options = {}) =>
  processNode({
    messages,
    next: ['ip4-lookup'],
    counters: { sent: 'packets', full: 'no room', asked: 'asked', ups: 'links up' },
    async run(vm, node) {
      using due = vm.timer(every)
      let sum = 0
      for (;;) {
        const event = await vm.select({ due, inbox: node.inbox })
        if (event.done) return
        if (event.source === 'due') {
          node.count(node.enqueue('ip4-lookup', Uint8Array.of(sum)) ? 'sent' : 'full')
          due.set(every)
        } else if (event.value.type === 'add') sum += event.value.n * per
        else if (event.value.type === 'mode') {
          const said = await vm.cli(`set mode ${event.value.to}`).catch(error => `failed: ${error.status}`)
          node.enqueue('ip4-lookup', new TextEncoder().encode(said))
          node.count('asked')
        } else if (event.value.type === 'link' && event.value.link) node.count('ups')
      }
    },
  })

type Kit = NodeKit<typeof messages, 'ip4-lookup', 'sent' | 'full' | 'asked' | 'ups'>

async function recording(
  play: (kit: Kit) => Promise<void>,
  setup: NodeSetup = {},
  options: Options = {},
): Promise<string> {
  let lines = ''
  const write = (line: string) => {
    lines += line
  }
  const kit: Kit = await testNode(summing(options), { ...setup, record: { write } })
  await play(kit)
  await kit[Symbol.asyncDispose]()
  return lines
}

async function plain(kit: Kit): Promise<void> {
  kit.send('add', { n: 1 })
  await kit.advance(150)
  kit.send('add', { n: 2 })
  kit.gap(3)
  await kit.advance(333)
  kit.transition('eth0', 'link', { link: true })
  await kit.advance(500)
}

describe('testing/replay', () => {
  it('of the same node: nothing is different', async () => {
    const text = await recording(plain)
    assert.ok(readRecording(text).lines.length > 20)
    const { same, diff, removed, added, undelivered, result } = await replay(summing(), text)
    assert.deepEqual({ same, diff, removed, added }, { same: true, diff: '', removed: 0, added: 0 })
    assert.deepEqual([undelivered, result], [[], undefined])
  })

  it('of the same node: nothing is different, whatever it was given', async function () {
    this.timeout(120_000)
    const step = fc.oneof(
      fc.record({ do: fc.constant('add' as const), n: fc.nat(255) }),
      fc.record({ do: fc.constant('mode' as const), after: fc.nat(300) }),
      fc.record({ do: fc.constant('gap' as const), n: fc.integer({ min: 1, max: 9 }) }),
      fc.record({ do: fc.constant('room' as const), n: fc.nat(3) }),
      fc.record({ do: fc.constant('advance' as const), n: fc.nat(4000).map(n => n / 8) }),
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async steps => {
        const text = await recording(async kit => {
          for (const one of steps) {
            if (one.do === 'add') kit.send('add', { n: one.n })
            else if (one.do === 'gap') kit.gap(one.n)
            else if (one.do === 'room') kit.room = one.n
            else if (one.do === 'advance') await kit.advance(one.n)
            else {
              kit.onCli('set mode fast', { text: `took ${one.after}`, after: one.after })
              kit.send('mode', { to: 'fast' })
              await kit.settle()
            }
          }
        })
        assert.equal((await replay(summing(), text)).diff, '')
      }),
      { numRuns: 150 },
    )
  })

  it('of a changed node: what it does differently, at its event', async () => {
    const { same, diff, removed, added } = await replay(summing({ per: 2 }), await recording(plain))
    assert.deepEqual([same, removed, added], [false, 9, 9])
    assert.deepEqual(diff.split('\n').slice(0, 12), [
      '--- recorded',
      '+++ replayed',
      '@@ 0.000 ms add #1 {"n":1} @@',
      '-     100.000 ms  enqueue ip4-lookup 1 bytes 01',
      '+     100.000 ms  enqueue ip4-lookup 1 bytes 02',
      '      100.000 ms  count sent 1',
      '@@ 150.000 ms gap #5 {"first":"3","last":"5","count":"3"} @@',
      '-     200.000 ms  enqueue ip4-lookup 1 bytes 03',
      '+     200.000 ms  enqueue ip4-lookup 1 bytes 06',
      '      200.000 ms  count sent 1',
      '-     300.000 ms  enqueue ip4-lookup 1 bytes 03',
      '+     300.000 ms  enqueue ip4-lookup 1 bytes 06',
    ])
  })

  it('options in place of the recorded ones', async () => {
    const text = await recording(async kit => kit.advance(500), {})
    assert.equal((await replay(summing(), text, { options: { any: 1 } })).same, true)
    const without = text.replace(/"options":\{\}/, '"more":1')
    await assert.rejects(replay(summing(), without), /has no options/)
    assert.equal((await replay(summing(), without, { options: {} })).same, true)
  })

  it('timers that were late stay late: the node keeps the pace of its recording', async () => {
    // A host that wakes it 0.4 ms late each time: after 100 periods that is 40 ms.
    const lines = ['{"corod":"recording","version":1,"node":"a","start":5000,"options":{}}']
    let at = 0
    for (let i = 0; i < 100; i++) {
      const due = Math.round((at + 100) * 1000) / 1000
      at = Math.round((due + 0.4) * 1000) / 1000
      lines.push(`{"at":${at},"timer":${due},"after":100}`)
      lines.push(`{"at":${at},"enqueue":"ip4-lookup","packet":"AA=="}`, `{"at":${at},"count":"sent","by":1}`)
    }
    lines.push(`{"at":${at + 99},"event":"add","seq":"1","time":${at + 99},"fields":{"n":1}}`)
    const { diff } = await replay(summing(), `${lines.join('\n')}\n`)
    assert.equal(diff, '')
  })

  it('events that were there together come together', async () => {
    const batching = processNode({
      messages,
      counters: { batches: 'batches', events: 'events' },
      async run(_, node) {
        for await (const batch of node.inbox.batches()) {
          node.count('batches')
          node.count('events', batch.length)
        }
      },
    })
    let lines = ''
    const write = (line: string) => {
      lines += line
    }
    await using kit = await testNode(batching, { record: { write } })
    kit.send('add', { n: 1 })
    kit.send('add', { n: 2 })
    await kit.advance(5)
    kit.send('add', { n: 3 })
    await kit.settle()
    assert.equal(kit.counters.batches, 2)
    assert.equal((await replay(batching, lines)).diff, '')
  })

  it('an event that waited while the node was busy was there before it was taken', async () => {
    const draining = processNode({
      messages,
      counters: { rounds: 'rounds' },
      async run(vm, node) {
        for await (const _ of node.inbox) {
          while (node.inbox.tryRecv() !== undefined);
          node.count('rounds')
          await vm.sleep(10)
        }
      },
    })
    const event = (at: number, seq: number, time: number) =>
      `{"at":${at},"event":"add","seq":"${seq}","time":${time},"fields":{"n":1}}`
    const lines = [
      '{"corod":"recording","version":1,"node":"a","start":5000,"options":{}}',
      event(1, 1, 0.9),
      // Taken by tryRecv a little later, and accepted before.
      event(1.002, 2, 0.95),
      event(1.004, 3, 0.99),
      '{"at":1.005,"count":"rounds","by":1}',
      '{"at":11.2,"timer":11.005,"after":10}',
    ]
    assert.equal((await replay(draining, `${lines.join('\n')}\n`)).diff, '')
  })

  it('the CLI answers as it did, as slowly, and so does a command that failed', async () => {
    const play = async (kit: Kit) => {
      kit.onCli('set mode fast', { text: 'ok', after: 170 })
      kit.send('mode', { to: 'fast' })
      await kit.advance(250)
      kit.onCli('set mode fast', { failed: 'busy', status: 'CLI_BUSY' })
      kit.send('mode', { to: 'fast' })
      await kit.advance(100)
    }
    const text = await recording(play)
    assert.match(text, /"command":"set mode fast"/)
    assert.equal((await replay(summing(), text)).diff, '')
    const other = processNode({
      ...summing(),
      async run(vm: Vm, node: { inbox: AsyncIterable<unknown> }) {
        for await (const _ of node.inbox) await vm.cli('show version')
      },
    } as never) as unknown as ProcessNode
    const { diff, result } = await replay(other, text)
    assert.match(diff, /^- .* cli "set mode fast"$/m)
    assert.match(diff, /^\+ .* cli "show version"$/m)
    assert.match(diff, /^\+ .* throws CliError: .*the recording has no answer for this command$/m)
    assert.equal(result?.how, 'failed')
  })

  it('a host without room has none in the replay', async () => {
    const text = await recording(async kit => {
      await kit.advance(100)
      kit.room = 1
      kit.send('add', { n: 1 })
      await kit.advance(200)
      kit.room = Number.POSITIVE_INFINITY
      await kit.advance(100)
    })
    assert.match(text, /"refused":true/)
    assert.equal((await replay(summing(), text)).diff, '')
  })

  it('transitions, gaps and redelivered events come as they were', async () => {
    const got: unknown[][] = [[], []]
    let life = 0
    const watching = processNode({
      messages: { ...messages, wide: message(9, { n: u64, f: f64, to: ip4, name: text(4) }) },
      async run(_, node) {
        const mine = got[life++]!
        for await (const event of node.inbox) mine.push(event)
      },
    })
    let lines = ''
    const write = (line: string) => {
      lines += line
    }
    const kit = await testNode(watching, { record: { write } })
    kit.transition('eth0', 'address-added', { family: 6, prefix: 64, address: 'fe80::1' })
    kit.gap(2)
    kit.send('wide', { n: 2n ** 64n - 1n, f: Number.NEGATIVE_INFINITY, to: '10.0.0.1', name: 'x' }, { attempts: 2 })
    kit.send('add', { n: 4 }, { time: kit.now - 3 })
    await kit.close()
    await replay(watching, lines)
    assert.equal(got[0]?.length, 4)
    assert.deepEqual(got[1], got[0])
  })

  it('events that do not fit the changed messages are told, and what they had caused', async () => {
    const text = await recording(async kit => {
      kit.onCli('set mode fast', 'ok')
      kit.send('mode', { to: 'fast' })
      await kit.advance(10)
      kit.send('add', { n: 1 })
      await kit.settle()
    })
    const changed = processNode({
      messages: { add: message(1, { n: u32 }), mode: message(2, { to: choice('slow', 'quick') }) },
      counters: { sent: 'sent' },
      async run(_, node) {
        for await (const _event of node.inbox);
      },
    })
    const { undelivered, diff, same, removed } = await replay(changed, text)
    assert.deepEqual(
      undelivered.map(one => [one.event, one.seq, one.reason]),
      [['mode', 1n, '/to: "fast" is not one of "slow", "quick"']],
    )
    assert.match(diff, /^@@ 0\.000 ms mode #1 \{"to":"fast"\} @@ was not delivered: \/to/m)
    assert.deepEqual([same, removed], [false, 3])
    const gone = processNode({ messages: { add: message(1, { n: u32 }) }, run: changed.run as never })
    assert.match((await replay(gone, text)).undelivered[0]?.reason ?? '', /no message "mode"/)
  })

  it('a node that ends differently: how, and what it did not take any more', async () => {
    const text = await recording(async kit => {
      kit.send('add', { n: 1 })
      await kit.advance(10)
      kit.send('add', { n: 2 })
      await kit.advance(200)
    })
    const failing = processNode({
      messages,
      async run(_, node) {
        await node.inbox.recv()
        throw new Error('changed for the worse')
      },
    })
    const { diff, result } = await replay(failing, text)
    assert.equal(result?.how, 'failed')
    assert.match(diff, /^\+ +0\.000 ms {2}throws Error: changed for the worse$/m)
    assert.match(diff, /^@@ 10\.000 ms add #2 \{"n":2\} @@ was not taken$/m)
  })

  it('a recording of a failure shows what was repaired', async () => {
    const fragile = (limit: number) =>
      processNode({
        messages,
        async run(_, node) {
          for await (const event of node.inbox) {
            if (event.type === 'add' && event.n > limit) throw new RangeError('too much')
          }
        },
      })
    let lines = ''
    const write = (line: string) => {
      lines += line
    }
    const kit = await testNode(fragile(10), { record: { write } })
    kit.send('add', { n: 11 })
    await assert.rejects(kit.settle(), RangeError)
    assert.equal((await replay(fragile(10), lines)).same, true)
    const { diff, added } = await replay(fragile(20), lines)
    assert.match(diff, /^- +0\.000 ms {2}throws RangeError: too much$/m)
    assert.equal(added, 0)
  })

  it('a recording that was cut off is replayed as far as it goes', async () => {
    const text = await recording(plain)
    const rows = text.split('\n')
    for (let end = 1; end < rows.length - 1; end++) {
      const cut = `${rows.slice(0, end).join('\n')}\n${rows[end]!.slice(0, 5)}`
      const { same, diff } = await replay(summing(), cut)
      assert.ok(same, `cut after line ${end}: ${diff}`)
    }
    const changed = await replay(summing({ per: 2 }), rows.slice(0, -5).join('\n'))
    assert.equal(changed.same, false)
  })

  it('one that was stopped on purpose ends there: what the node does more is a difference', async () => {
    const text = await recording(plain)
    const rows = text.split('\n')
    const last = rows.findLastIndex(row => row.includes('"count"'))
    const { at } = JSON.parse(rows[last]!)
    const cut = rows.slice(0, last).join('\n')
    assert.equal((await replay(summing(), `${cut}\n`)).same, true)
    const left = `${cut}\n${JSON.stringify({ at, end: 'left' })}\n`
    assert.deepEqual((({ removed, added }) => [removed, added])(await replay(summing(), left)), [0, 1])
  })

  it('closing and stopping are part of it, and what finally does', async () => {
    const tidy = processNode({
      messages,
      counters: { tidied: 'tidied' },
      async run(vm, node) {
        try {
          for await (const _ of node.inbox);
          await vm.sleep(1000)
        } finally {
          node.count('tidied')
        }
      },
    })
    for (const end of ['close', 'destroy'] as const) {
      let lines = ''
      const write = (line: string) => {
        lines += line
      }
      const kit = await testNode(tidy, { record: { write } })
      kit.send('add', { n: 1 })
      await kit.advance(10)
      await kit[end]()
      await kit.advance(2000)
      assert.match(lines, /tidied/)
      assert.equal((await replay(tidy, lines)).diff, '', end)
    }
  })

  it('thousands of differences are told in a few lines', async () => {
    const text = await recording(async kit => kit.advance(1_000_000))
    const { diff, removed, added } = await replay(summing({ every: 99 }), text)
    assert.ok(removed + added > 100)
    const changed = await replay(
      summing({ per: 2 }),
      await recording(async kit => {
        kit.send('add', { n: 1 })
        await kit.advance(1_000_000)
      }),
    )
    assert.equal(changed.removed, changed.added)
    for (const one of [diff, changed.diff]) assert.ok(one.split('\n').length < 80, one)
    assert.match(changed.diff, /… \d+ more$/m)
  })
})
