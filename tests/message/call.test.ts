// Messages that declare a reply: both codecs, the event with its answer, the C header.
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { CallEvent, type Question } from '../../daemon/message/call.js'
import { MessageError, MessageTableError } from '../../daemon/message/errors.js'
import { call, type Messages, message, signal } from '../../daemon/message/message.js'
import { u8, u16, u32, u64 } from '../../daemon/message/numbers.js'
import { MessageTable, recordKind } from '../../daemon/message/table.js'
import { choice, json, text } from '../../daemon/message/values.js'
import { runC } from './gcc.js'

const messages = {
  get: call(1, { key: u32 }, { value: text(8), size: u64 }),
  list: call(2, {}, { first: u8, rest: json }),
  touch: call(3, {}, {}),
  put: message(4, { key: u32 }),
}
const table = new MessageTable(messages)

/** An asker that remembers. */
class Asker implements Question {
  readonly heard: unknown[] = []
  reply(bytes: Uint8Array): boolean {
    this.heard.push(bytes)
    return this.heard.length === 1
  }
  refuse(reason: string): boolean {
    this.heard.push(reason)
    return this.heard.length === 1
  }
  defer(): void {
    this.heard.push('later')
  }
}

function eventOf(type: string, fields: object, question?: Question): CallEvent {
  const bytes = table.encode(type, fields)
  const view = new DataView(bytes.buffer)
  const event = table.event(table.code(type)!, recordKind.event, view, 0, bytes.length, 7n, 5, false, 0, question)
  assert.ok(event instanceof CallEvent)
  return event
}

describe('call', () => {
  it('is sent like any message, and its reply has a codec of its own', () => {
    assert.deepEqual(table.sendable, ['get', 'list', 'touch', 'put'])
    assert.deepEqual(table.calls, ['get', 'list', 'touch'])
    assert.equal(table.maxSize('get'), 4)
    const reply = table.encodeReply('get', { value: 'größe', size: '18446744073709551615' })
    assert.equal(reply.length, 16)
    assert.deepEqual(table.decodeReply('get', reply), { value: 'größe', size: 2n ** 64n - 1n })
    const open = table.encodeReply('list', { first: 1, rest: { deep: [1, null] } })
    assert.deepEqual(table.decodeReply('list', open), { first: 1, rest: { deep: [1, null] } })
    assert.deepEqual(table.decodeReply('touch', table.encodeReply('touch', undefined)), {})
    // Bytes of a larger memory, as an outcome has them.
    const memory = new Uint8Array(64)
    memory.set(reply, 9)
    assert.equal(table.decodeReply('get', memory.subarray(9, 25)).value, 'größe')
  })

  it('a reply that does not fit is refused in both directions, with every fault', () => {
    assert.throws(() => table.encodeReply('get', { value: 'far too long', sise: 1 }), {
      code: 'ERR_MESSAGE',
      message: /\/value: .*\/size: is missing.*\/sise: unknown field/s,
    })
    assert.throws(() => table.decodeReply('get', new Uint8Array(15)), /"get" has 16 bytes, not 15/)
    assert.throws(() => table.decodeReply('list', new Uint8Array(2)), MessageError)
    assert.throws(() => table.encodeReply('put', {}), /no message "put" declares a reply/)
  })

  it('its event answers once; methods are not among its fields', () => {
    const asker = new Asker()
    const event = eventOf('get', { key: 5 }, asker)
    assert.deepEqual({ ...event }, { type: 'get', seq: 7n, time: 5, redelivered: false, attempts: 0, key: 5 })
    assert.equal(event.asked, true)
    event.defer()
    assert.throws(() => event.reply({ value: 5 }), MessageError)
    assert.deepEqual(asker.heard.splice(0), ['later'])
    assert.equal(event.reply({ value: 'x', size: 1n }), true)
    assert.equal(event.refuse('no'), false)
    assert.deepEqual(table.decodeReply('get', asker.heard[0] as Uint8Array), { value: 'x', size: 1n })
  })

  it('without somebody who waits answers go nowhere, and are checked all the same', () => {
    const event = eventOf('get', { key: 5 })
    assert.deepEqual([event.asked, event.reply({ value: '', size: 0 }), event.refuse('no')], [false, false, false])
    event.defer()
    assert.throws(() => event.reply(undefined), MessageError)
    const again = eventOf('get', { key: 6 }, new Asker()).again(3)
    assert.deepEqual([again.asked, again.redelivered, again.attempts, again.key, again.seq], [false, true, 3, 6, 7n])
  })

  it('a reason is cut at 1000 bytes, never inside of a character', () => {
    const asker = new Asker()
    eventOf('touch', {}, asker).refuse(`x${'ö'.repeat(600)}`)
    assert.deepEqual(asker.heard, [`x${'ö'.repeat(499)}`])
  })

  it('tables that cannot be are told so', () => {
    const faults: [Messages, RegExp][] = [
      [{ a: call(1, { reply: u8 }, {}) }, /every event has a "reply" of its own/],
      [{ a: call(1, { defer: u8 }, {}) }, /every event has a "defer" of its own/],
      [{ a: call(1, {}, { x: json, y: u8 }) }, /message "a": reply: field "y" comes after the json field/],
      [{ a: call(1, {}, { '1': u8 }) }, /reply: field "1"/],
      [{ get: call(1, {}, {}), getReply: message(2) }, /in C it would have the same name as "get"/],
    ]
    for (const [messages, fault] of faults) {
      assert.throws(
        () => new MessageTable(messages),
        (error: Error) => error instanceof MessageTableError && fault.test(error.message),
      )
    }
    // A reply is no event: it may have fields of those names.
    assert.ok(new MessageTable({ a: call(1, {}, { seq: u8, type: u8 }) }))
  })

  it('says what another table lacks to send by it', () => {
    const lacks = (other: Messages) => table.lacks(new MessageTable(other))
    assert.equal(lacks(messages), undefined)
    assert.equal(lacks({ put: messages.put }), undefined)
    assert.equal(lacks({ other: message(9) }), 'it has no message "other"')
    for (const put of [message(5, { key: u32 }), message(4, { key: u16 }), message(4, { name: u32 }), signal(4)])
      assert.equal(lacks({ put }), 'its message "put" is another one')
    assert.equal(lacks({ put: call(4, { key: u32 }, {}) }), 'its message "put" is another one')
    assert.equal(lacks({ touch: call(3, {}, { n: u8 }) }), 'its message "touch" is another one')
    const colours = new MessageTable({ paint: message(1, { in: choice('red', 'green') }) })
    assert.notEqual(colours.lacks(new MessageTable({ paint: message(1, { in: choice('green', 'red') }) })), undefined)
  })

  it('the C header has the reply as a struct of its own', async () => {
    const program = `
      #include "messages.h"
      #include <stdio.h>
      int main(void) {
        struct n_get ask = {.key = 5};
        struct n_get_reply reply = {.size = 1};
        corod_put_text(reply.value, sizeof reply.value, "abc");
        printf("%u %u %u %u %u\\n", N_GET_CODE, N_GET_SIZE, N_GET_REPLY_SIZE, N_TOUCH_SIZE, N_TOUCH_REPLY_SIZE);
        printf("%u %u %zu\\n", N_LIST_REPLY_SIZE(2), ask.key, sizeof reply);
        return 0;
      }`
    assert.equal(await runC(program, { 'messages.h': table.header('n') }), '1 4 16 0 0\n7 5 16\n')
  }).timeout(20_000)
})
