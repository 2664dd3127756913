// Peers: what is sent and called, in which order, and how a call ends.
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { MessageError } from '../../daemon/message/errors.js'
import { call, message } from '../../daemon/message/message.js'
import { u32 } from '../../daemon/message/numbers.js'
import { MessageTable, recordKind } from '../../daemon/message/table.js'
import { text } from '../../daemon/message/values.js'
import { processNode } from '../../daemon/process/define.js'
import { NodeStoppedError, TimeoutError } from '../../daemon/process/errors.js'
import type { ProcessContext, ProcessNode, Vm } from '../../daemon/process/node.js'
import { settle, TestNode, TestPort } from './port.js'

const other = { get: call(1, { key: u32 }, { value: text(8) }), put: message(2, { key: u32 }), ping: call(3, {}, {}) }
const table = new MessageTable(other)
const peers = { db: other, second: other }

type Node = ProcessContext<
  Record<never, never>,
  never,
  never,
  undefined,
  Readonly<Record<string, unknown>>,
  typeof peers
>

function start(run: (vm: Vm, node: Node) => Promise<void>, port = new TestPort()): TestNode {
  const definition = processNode({ peers, run: async (vm, node) => run(vm, node) })
  return new TestNode(definition as ProcessNode, port)
}

const fieldsOf = (code: number, event: Uint8Array) =>
  table.decode(code, recordKind.event, new DataView(event.buffer), 0, event.length)

describe('peers', () => {
  it('events leave encoded, at once, in their order, to the peer that is meant', async () => {
    const port = new TestPort()
    port.peer = async () => table.encodeReply('get', { value: 'two' })
    const places: unknown[] = []
    const node = start(async (_vm, { peers: { db, second } }) => {
      const first = db.send('put', { key: 1 })
      const reply = second.call('get', { key: 2 }, { timeout: 70 })
      const last = db.send('put', { key: 3 })
      assert.equal(port.sent.length, 3)
      places.push(await first, (await reply).value, await last, db.name, second.name)
    }, port)
    assert.equal((await node.ended).how, 'returned')
    assert.deepEqual(places, [1n, 'two', 3n, 'a', 'b'])
    assert.deepEqual(
      port.sent.map(({ peer, code, event, ms }) => [peer, code, fieldsOf(code, event), ms]),
      [
        [0, 2, { key: 1 }, 0],
        [1, 1, { key: 2 }, 70],
        [0, 2, { key: 3 }, 0],
      ],
    )
  })

  it('a call without fields and without a reply', async () => {
    const port = new TestPort()
    const node = start(async (_vm, { peers: { db } }) => {
      assert.deepEqual(await db.call('ping'), {})
      assert.deepEqual(await db.call('ping', {}, { timeout: 10 }), {})
    }, port)
    assert.deepEqual(await node.ended, { how: 'returned' })
    assert.deepEqual(
      port.sent.map(({ ms }) => ms),
      [5000, 10],
    )
  })

  it('a call ends by its timeout, and a late reply goes nowhere', async () => {
    const port = new TestPort()
    let answer: (bytes: Uint8Array) => void = () => {}
    port.peer = () =>
      new Promise(resolve => {
        answer = resolve
      })
    const errors: unknown[] = []
    const node = start(async (vm, { peers: { db } }) => {
      errors.push(await db.call('ping', {}, { timeout: 30 }).catch(caught => caught))
      await vm.sleep(10)
    }, port)
    await node.pass(29)
    assert.equal(errors.length, 0)
    await node.pass(1)
    assert.ok(errors[0] instanceof TimeoutError)
    assert.equal(port.sent[0]?.signal.aborted, true)
    answer(new Uint8Array(0))
    await node.pass(20)
    assert.deepEqual([node.result?.how, node.port.lates], ['returned', 1])
  })

  it('a stopped node: calls reject, also those that begin later, and are called off', async () => {
    const port = new TestPort()
    port.peer = () => new Promise(() => {})
    const errors: unknown[] = []
    const node = start(async (_vm, { peers: { db } }) => {
      errors.push(await db.call('ping').catch(caught => caught))
      errors.push(await db.call('ping').catch(caught => caught))
      errors.push(await db.send('put', { key: 1 }).catch(caught => caught))
    }, port)
    await settle()
    node.runtime.destroy()
    await node.ended
    assert.ok(errors.length === 3 && errors.every(error => error instanceof NodeStoppedError))
    assert.deepEqual([port.sent.length, port.sent[0]?.signal.aborted], [1, true])
  })

  it('can be called off by a signal of the caller', async () => {
    const port = new TestPort()
    port.peer = () => new Promise(() => {})
    const abort = new AbortController()
    const errors: unknown[] = []
    const node = start(async (_vm, { peers: { db } }) => {
      errors.push(await db.call('ping', {}, { signal: abort.signal }).catch(caught => caught))
      errors.push(await db.call('ping', {}, { signal: abort.signal }).catch(caught => caught))
    }, port)
    await settle()
    abort.abort(new Error('enough'))
    await node.ended
    assert.deepEqual(
      errors.map(error => (error as Error).message),
      ['enough', 'enough'],
    )
    assert.equal(port.sent.length, 1)
  })

  it('what can never be right rejects and leaves nothing', async () => {
    const port = new TestPort()
    const node = start(async (_vm, { peers: { db } }) => {
      await assert.rejects(db.call('get', { key: -1 }), MessageError)
      await assert.rejects(db.send('put', { kez: 1 } as never), /\/key: is missing/)
      const loose = db as unknown as Record<'send' | 'call', (type: string, fields?: object) => Promise<unknown>>
      await assert.rejects(loose.send('nothing'), MessageError)
      await assert.rejects(loose.call('put', { key: 1 }), { code: 'ERR_INVALID_ARGUMENT' })
      for (const timeout of [0, Number.NaN, Number.POSITIVE_INFINITY, -1, 2 ** 32])
        await assert.rejects(db.call('ping', {}, { timeout }), { code: 'ERR_INVALID_ARGUMENT' })
    }, port)
    assert.deepEqual([await node.ended, port.sent.length], [{ how: 'returned' }, 0])
  })

  it('a reply that is none is an error of the call', async () => {
    const port = new TestPort()
    port.peer = async () => new Uint8Array(3)
    const node = start(async (_vm, { peers: { db } }) => {
      await assert.rejects(db.call('get', { key: 1 }), /"get" has 8 bytes, not 3/)
    }, port)
    assert.deepEqual(await node.ended, { how: 'returned' })
  })

  it('a definition takes tables and other nodes, and refuses what is neither', () => {
    const db = processNode({ messages: other, async run() {} })
    const node = processNode({ peers: { db, table: other }, async run() {} })
    assert.deepEqual(node.peers, { db: other, table: other })
    assert.throws(() => processNode({ peers: { 'a b': other }, async run() {} }), /peer "a b"/)
    const broken = { a: message(1), b: message(1) }
    assert.throws(() => processNode({ peers: { db: broken }, async run() {} }), /peer "db": message "b": code 1/)
  })
})
