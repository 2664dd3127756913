// Message tables that cannot be used, and what one tells of itself.
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { MessageTableError } from '../../daemon/message/errors.js'
import { interfaceChange } from '../../daemon/message/interface.js'
import type { Kind } from '../../daemon/message/kind.js'
import { call, type Message, message, signal } from '../../daemon/message/message.js'
import { u8, u16, u32, u64 } from '../../daemon/message/numbers.js'
import { MessageTable } from '../../daemon/message/table.js'
import { bytes, ip4, json, text } from '../../daemon/message/values.js'

describe('message table', () => {
  const refused: [string, Record<string, Message>, RegExp][] = [
    ['a code twice', { a: message(1), b: signal(1) }, /^message "b": code 1 is already that of "a"$/],
    ['the reserved name', { gap: message(1) }, /^message "gap": the name is reserved/],
    ['a name that is no identifier', { '1st': message(1) }, /a name is a letter, then/],
    ['a name that is too long', { ['a'.repeat(64)]: message(1) }, /up to 62/],
    [
      'names that are one in C',
      { linkUp: message(1), 'link-up': message(2) },
      /in C it would have the same name as "linkUp"/,
    ],
    ['a field that every event has', { a: message(1, { seq: u8 }) }, /field "seq": every event has a "seq" of its own/],
    ['a field that every event will have', { a: message(1, { reply: u8 }) }, /"reply" of its own/],
    ['a field name that is no identifier', { a: message(1, { 'b-c': u8 }) }, /field "b-c": a name is a letter/],
    ['a field after json', { a: message(1, { b: json, c: u8 }) }, /field "c" comes after the json field/],
    ['a message that is too large', { a: message(1, { b: text(4096), c: u8 }) }, /4097 bytes are too many/],
    ['a field that is no kind', { a: message(1, { b: 'u8' as unknown as Kind }) }, /field "b": not a kind/],
    ['a message that is none', { a: {} as Message }, /make it with message\(code, fields\)/],
    ['a reserved code', { a: { code: 0xffff0002, fields: {}, form: 'message' } }, /code 4294901762 is reserved/],
  ]
  for (const [what, messages, expected] of refused) {
    it(`refuses ${what}`, () => {
      assert.throws(
        () => new MessageTable(messages),
        error => error instanceof MessageTableError && expected.test(error.message),
      )
    })
  }

  it('refuses codes that are none, at once', () => {
    for (const code of [-1, 1.5, 0xffff0000, Number.NaN]) {
      assert.throws(() => message(code), /an integer from 0 to 4294901759/)
      assert.throws(() => signal(code), TypeError)
    }
  })

  it('tells names, codes and sizes', () => {
    const table = new MessageTable({
      enable: message(1, { dest: ip4, port: u16, data: bytes(10) }),
      rest: message(7, { id: u32, value: json }),
      tick: signal(3),
      off: message(0),
      link: interfaceChange,
    })
    assert.deepEqual(table.names, ['enable', 'rest', 'tick', 'off', 'link'])
    assert.deepEqual(table.sendable, ['enable', 'rest', 'tick', 'off'])
    assert.deepEqual(table.codes, [
      { code: 1, maxSize: 18 },
      { code: 7, maxSize: 4096 },
      { code: 3, maxSize: 8 },
      { code: 0, maxSize: 0 },
      { code: 0xffff0001, maxSize: 99 },
    ])
    assert.equal(table.code('rest'), 7)
    assert.equal(table.code('toString'), undefined)
    assert.equal(table.maxSize('toString'), undefined)
  })

  it('an empty one is fine', () => {
    assert.deepEqual(new MessageTable({}).codes, [])
  })
})

describe('JSON Schema', () => {
  it('says what the local socket takes, and nothing of what the host sends', () => {
    const table = new MessageTable({
      load: message(1, { size: u64, port: u16 }),
      off: message(2),
      link: interfaceChange,
    })
    const schema = table.jsonSchema() as {
      oneOf: { title: string; properties: Record<string, object>; required: string[] }[]
    }
    assert.deepEqual(
      schema.oneOf.map(one => one.title),
      ['load', 'off'],
    )
    assert.deepEqual(schema.oneOf[0]?.required, ['type', 'size', 'port'])
    assert.deepEqual(schema.oneOf[1], {
      title: 'off',
      type: 'object',
      properties: { type: { const: 'off' } },
      required: ['type'],
      additionalProperties: false,
    })
    assert.deepEqual(schema.oneOf[0]?.properties.port, {
      type: 'integer',
      minimum: 0,
      maximum: 65535,
    })
  })

  it('has the replies of calls among its definitions', () => {
    const table = new MessageTable({
      get: call(1, { key: u16 }, { size: u64 }),
      touch: call(2, {}, {}),
      put: message(3),
    })
    const { oneOf, $defs } = table.jsonSchema() as {
      oneOf: { title: string }[]
      $defs: Record<string, { required: string[]; properties: object }>
    }
    assert.deepEqual(
      oneOf.map(one => one.title),
      ['get', 'touch', 'put'],
    )
    assert.deepEqual(Object.keys($defs), ['get.reply', 'touch.reply'])
    assert.deepEqual([$defs['get.reply']?.required, $defs['touch.reply']?.required], [['size'], []])
  })

  it('of a table that nobody can send by takes nothing', () => {
    for (const messages of [{}, { link: interfaceChange }]) {
      const { $schema, ...rest } = new MessageTable(messages).jsonSchema()
      assert.deepEqual(rest, { not: {} })
    }
  })
})
