import assert from 'node:assert/strict'
import fc from 'fast-check'
import { Stamp } from '../../daemon/cli/stamp.js'

/** `text` stamped, cut into pieces at `cuts`. */
function stamped(type: string, text: string, cuts: readonly number[] = []): string {
  const stamp = new Stamp(type)
  const bytes = Buffer.from(text)
  const at = [0, ...cuts.map(cut => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length]
  return Buffer.concat(at.slice(1).map((end, i) => stamp.push(bytes.subarray(at[i], end)))).toString()
}

describe('cli/stamp', () => {
  it('puts the type first into each object', () => {
    assert.equal(
      stamped('on', '{"a":1}\n{}\n { "b": 2 }\r\n'),
      '{"type":"on","a":1}\n{"type":"on"}\n {"type":"on" ,"b": 2 }\r\n',
    )
    assert.equal(stamped('on', '{ }'), '{"type":"on" }')
    assert.equal(stamped('a"b', '{}'), '{"type":"a\\"b"}')
  })

  it('leaves empty lines and what is no object as it is', () => {
    const text = '\n  \n[1]\nrubbish {\n"{"\n\x00\xff{\n'
    assert.equal(stamped('on', text), text)
  })

  it('a type of the object itself counts', () => {
    assert.equal(JSON.parse(stamped('on', '{"type":"off"}')).type, 'off')
  })

  it('knows when it is between two lines', () => {
    const stamp = new Stamp('on')
    assert.equal(stamp.between, true)
    stamp.push(Buffer.from('{"a":'))
    assert.equal(stamp.between, false)
    stamp.push(Buffer.from('1}'))
    assert.equal(stamp.between, false)
    stamp.push(Buffer.from('\n'))
    assert.equal(stamp.between, true)
  })

  it('it does not matter where the stream is cut', () => {
    const line = fc.oneof(
      fc.dictionary(fc.string(), fc.jsonValue()).map(value => JSON.stringify(value)),
      fc
        .dictionary(fc.string(), fc.integer())
        .map(value => ` ${JSON.stringify(value, null, 1).replaceAll('\n', ' ')} \r`),
      fc.constantFrom('', ' ', '[]', '3', '{', '{"a"'),
    )
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat()), (lines, cuts) => {
        const whole = stamped('on', lines.join('\n'))
        assert.equal(stamped('on', lines.join('\n'), cuts), whole)
        assert.equal(whole.split('\n').length, Math.max(1, lines.length))
        for (const [i, text] of whole.split('\n').entries()) {
          let value: unknown
          try {
            value = JSON.parse(lines[i] ?? '')
          } catch {
            continue
          }
          if (typeof value === 'object' && value !== null && !Array.isArray(value))
            assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify({ type: 'on', ...value })))
        }
      }),
    )
  })
})
