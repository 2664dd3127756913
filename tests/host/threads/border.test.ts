import assert from 'node:assert/strict'
import { type Carried, pack, packFields, unpack, unpackFields } from '../../../daemon/host/threads/border.js'

const across = <T>(value: T): T => structuredClone(value)

describe('border between threads', () => {
  it('an error keeps its name, message, stack, code, cause and errors', () => {
    class StrangeError extends TypeError {
      override name = 'StrangeError'
      readonly code = 'E_STRANGE'
    }
    const cause = new RangeError('the cause')
    const error = new StrangeError('what happened', { cause })
    const back = unpack(across(pack(error))) as StrangeError
    assert.ok(back instanceof Error)
    assert.deepEqual(
      [back.name, back.message, back.stack, back.code],
      ['StrangeError', 'what happened', error.stack, 'E_STRANGE'],
    )
    assert.equal((back.cause as Error).stack, cause.stack)
    assert.equal(String(back), 'StrangeError: what happened')
    const many = unpack(across(pack(new AggregateError([new Error('one'), 'two'], 'both')))) as AggregateError
    assert.deepEqual([(many.errors[0] as Error).message, many.errors[1]], ['one', 'two'])
  })

  it('whatever else is thrown is told as text, and a circle of causes ends', () => {
    assert.equal(unpack(across(pack('text'))), 'text')
    assert.equal(unpack(across(pack(undefined))), 'undefined')
    assert.equal(unpack(across(pack(Object.create(null)))), 'something that cannot be shown')
    const circle = new Error('round')
    circle.cause = circle
    let depth = 0
    for (let at: unknown = unpack(across(pack(circle))); at instanceof Error; at = at.cause) depth++
    assert.ok(depth > 1 && depth < 20, `${depth}`)
  })

  it('fields of a log line become what JSON keeps of them', () => {
    const circle: Record<string, unknown> = {}
    circle.self = circle
    const fields = {
      text: 'a',
      number: 1.5,
      big: 2n ** 60n,
      nothing: null,
      gone: undefined,
      call: () => 1,
      when: new Date(0),
      deep: { list: [1n, { a: 'b' }], skipped: undefined },
      err: new Error('e'),
      circle,
    }
    const back = unpackFields(across(packFields(fields))) as Record<string, unknown>
    const { err, circle: told, ...rest } = back
    assert.deepEqual(rest, {
      text: 'a',
      number: 1.5,
      big: 2n ** 60n,
      nothing: null,
      when: '1970-01-01T00:00:00.000Z',
      deep: { list: ['1', { a: 'b' }] },
    })
    assert.equal((err as Error).message, 'e')
    assert.match(String(told), /^\[cannot be logged: Converting circular structure/)
  })

  it('a carried error survives being carried twice', () => {
    const once: Carried = pack(new Error('twice'))
    assert.deepEqual(pack(unpack(once)), once)
  })
})
