import assert from 'node:assert/strict'
import { interfaceChange, message, processNode, Unordered } from '../../daemon/index.js'
import { testNode } from '../../daemon/testing/index.js'
import { start } from './node.js'

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
