import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { Lines, LineTooLong } from '../../daemon/control/lines.js'

/** All lines of `text` when it comes in pieces that end at `cuts`. */
function split(text: Buffer, cuts: readonly number[], limit: number): string[] {
  const lines = new Lines(limit)
  const out: string[] = []
  let from = 0
  for (const to of [...cuts.map(cut => cut % (text.length + 1)).sort((a, b) => a - b), text.length]) {
    lines.push(text.subarray(from, to))
    for (let line = lines.next(); line !== undefined; line = lines.next()) out.push(line.toString())
    from = to
  }
  const last = lines.last()?.toString()
  if (last !== undefined) out.push(last)
  assert.equal(lines.number, out.length)
  return out
}

describe('control: lines', () => {
  it('are the same wherever the stream is cut', () => {
    const line = fc.string({ unit: fc.constantFrom('a', 'ß', '😀', ' ', '\r'), maxLength: 40 })
    fc.assert(
      fc.property(fc.array(line), fc.array(fc.nat()), (wanted, cuts) => {
        const text = wanted.map(one => `${one}\n`).join('')
        assert.deepEqual(split(Buffer.from(text), cuts, 200), wanted)
      }),
    )
  })

  it('the last one needs no newline', () => {
    assert.deepEqual(split(Buffer.from('a\nb'), [1, 2], 10), ['a', 'b'])
  })

  it('may have exactly the limit, not a byte more, however they come', () => {
    fc.assert(
      fc.property(fc.array(fc.nat()), fc.boolean(), (cuts, ends) => {
        const end = ends ? '\n' : ''
        assert.deepEqual(split(Buffer.from(`${'x'.repeat(50)}${end}`), cuts, 50), ['x'.repeat(50)])
        assert.throws(() => split(Buffer.from(`${'x'.repeat(51)}${end}`), cuts, 50), LineTooLong)
      }),
    )
  })

  it('cost the same whether they come at once or byte by byte', () => {
    const lines = new Lines(8 * 1024 * 1024)
    const byte = Buffer.from('x')
    for (let i = 0; i < 4 * 1024 * 1024; i++) {
      lines.push(byte)
      assert.equal(lines.next(), undefined)
    }
    lines.push(Buffer.from('\n'))
    assert.equal(lines.next()?.length, 4 * 1024 * 1024)
  }).timeout(20_000)
})
