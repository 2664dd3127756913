// The codec: every kind there and back, and everything that does not fit.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { MessageError } from '../../daemon/message/errors.js'
import type { JsonValue, Kind } from '../../daemon/message/kind.js'
import { message, signal } from '../../daemon/message/message.js'
import { bool, f64, i8, i16, i32, i64, u8, u16, u32, u64 } from '../../daemon/message/numbers.js'
import { MessageTable, recordKind } from '../../daemon/message/table.js'
import { bytes, choice, ip4, ip6, json, mac, text } from '../../daemon/message/values.js'

function tableOf(kind: Kind): MessageTable {
  return new MessageTable({ it: message(1, { before: u8, field: kind }) })
}

function decoded(table: MessageTable, name: string, record: Uint8Array): Record<string, unknown> {
  // At an odd place of a larger memory, as in a batch.
  const memory = new Uint8Array(record.length + 16).fill(0xee)
  memory.set(record, 5)
  return table.decode(table.code(name)!, recordKind.event, new DataView(memory.buffer), 5, record.length)
}

function pointers(encode: () => unknown): [string, string][] {
  try {
    encode()
  } catch (error) {
    assert.ok(error instanceof MessageError)
    assert.equal(error.code, 'ERR_MESSAGE')
    return error.faults.map(fault => [fault.pointer, fault.message])
  }
  throw assert.fail('it was taken')
}

describe('kinds', () => {
  const kinds: [Kind, fc.Arbitrary<unknown>][] = [
    [u8, fc.integer({ min: 0, max: 0xff })],
    [u16, fc.integer({ min: 0, max: 0xffff })],
    [u32, fc.integer({ min: 0, max: 0xffffffff })],
    [u64, fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })],
    [i8, fc.integer({ min: -0x80, max: 0x7f })],
    [i16, fc.integer({ min: -0x8000, max: 0x7fff })],
    [i32, fc.integer({ min: -0x80000000, max: 0x7fffffff })],
    [i64, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })],
    [f64, fc.double()],
    [bool, fc.boolean()],
    [ip4, fc.ipV4()],
    [
      text(64),
      fc.string({ unit: 'grapheme', maxLength: 8 }).filter(s => !s.includes('\0') && Buffer.byteLength(s) <= 64),
    ],
    [bytes(20), fc.uint8Array({ maxLength: 20 })],
    [json, fc.jsonValue().map(value => JSON.parse(JSON.stringify(value)) as JsonValue)],
    [choice('red', 'green', 'blue'), fc.constantFrom('red', 'green', 'blue')],
  ]
  for (const [kind, values] of kinds) {
    it(`${kind.name}: there and back`, () => {
      const table = tableOf(kind)
      fc.assert(
        fc.property(values, value => {
          const record = table.encode('it', { before: 7, field: value })
          if (!kind.open) assert.equal(record.length, 1 + kind.size)
          assert.equal(table.maxSize('it'), kind.open ? 4096 : record.length)
          assert.deepEqual(decoded(table, 'it', record), { before: 7, field: value })
        }),
      )
    })

    it(`${kind.name}: from JSON, there and back`, () => {
      const table = tableOf(kind)
      const toJson = (value: unknown): unknown => {
        if (typeof value === 'bigint') return `${value}`
        return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value
      }
      fc.assert(
        fc.property(
          values.filter(value => typeof value !== 'number' || Number.isFinite(value)),
          value => {
            const given = JSON.parse(JSON.stringify({ before: 7, field: toJson(value) }))
            const field = Object.is(value, -0) ? 0 : value
            assert.deepEqual(decoded(table, 'it', table.encode('it', given)), { before: 7, field })
          },
        ),
      )
    })
  }

  it('addresses are canonical when received', () => {
    const table = new MessageTable({ it: message(1, { six: ip6, mac }) })
    const record = table.encode('it', { six: '2001:DB8:0::1', mac: '02:00:5E:00:00:01' })
    assert.deepEqual(decoded(table, 'it', record), { six: '2001:db8::1', mac: '02:00:5e:00:00:01' })
  })

  it('bytes are a copy: they outlive the batch', () => {
    const table = tableOf(bytes(4))
    const record = table.encode('it', { before: 1, field: Uint8Array.of(1, 2, 3) })
    const { field } = table.decode(1, recordKind.event, new DataView(record.buffer), 0, record.length)
    record.fill(0)
    assert.deepEqual(field, Uint8Array.of(1, 2, 3))
  })

  it('text ends at the first NUL, whatever follows it', () => {
    const table = tableOf(text(8))
    assert.deepEqual(decoded(table, 'it', Uint8Array.from([1, 0x61, 0x62, 0, 0xff, 0xff, 1, 2, 3])), {
      before: 1,
      field: 'ab',
    })
    assert.deepEqual(decoded(table, 'it', Uint8Array.from([1, ...Buffer.from('abcdefgh')])), {
      before: 1,
      field: 'abcdefgh',
    })
  })

  const refused: [Kind, unknown, RegExp][] = [
    [u8, 256, /^256 is out of range: u8 takes 0 to 255$/],
    [u8, -1, /out of range/],
    [u8, 1.5, /^1.5 is not an integer$/],
    [u8, '1', /^"1" is not an integer$/],
    [u8, null, /^null is not an integer$/],
    [i32, 2 ** 31, /out of range: i32 takes -2147483648 to 2147483647/],
    [u64, -1n, /out of range: u64/],
    [u64, '18446744073709551616', /out of range: u64/],
    [u64, 2 ** 53, /is not exact in JSON: write it as a decimal string/],
    [u64, '1e3', /^"1e3" is not an integer: write a decimal string$/],
    [u64, '007', /is not an integer/],
    [u64, '', /is not an integer/],
    [i64, '9223372036854775808', /out of range: i64/],
    [f64, '1', /^"1" is not a number$/],
    [bool, 1, /^1 is not true or false$/],
    [ip4, '10.0.0', /^"10.0.0" is not ip4: write it like "10.0.0.1"$/],
    [ip6, '10.0.0.1', /is not ip6: write it like "2001:db8::1"/],
    [mac, [], /^an array is not mac/],
    [text(4), 'äöü', /^6 bytes of UTF-8 are too many: at most 4$/],
    [text(4), 'a\0b', /NUL/],
    [text(4), '\ud800', /surrogate/],
    [text(4), 5, /^5 is not text$/],
    [bytes(2), 'AAECAw==', /^4 bytes are too many: at most 2$/],
    [bytes(2), 'A', /is not bytes: write base64/],
    [json, () => 1, /^a function is not something that JSON can say$/],
    [json, 5n, /^5 is not something/],
    [choice('a', 'b'), 'c', /^"c" is not one of "a", "b"$/],
    [u8, {}, /^an object is not/],
    [text(4), 'x'.repeat(100), /100 bytes/],
    [ip4, 'x'.repeat(100), /^"x{40}…" is not ip4/],
  ]
  for (const [kind, value, expected] of refused) {
    it(`${kind.name} refuses ${typeof value} ${expected.source.slice(0, 40)}`, () => {
      const faults = pointers(() => tableOf(kind).encode('it', { before: 1, field: value }))
      assert.equal(faults.length, 1)
      assert.equal(faults[0]?.[0], '/field')
      assert.match(faults[0]?.[1] ?? '', expected)
    })
  }

  it('kinds with a size refuse sizes that no message could have', () => {
    for (const make of [text, bytes]) for (const n of [0, -1, 1.5, 4097]) assert.throws(() => make(n), TypeError)
    assert.throws(() => choice(...([] as unknown as ['a'])), TypeError)
    assert.throws(() => choice('a', 'a'), /twice/)
  })
})

describe('encode', () => {
  const table = new MessageTable({
    enable: message(1, { dest: ip4, port: u16 }),
    disable: message(2),
    'link-up': signal(9),
  })

  it('tells every fault, each with its JSON pointer', () => {
    assert.deepEqual(
      pointers(() => table.encode('enable', { dst: '10.0.0.1', port: 70000, 'a/b~c': 1 })),
      [
        ['/dest', 'is missing: ip4'],
        ['/port', '70000 is out of range: u16 takes 0 to 65535'],
        ['/dst', 'unknown field; did you mean "dest"?'],
        ['/a~1b~0c', 'unknown field; fields: dest, port'],
      ],
    )
    assert.throws(() => table.encode('enable', { port: 1 }), { message: '/dest: is missing: ip4' })
  })

  it('nothing is the same as no fields', () => {
    assert.equal(table.encode('disable', undefined).length, 0)
    assert.equal(table.encode('disable', {}).length, 0)
    assert.deepEqual(
      pointers(() => table.encode('disable', { now: true })),
      [['/now', 'unknown field; there are no fields']],
    )
  })

  it('refuses what is no object, and names of every object', () => {
    for (const value of [null, [], 'text', 5]) {
      assert.deepEqual(pointers(() => table.encode('enable', value)).at(0)?.[0], '')
    }
    const inherited = Object.create({ dest: '10.0.0.1', port: 1 }) as object
    assert.equal(pointers(() => table.encode('enable', inherited)).length, 2)
    const hostile = JSON.parse('{"dest":"10.0.0.1","port":1,"__proto__":{},"constructor":1}') as object
    assert.deepEqual(
      pointers(() => table.encode('enable', hostile)).map(([pointer]) => pointer),
      ['/__proto__', '/constructor'],
    )
  })

  it('an unknown message: which was meant', () => {
    assert.deepEqual(
      pointers(() => table.encode('enabel', {})),
      [['', 'no message "enabel"; did you mean "enable"?']],
    )
    assert.deepEqual(
      pointers(() => table.encode('x'.repeat(10_000), {})),
      [['', `no message "${'x'.repeat(40)}…"; messages: enable, disable, link-up`]],
    )
  })

  it('a signal has its datum', () => {
    assert.deepEqual(decoded(table, 'link-up', table.encode('link-up', { data: '5' })), { data: 5n })
  })

  it('JSON that is nested too deeply is refused with a word, in both directions', () => {
    const open = new MessageTable({ it: message(1, { rest: json }) })
    const nested = (levels: number) => JSON.parse('['.repeat(levels) + ']'.repeat(levels)) as JsonValue
    assert.deepEqual(decoded(open, 'it', open.encode('it', { rest: nested(100) })), { rest: nested(100) })
    for (const levels of [101, 100_000]) {
      assert.deepEqual(
        pointers(() => open.encode('it', { rest: nested(levels) })),
        [['/rest', 'more than 100 arrays and objects in each other']],
      )
    }
    const source = Buffer.from('['.repeat(1000) + ']'.repeat(1000))
    const bytes = Buffer.concat([Buffer.from(new Uint32Array([source.length]).buffer), source])
    assert.deepEqual(
      pointers(() => decoded(open, 'it', bytes)),
      [['/rest', 'more than 100 arrays and objects in each other']],
    )
  })

  it('JSON that is too long is told at its field', () => {
    const open = new MessageTable({ it: message(1, { id: u32, rest: json }) })
    assert.equal(open.encode('it', { id: 1, rest: 'x'.repeat(4086) }).length, 4096)
    assert.deepEqual(
      pointers(() => open.encode('it', { id: 1, rest: 'x'.repeat(4087) })),
      [['/rest', '4097 bytes are too many: a message has at most 4096']],
    )
  })
})

describe('decode', () => {
  const table = new MessageTable({
    plain: message(1, { on: bool, pick: choice('a', 'b'), data: bytes(3), name: text(2) }),
    open: message(2, { id: u8, rest: json }),
    empty: message(3),
    datum: signal(4),
  })
  const at = (code: number, kind: number, record: readonly number[]) => {
    const view = new DataView(Uint8Array.from(record).buffer)
    return table.event(code, kind, view, 0, record.length, 7n, 1.5, true, 2)
  }
  const { event, signal: signalled, gap, close } = recordKind

  it('makes one object with what every event has', () => {
    assert.deepEqual(at(3, event, []), { type: 'empty', seq: 7n, time: 1.5, redelivered: true, attempts: 2 })
    assert.deepEqual(at(4, signalled, [5, 0, 0, 0, 0, 0, 0, 1]).data, 2n ** 56n + 5n)
    const counts = [1n, 9n, 4n].flatMap(value => [Number(value), 0, 0, 0, 0, 0, 0, 0])
    assert.deepEqual(at(0xffff0002, gap, counts), {
      type: 'gap',
      seq: 7n,
      time: 1.5,
      redelivered: true,
      attempts: 2,
      first: 1n,
      last: 9n,
      count: 4n,
    })
    assert.deepEqual(table.decode(0xffff0002, gap, new DataView(Uint8Array.from(counts).buffer), 0, 24), {
      first: 1n,
      last: 9n,
      count: 4n,
    })
  })

  const good = [1, 0, 1, 0, 9, 0, 0, 0x61, 0]
  const bad: [string, number, number, readonly number[], RegExp][] = [
    ['an unknown code', 99, event, [], /^no message has code 99$/],
    ['a record that is too short', 1, event, good.slice(1), /^"plain" has 9 bytes, not 8$/],
    ['a record that is too long', 1, event, [...good, 0], /^"plain" has 9 bytes, not 10$/],
    ['a message with fields where there are none', 3, event, [0], /^"empty" has 0 bytes, not 1$/],
    ['a signal for a message', 3, signalled, [0, 0, 0, 0, 0, 0, 0, 0], /declare it with signal\(code\)/],
    ['a signal without its datum', 4, signalled, [0], /^"datum" has 8 bytes, not 1$/],
    ['a record of another kind', 3, close, [], /kind 4 is no message/],
    ['a gap of another size', 0, gap, [0], /^a gap has 24 bytes, not 1$/],
    ['a bool of 2', 1, event, [2, ...good.slice(1)], /^\/on: 2 is not a bool/],
    ['a choice out of range', 1, event, [1, 2, ...good.slice(2)], /^\/pick: 2 is none of the 2 choices/],
    ['bytes longer than their field', 1, event, [1, 0, 4, 0, 1, 2, 3, 0x61, 0], /^\/data: length 4 is more than 3/],
    ['text that is not UTF-8', 1, event, [...good.slice(0, 7), 0xff, 0], /^\/name: not UTF-8/],
    ['JSON without its length', 2, event, [1, 0, 0], /^"open" has at least 5 bytes, not 3$/],
    ['JSON with a wrong length', 2, event, [1, 9, 0, 0, 0, 0x31], /^\/rest: length 9 is not the 1 bytes that follow/],
    ['JSON that is none', 2, event, [1, 1, 0, 0, 0, 0x7b], /^\/rest: not JSON/],
    ['JSON that is not UTF-8', 2, event, [1, 3, 0, 0, 0, 0x22, 0xff, 0x22], /^\/rest: not UTF-8/],
  ]
  for (const [what, code, kind, record, expected] of bad) {
    it(`refuses ${what}`, () => {
      assert.throws(
        () => at(code, kind, record),
        error => error instanceof MessageError && expected.test(error.message),
      )
    })
  }

  it('never reads beyond its record, and throws nothing but MessageError', () => {
    const names = [1, 2, 3, 4, 99]
    fc.assert(
      fc.property(
        fc.constantFrom(...names),
        fc.constantFrom(1, 2, 3, 4),
        fc.uint8Array({ maxLength: 40 }),
        (code, kind, bytes) => {
          try {
            table.event(
              code,
              kind,
              new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
              0,
              bytes.length,
              0n,
              0,
              false,
              0,
            )
          } catch (error) {
            assert.ok(error instanceof MessageError, String(error))
          }
        },
      ),
      { numRuns: 2000 },
    )
  })

  it('MessageErrors of another copy of this package are recognised', async () => {
    const path = new URL('../../daemon/message/errors.js?copy', import.meta.url).href
    const copy = (await import(path)) as { MessageError: typeof MessageError }
    assert.ok(new copy.MessageError([]) instanceof MessageError)
    assert.equal((new Error() as unknown) instanceof MessageError, false)
  })
})
