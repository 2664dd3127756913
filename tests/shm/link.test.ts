// Questions, answers, and everything that a host can say wrongly.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Link, RingError, statuses, statusOf } from '../../shm/ring.js'
import { FakeHost, held, TestLink } from './fake.js'

function open(socket: string): TestLink {
  return new TestLink(socket)
}

describe('link', () => {
  let host: FakeHost
  beforeEach(async () => {
    host = await FakeHost.start()
  })
  afterEach(() => host.stop())

  it('greets, registers, removes, pings', async () => {
    const t = open(host.socket)
    t.link.hello('test-program')
    const welcome = await t.answer('welcome')
    assert.equal(await host.said(/^hello/), 'hello test-program 1-1')
    assert.equal(welcome.host, 'fake')
    assert.equal(welcome.release, '1.0')
    assert.equal(welcome.version, 1)
    assert.equal(welcome.maxEvent, 4096)
    assert.ok(welcome.epoch > 2n ** 32n)
    t.link.addExecutor(t.call(), 0)
    assert.equal((await t.answer('executor')).id, 0)
    t.link.executor(0, () => {})
    const node = await t.node({
      name: 'beacon',
      overflow: 'drop-oldest',
      next: ['ip4-lookup', 'error-drop'],
      counters: [
        { name: 'sent', text: 'beacons sent', severity: 'info' },
        { name: 'full', text: '', severity: 'error' },
      ],
      codes: [{ code: 1, maxSize: 4 }],
    })
    assert.deepEqual([node.slot, node.generation, node.node, node.carried, node.seq], [1, 1, 101, 0, 0n])
    assert.equal(await host.said(/^node/), 'node beacon 1 2 2 1')
    assert.equal(await host.said(/^next 1/), 'next 1 error-drop')
    assert.equal(await host.said(/^counter 0/), 'counter 0 0 sent beacons sent')
    assert.equal(await host.said(/^counter 1/), 'counter 1 2 full ')
    assert.equal(await host.said(/^code/), 'code 1 4')
    t.link.allowSignal(t.call(), 'some-node')
    assert.equal(await host.said(/^signals/), 'signals some-node')
    await t.answer('ready')
    t.link.ready(t.call())
    assert.equal((await t.answer('ready')).removed, 2)
    t.link.ping(77)
    assert.equal((await t.answer('pong')).call, 77)
    t.link.closeNode(77, node.slot, node.generation)
    assert.deepEqual(await t.answer('nodeClosed'), { kind: 'nodeClosed', call: 77, slot: 1, waiting: 5 })
    assert.equal(await host.said(/^close/), 'close 1 1')
    t.link.removeNode(78, node.slot, node.generation)
    assert.deepEqual(await t.answer('removed'), { kind: 'removed', call: 78, slot: 1, discarded: 3 })
    assert.equal(await host.said(/^remove/), 'remove 1 0')
    t.link.close()
    await host.said(/^closed/)
  })

  it('tells why a node was refused', async () => {
    const t = open(host.socket)
    await t.attach(() => {})
    t.link.addNode(9, { name: 'refused', executor: 0, overflow: 'reject', next: [], counters: [], codes: [] })
    assert.deepEqual(await t.answer('failed'), { kind: 'failed', call: 9, status: 'NAME_TAKEN', text: 'there is one' })
    t.link.close()
  })

  it('tells what becomes of a node that it lets go of', async () => {
    const t = open(host.socket)
    await t.attach(() => {})
    const { slot, generation } = await t.node()
    t.link.removeNode(5, slot, generation, 'keep')
    assert.equal(await host.said(/^remove/), `remove ${slot} 1`)
    assert.throws(() => t.link.closeNode(6, slot, generation), { code: 'MISUSE' }) // it is not ours now
    t.link.removeNode(6, slot, generation, 'park') // it is still there
    assert.equal(await host.said(/^remove/), `remove ${slot} 2`)
    t.link.removeNode(7, slot, generation)
    assert.equal(await host.said(/^remove/), `remove ${slot} 0`)
    assert.throws(() => t.link.removeNode(8, slot, generation), { code: 'MISUSE' })
    assert.throws(() => t.link.removeNode(8, slot, generation, 'forget' as 'keep'), RangeError)
    t.link.close()
  })

  it('queues more questions than the socket takes, and answers all', async () => {
    const t = open(host.socket)
    await t.attach(() => {})
    const codes = Array.from({ length: 256 }, (_, i) => ({ code: i + 1, maxSize: 4 }))
    for (let i = 0; i < 20; i++)
      t.link.addNode(1000 + i, { name: `n${i}`, executor: 0, overflow: 'reject', next: [], counters: [], codes })
    for (let i = 0; i < 20; i++) assert.equal((await t.answer('node')).slot, i + 1)
    t.link.close()
  })

  it('says once that the host has gone, and gives everything back before', async () => {
    const before = held()
    const t = open(host.socket)
    await t.attach(() => {})
    await t.node()
    assert.ok(held().mappings > before.mappings)
    host.kill()
    assert.match(await t.ends.next(), /^the host closed the connection/)
    assert.equal(held().mappings, before.mappings)
    t.link.ping(5) // does nothing
    t.link.close()
    await new Promise(resolve => setImmediate(resolve))
    assert.equal(t.ends.waiting.length, 0)
  })

  it('does not say anything after close', async () => {
    const t = open(host.socket)
    await t.attach(() => {})
    t.link.ping(5)
    t.link.close()
    t.link.close()
    await host.said(/^closed/)
    const again = open(host.socket)
    again.link.hello('again')
    await again.answer('welcome')
    again.link.close()
    assert.equal(t.ends.waiting.length, 0)
    assert.equal(t.messages.waiting.length, 0)
  })

  it('ends when the host closes a doorbell only', async () => {
    const t = open(host.socket)
    await t.attach(() => {})
    host.order('close-bell 0')
    assert.match(await t.ends.next(), /doorbell of executor 0/)
  })

  it('refuses questions before their time', async () => {
    const t = open(host.socket)
    const misuse = (call: () => void) => assert.throws(call, { name: 'RingError', code: 'MISUSE' })
    misuse(() => t.link.ping(1))
    misuse(() => t.link.addExecutor(1, 0))
    misuse(() => t.link.executor(0, () => {}))
    t.link.hello('test')
    misuse(() => t.link.hello('test'))
    await t.answer('welcome')
    const node = { name: 'n', executor: 0, overflow: 'reject', next: [], counters: [], codes: [] } as const
    misuse(() => t.link.addNode(1, node))
    misuse(() => t.link.removeNode(1, 1, 1))
    misuse(() => t.link.closeNode(1, 1, 1))
    t.link.ping(3)
    misuse(() => t.link.ping(3))
    t.link.addExecutor(1, 0)
    misuse(() => t.link.executor(0, () => {}))
    await t.answer('executor')
    t.link.executor(0, () => {})
    misuse(() => t.link.executor(0, () => {}))
    misuse(() => t.link.addExecutor(5, 0))
    t.link.close()
  })

  it('checks every argument', async () => {
    const t = open(host.socket)
    const executor = await t.attach(() => {})
    const node = { name: 'n', executor: 0, overflow: 'reject', next: [], counters: [], codes: [] } as const
    const range = (call: () => void) => assert.throws(call, RangeError)
    range(() => t.link.ping(-1))
    range(() => t.link.ping(2 ** 32))
    range(() => t.link.ping(1.5))
    range(() => t.link.addExecutor(1, 16))
    range(() => t.link.addNode(1, { ...node, name: '' }))
    range(() => t.link.addNode(1, { ...node, name: 'x'.repeat(64) }))
    range(() => t.link.addNode(1, { ...node, name: 'a\0b' }))
    range(() => t.link.addNode(1, { ...node, next: Array(65).fill('n') }))
    range(() => t.link.addNode(1, { ...node, overflow: 'other' as 'reject' }))
    range(() => t.link.addNode(1, { ...node, codes: [{ code: -1, maxSize: 0 }] }))
    range(() => t.link.addNode(1, { ...node, counters: [{ name: 'c', text: 'x'.repeat(128), severity: 'info' }] }))
    range(() => executor.count(0, 0, -1))
    range(() => executor.enqueue(0, 0, 0, 0, 0, 0, new Uint8Array(9217)))
    range(() => executor.signal(0, 0, 'n', 2n ** 64n, 0n))
    range(() => executor.deadline(0, Number.NaN))
    assert.throws(() => executor.send(0, 0, 1, 1, 1, 'text' as unknown as Uint8Array), TypeError)
    assert.throws(() => t.link.executor(1, 5 as unknown as () => void), TypeError)
    assert.throws(() => executor.drain(0, 'x' as unknown as Uint8Array, 0), RingError)
    assert.throws(() => executor.drain(0, new Uint8Array(8), 9), RingError)
    t.link.close()
  })

  it('names what keeps it from connecting', () => {
    const on = { message: () => {}, closed: () => {} }
    const code = (path: string, code: string) => assert.throws(() => Link.open(path, on), { name: 'RingError', code })
    code(join(host.folder, 'nobody'), 'ENOENT')
    code(join(host.folder, 'x'.repeat(108)), 'ENAMETOOLONG')
    code('/dev/null', 'ECONNREFUSED')
    assert.throws(() => Link.open('', on), RangeError)
    assert.throws(() => Link.open('/x', {} as never), TypeError)
  })
})

describe('link to a host that does wrong', () => {
  async function ended(wrong: string): Promise<string> {
    const before = held()
    const host = await FakeHost.start(wrong)
    const t = open(host.socket)
    t.link.hello('test')
    const attached = (async () => {
      await t.answer('welcome')
      t.link.addExecutor(1, 0)
      await t.answer('executor')
      t.link.addNode(2, { name: 'n', executor: 0, overflow: 'reject', next: [], counters: [], codes: [] })
      t.link.ping(3)
    })()
    const why = await t.ends.next()
    void attached
    assert.equal(held().mappings, before.mappings, 'a mapping is left')
    await host.stop()
    assert.equal(held().descriptors, before.descriptors, 'a descriptor is left')
    return why
  }

  const cases: [wrong: string, why: RegExp][] = [
    ['version', /no common protocol version: the host chose 7, corod speaks 1 to 1/],
    ['magic', /magic number/],
    ['short-message', /another size/],
    ['limits', /impossible limits/],
    ['endless-text', /impossible limits/],
    ['unsealed-a', /lacks seals/],
    ['unsealed-b', /lacks seals/],
    ['writable-a', /lacks seals/],
    ['short-a', /not as large as told/],
    ['short-b', /not as large as told/],
    ['not-memfd', /not a memfd/],
    ['too-many-fds', /more descriptors than allowed/],
    ['no-fds', /another number of descriptors/],
    ['no-own-slot', /before the daemon's own slot/],
    ['pipe-ends', /without its two pipes/],
    ['words', /outside its region/],
    ['ring-size', /outside its region/],
    ['ring-place', /outside its region/],
    ['ring-overflow', /outside its region/],
    ['region', /outside its region/],
    ['slot', /taken|not asked/],
    ['pong-call', /PONG was not asked for/],
  ]
  for (const [wrong, why] of cases)
    it(`${wrong} ends the attachment`, async () => assert.match(await ended(wrong), why))

  it('tells who is attached already', async () => {
    const host = await FakeHost.start('refuse')
    const t = open(host.socket)
    t.link.hello('test')
    const refused = await t.answer('refused')
    assert.deepEqual(refused, { kind: 'refused', status: 'BUSY', min: 1, max: 1, pid: 4711, text: 'another daemon' })
    assert.match(await t.ends.next(), /host closed/)
    await host.stop()
  })
})

describe('statuses', () => {
  it('are the table of layout.h', () => {
    assert.equal(statuses[0]?.name, 'OK')
    assert.equal(statusOf(12).name, 'FULL')
    assert.equal(statusOf(12).text, "the node's backlog is full")
    assert.equal(statusOf(9999).name, 'UNKNOWN')
    assert.equal(new Set(statuses.map(s => s.code)).size, statuses.length)
  })

  it('have their names in the type', () => {
    const source = readFileSync(new URL('../../../shm/message.ts', import.meta.url), 'utf8')
    const type = /export type StatusName =([^/]*)\n\n/.exec(source)?.[1] ?? ''
    const names = [...type.matchAll(/'(\w+)'/g)].map(match => match[1])
    assert.deepEqual(names, [...statuses.map(s => s.name), 'UNKNOWN'])
  })
})
