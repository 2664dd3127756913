// Addresses between text and bytes, against the platform's own idea of them.
import assert from 'node:assert/strict'
import { BlockList, isIPv4, isIPv6 } from 'node:net'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { parseIp4, parseIp6, parseMac, readIp4, readIp6, readMac } from '../../daemon/message/address.js'

const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.length)

describe('ip4', () => {
  it('is read and parsed, there and back', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), bytes => {
        const text = readIp4(view(bytes), 0)
        assert.ok(isIPv4(text))
        assert.deepEqual(parseIp4(text), bytes)
      }),
    )
  })

  it('refuses what the platform refuses, and leading zeros', () => {
    for (const text of [
      '',
      '1.2.3',
      '1.2.3.4.5',
      '256.1.1.1',
      '01.2.3.4',
      '1.2.3.4 ',
      '1,2,3,4',
      '0x1.2.3.4',
      '-1.2.3.4',
    ]) {
      assert.equal(parseIp4(text), undefined, text)
    }
  })
})

describe('ip6', () => {
  const canonical: [string, string][] = [
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:0DB8:0:0:0:0:0:1', '2001:db8::1'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
    ['1:0:0:2:3:0:0:4', '1::2:3:0:0:4'],
    ['1:0:2:3:4:5:6:7', '1:0:2:3:4:5:6:7'],
    ['::ffff:10.0.0.1', '::ffff:10.0.0.1'],
    ['::ffff:a00:1', '::ffff:10.0.0.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
  ]
  for (const [given, expected] of canonical) {
    it(`${given} is ${expected}`, () => assert.equal(readIp6(view(parseIp6(given)!), 0), expected))
  }

  it('is read and parsed, there and back, with runs of zeros', () => {
    const group = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff }))
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), groups => {
        const bytes = Uint8Array.from(groups.flatMap(value => [value >> 8, value & 255]))
        const text = readIp6(view(bytes), 0)
        assert.ok(isIPv6(text), text)
        assert.deepEqual(parseIp6(text), bytes)
        const full = groups.map(value => value.toString(16)).join(':')
        const list = new BlockList()
        list.addAddress(full, 'ipv6')
        assert.ok(list.check(text, 'ipv6'), `${text} is not ${full}`)
      }),
    )
  })

  it('takes only what the platform takes, without zones', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('0', '1', 'f', ':', '::', '.', '1.2.3.4', 'g', ' ') }), text => {
        assert.equal(parseIp6(text) !== undefined, isIPv6(text), text)
      }),
      { numRuns: 3000 },
    )
    assert.equal(parseIp6('fe80::1%eth0'), undefined)
  })
})

describe('mac', () => {
  it('is read in lower case, and parsed in any', () => {
    const bytes = parseMac('02:00:5E:10:00:fF')!
    assert.equal(readMac(view(bytes), 0), '02:00:5e:10:00:ff')
    for (const text of ['', '02:00:5e:10:00', '02-00-5e-10-00-01', '2:0:5e:10:0:1', '02:00:5e:10:00:01:02']) {
      assert.equal(parseMac(text), undefined, text)
    }
  })
})
