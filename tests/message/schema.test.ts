// The JSON Schema of a table against its codec, by a validator that knows nothing of either.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { z } from 'zod'
import { message } from '../../daemon/message/message.js'
import { bool, f64, i8, i16, i32, i64, u8, u16, u32, u64 } from '../../daemon/message/numbers.js'
import { MessageTable } from '../../daemon/message/table.js'
import { bytes, choice, ip4, ip6, json, mac, text } from '../../daemon/message/values.js'

const fields = { u8, u16, u32, u64, i8, i16, i32, i64, f64, bool, ip4, ip6, mac, text: text(8), bytes: bytes(4) }
const table = new MessageTable({
  every: message(1, { ...fields, choice: choice('red', 'green'), json }),
  other: message(2, { n: u8 }),
  none: message(3),
})

/** What both take, as JSON has it. */
const good = {
  u8: 255,
  u16: 65535,
  u32: 0xffff_ffff,
  u64: '18446744073709551615',
  i8: -128,
  i16: -1,
  i32: 0,
  i64: '-9223372036854775808',
  f64: 0.5,
  bool: true,
  ip4: '10.0.0.1',
  ip6: '2001:db8::1',
  mac: '02:00:5e:10:00:01',
  text: 'text',
  bytes: 'AAEC',
  choice: 'red',
  json: { any: [1, null] },
}
type Field = keyof typeof good

function encodes(type: string, value: object): boolean {
  try {
    table.encode(type, value)
    return true
  } catch {
    return false
  }
}

// JSON Schema speaks of characters where the codec counts bytes, knows neither surrogates nor NUL, and has no ranges for
// decimal strings.
const looser: readonly Field[] = ['text', 'bytes', 'u64', 'i64']

describe('the JSON Schema of a table', () => {
  const schema = z.fromJSONSchema(table.jsonSchema() as Parameters<typeof z.fromJSONSchema>[0])
  const takes = (type: string, value: object) => schema.safeParse({ type, ...value }).success

  it('takes a message with all of its fields, and no other', () => {
    assert.ok(takes('every', good) && encodes('every', good))
    assert.ok(takes('none', {}) && takes('other', { n: 1 }))
    const wrong: [string, object][] = [
      ['none', { n: 1 }],
      ['other', {}],
      ['other', { n: 1, m: 1 }],
      ['nobody', {}],
      ['every', { ...good, more: 1 }],
    ]
    for (const [type, value] of wrong) {
      assert.equal(encodes(type, value), false)
      assert.equal(takes(type, value), false, `${type} ${JSON.stringify(value)}`)
    }
    for (const field of Object.keys(good) as Field[]) {
      const { [field]: _, ...rest } = good
      assert.equal(takes('every', rest), false, `without ${field}`)
    }
  })

  const near: Record<string, fc.Arbitrary<unknown>> = {
    'any JSON': fc.jsonValue(),
    'whole numbers': fc.oneof(
      fc.integer({ min: -(2 ** 33), max: 2 ** 33 }),
      fc.constantFrom(-129, -128, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2 ** 31, 2 ** 32, 2 ** 53),
    ),
    numbers: fc.double({ noDefaultInfinity: true, noNaN: true }),
    'decimal strings': fc.oneof(
      fc.bigInt({ min: -(2n ** 64n), max: 2n ** 65n }).map(String),
      fc.constantFrom('0', '-0', '007', '1e3', '', ' 1', '18446744073709551616', '-9223372036854775809'),
    ),
    addresses: fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom('02:00:5e:10:00:01', '02:00:5E:10:00:01', '1.2.3')),
    words: fc.oneof(fc.constantFrom('red', 'blue', 'AAECAw==', 'AAEC', 'A'), fc.string({ maxLength: 9 })),
  }
  for (const [what, values] of Object.entries(near)) {
    it(`in the place of a field, takes of ${what} what the codec takes`, () => {
      fc.assert(
        fc.property(fc.constantFrom(...(Object.keys(good) as Field[])), values, (field, value) => {
          const given = { ...good, [field]: value }
          const taken = encodes('every', given)
          if (!taken && looser.includes(field)) return
          assert.equal(takes('every', given), taken, `${field}: ${JSON.stringify(value)}`)
        }),
        { numRuns: 1500 },
      )
    })
  }
})
