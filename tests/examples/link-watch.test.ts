// link-watch.ts on a port in memory, with transitions and a clock made by hand.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { AnyEvent } from '../../daemon/message/message.js'
import { compileNode, isProcessNode } from '../../daemon/process/define.js'
import type { NodePort } from '../../daemon/process/port.js'
import { NodeRuntime } from '../../daemon/process/runtime.js'
import { Lines } from '../host/fake-config.js'
import { turn } from '../host/fake-ring.js'
import { root } from '../support/folder.js'

async function start(hold: number) {
  const file = pathToFileURL(join(root, 'dist', 'docs', 'examples', 'link-watch.js'))
  const { default: definition } = (await import(file.href)) as { default: unknown }
  assert.ok(isProcessNode(definition))
  const compiled = compileNode(definition)
  const counts: Record<string, number> = {}
  const log = new Lines()
  const events: AnyEvent[] = []
  const clock = { now: 1000, deadline: Number.POSITIVE_INFINITY, closed: false }
  const port: NodePort<AnyEvent> = {
    name: 'link-watch',
    options: { hold },
    log,
    now: () => clock.now,
    deadline: at => {
      clock.deadline = at
    },
    take: () => events.shift(),
    takeBatch: () => events.splice(0),
    release: () => {},
    closed: () => clock.closed,
    late: () => {},
    signal: async () => {},
    count: (counter, by) => {
      const { name } = compiled.counters[counter]!
      counts[name] = (counts[name] ?? 0) + by
    },
    enqueue: () => true,
    cli: async () => '',
    peers: [],
    send: async () => 0n,
    ask: async () => new Uint8Array(0),
  }
  const runtime = new NodeRuntime(definition, port)
  const ended = runtime.run()
  const meta = { seq: 0n, time: 0, redelivered: false, attempts: 0 }
  return {
    counts,
    log,
    async transition(name: string, state: { admin?: boolean; link?: boolean; change?: string }) {
      const { admin = true, link = true, change = 'link' } = state
      events.push({ type: 'change', ...meta, name, admin, link, change, mtu: 1500 })
      runtime.ready()
      await turn()
    },
    async gap(count: bigint) {
      events.push({ type: 'gap', ...meta, first: 1n, last: count, count })
      runtime.ready()
      await turn()
    },
    /** Lets time pass, up to each deadline on the way. */
    async pass(ms: number) {
      const end = clock.now + ms
      while (clock.deadline <= end) {
        clock.now = Math.max(clock.now, clock.deadline)
        clock.deadline = Number.POSITIVE_INFINITY
        runtime.tick()
        await turn()
      }
      clock.now = end
    },
    async stop() {
      clock.closed = true
      runtime.close()
      return ended
    },
  }
}

describe('link-watch', () => {
  it('tells at once of an interface that comes up', async () => {
    const { transition, log, counts, stop } = await start(100)
    await transition('eth0', { change: 'added' })
    assert.deepEqual(log.lines, ['info: eth0 is up'])
    await transition('eth0', { change: 'mtu' })
    assert.equal(log.lines.length, 1)
    assert.deepEqual(counts, { transitions: 2, up: 1 })
    assert.deepEqual(await stop(), { how: 'returned' })
  })

  it('tells of one that goes down when it has been down for the hold time', async () => {
    const { transition, pass, log } = await start(100)
    await transition('eth0', {})
    await transition('eth0', { link: false })
    await pass(99)
    assert.deepEqual(log.lines, ['info: eth0 is up'])
    await pass(1)
    assert.deepEqual(log.lines.slice(1), ['warn: eth0 is down'])
    await pass(1000)
    assert.equal(log.lines.length, 2)
    await transition('eth0', {})
    assert.equal(log.lines.at(-1), 'info: eth0 is up')
  })

  it('is not kept waiting by further transitions of the same interface', async () => {
    const { transition, pass, log } = await start(100)
    await transition('eth0', {})
    await transition('eth0', { link: false })
    await pass(60)
    await transition('eth0', { admin: false, link: false, change: 'admin' })
    await pass(40)
    assert.equal(log.lines.at(-1), 'warn: eth0 is down')
  })

  it('calls it flapping when it is up again in time', async () => {
    const { transition, pass, log, counts } = await start(100)
    await transition('eth0', {})
    await transition('eth0', { link: false })
    await pass(50)
    await transition('eth0', {})
    await pass(1000)
    assert.deepEqual(log.lines, ['info: eth0 is up', 'warn: eth0 flapped'])
    assert.deepEqual(counts, { transitions: 3, up: 1, flaps: 1 })
  })

  it('watches several interfaces, each with its own time', async () => {
    const { transition, pass, log } = await start(100)
    for (const name of ['a', 'b']) await transition(name, {})
    await transition('a', { link: false })
    await pass(50)
    await transition('b', { link: false })
    await pass(50)
    assert.equal(log.lines.at(-1), 'warn: a is down')
    await pass(50)
    assert.equal(log.lines.at(-1), 'warn: b is down')
  })

  it('forgets an interface that is removed', async () => {
    const { transition, pass, log } = await start(100)
    await transition('tap0', {})
    await transition('tap0', { link: false })
    await transition('tap0', { change: 'removed' })
    await pass(1000)
    assert.deepEqual(log.lines, ['info: tap0 is up', 'info: tap0 is gone'])
  })

  it('counts transitions that were lost', async () => {
    const { gap, counts, log } = await start(100)
    await gap(3n)
    assert.deepEqual([counts.missed, log.lines], [3, ['warn: transitions were lost']])
  })
})
