import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { problems } from '../../daemon/control/problems.js'
import { Raw } from '../support/raw.js'
import { waitFor } from '../support/wait.js'
import { serve } from './plane.js'

const json = { 'Content-Type': 'application/json' }
const lines = { 'Content-Type': 'application/x-ndjson' }
const path = '/v1/nodes/echo/events'

describe('control: one event', () => {
  it('is answered 202 with its sequence, and reaches the node as type and fields', async () => {
    await using served = await serve()
    using raw = new Raw(served.socket)
    const answer = await raw.request('POST', path, json, '{"type":"ping","dest":"10.0.0.1","n":3}').answer()
    assert.equal(answer.status, 202)
    assert.equal(answer.headers['content-type'], 'application/json')
    assert.deepEqual(answer.json(), { accepted: 1, dropped: 0, rejected: 0, lastSeq: '1' })
    assert.deepEqual(served.plane.sent, [{ node: 'echo', type: 'ping', value: { dest: '10.0.0.1', n: 3 } }])
  })

  it('is not answered before the host has it', async () => {
    await using served = await serve()
    served.plane.hold()
    using raw = new Raw(served.socket)
    raw.request('POST', path, json, '{"type":"ping"}')
    await waitFor('the send', () => served.plane.flying === 1)
    assert.equal(raw.received, '')
    served.plane.release()
    assert.equal((await raw.answer()).status, 202)
  })

  it('keeps the connection for the next one', async () => {
    await using served = await serve()
    using raw = new Raw(served.socket)
    for (let i = 1; i <= 3; i++) {
      const answer = await raw.request('POST', path, json, '{"type":"ping"}').answer()
      assert.equal(answer.json().lastSeq, String(i))
    }
  })

  it('answers pipelined requests in their order', async () => {
    await using served = await serve()
    served.plane.hold()
    using raw = new Raw(served.socket)
    raw.request('POST', path, json, '{"type":"ping"}').request('GET', '/v1/nodes/echo')
    await waitFor('the send', () => served.plane.flying === 1)
    served.plane.release()
    assert.equal((await raw.answer()).status, 202)
    assert.equal((await raw.answer()).json().name, 'echo')
  })

  it('counts as dropped what the overflow policy dropped at once', async () => {
    await using served = await serve()
    using raw = new Raw(served.socket)
    const answer = await raw.request('POST', path, json, '{"type":"dropped"}').answer()
    assert.deepEqual([answer.status, answer.json()], [202, { accepted: 1, dropped: 1, rejected: 0, lastSeq: '1' }])
  })

  const refused: [string, string, number, string, string?][] = [
    ['malformed JSON', '{"type":', 400, 'JSON_MALFORMED'],
    ['an empty body', '', 400, 'JSON_MALFORMED'],
    ['a number', '7', 422, 'INVALID', ''],
    ['null', 'null', 422, 'INVALID', ''],
    ['no type', '{"dest":"10.0.0.1"}', 422, 'INVALID', '/type'],
    ['a type that is no text', '{"type":7}', 422, 'INVALID', '/type'],
    ['an unknown type', '{"type":"unknown"}', 422, 'TYPE_UNKNOWN', '/type'],
    ['wrong fields', '{"type":"invalid"}', 422, 'INVALID', '/dest'],
    ['a full backlog', '{"type":"full"}', 429, 'FULL'],
    ['a closed node', '{"type":"closed"}', 410, 'CLOSED'],
    ['an absent host', '{"type":"away"}', 503, 'HOST_AWAY'],
    ['an event over the limit', '{"type":"big"}', 413, 'TOO_BIG'],
    ['a fault of the daemon', '{"type":"broken"}', 500, 'INTERNAL'],
  ]
  for (const [what, body, status, code, pointer] of refused) {
    it(`answers ${what} with ${status} ${code}, and goes on`, async () => {
      await using served = await serve()
      using raw = new Raw(served.socket)
      const answer = await raw.request('POST', path, json, body).answer()
      assert.equal(answer.status, status)
      assert.equal(answer.headers['content-type'], 'application/problem+json')
      assert.equal(answer.headers['retry-after'], status === 429 || status === 503 ? '1' : undefined)
      const problem = answer.json<{ status: number; code: string; title: string; detail: string; pointer?: string }>()
      assert.equal(problem.status, status)
      assert.equal(problem.code, code)
      assert.equal(problem.title, problems.get(code as 'INTERNAL')?.title)
      assert.ok(problem.detail.length > 0)
      assert.equal(problem.pointer, pointer)
      assert.equal((await raw.request('POST', path, json, '{"type":"ping"}').answer()).status, 202)
    })
  }

  it('lists all faults of wrong fields', async () => {
    await using served = await serve()
    using raw = new Raw(served.socket)
    const answer = await raw.request('POST', path, json, '{"type":"invalid"}').answer()
    assert.deepEqual(answer.json().faults, [
      { pointer: '/dest', message: 'must be an IPv4 address' },
      { pointer: '/port', message: 'must be 0 to 65535' },
    ])
  })

  it('tells nothing of the inside, but logs it, when the daemon is at fault', async () => {
    await using served = await serve()
    using raw = new Raw(served.socket)
    const answer = await raw.request('POST', path, json, '{"type":"broken"}').answer()
    assert.doesNotMatch(answer.body, /undefined/)
    assert.ok(served.log.lines.some(line => line.level === 'error' && 'err' in line.fields))
  })

  it('refuses bytes that are not UTF-8', async () => {
    await using served = await serve()
    using raw = new Raw(served.socket)
    const body = Buffer.concat([Buffer.from('{"type":"ping","text":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')])
    const answer = await raw.request('POST', path, json, body).answer()
    assert.deepEqual([answer.status, answer.json().code], [400, 'JSON_MALFORMED'])
    assert.equal((await raw.request('POST', path, json, '{"type":"ping","text":"\ufffd"}').answer()).status, 202)
  })

  it('takes __proto__ for a field like any other', async () => {
    await using served = await serve()
    using raw = new Raw(served.socket)
    await raw.request('POST', path, json, '{"type":"ping","__proto__":{"admin":true}}').answer()
    const value = served.plane.sent[0]?.value as object
    assert.deepEqual(Object.keys(value), ['__proto__'])
    assert.equal(Object.getPrototypeOf(value), Object.prototype)
  })
})

describe('control: an array of events', () => {
  it('is sent in order and answered once', async () => {
    await using served = await serve()
    using raw = new Raw(served.socket)
    const body = JSON.stringify(Array.from({ length: 5000 }, (_, n) => ({ type: 'ping', n })))
    const answer = await raw.request('POST', path, json, body).answer()
    assert.deepEqual(answer.json(), { accepted: 5000, dropped: 0, rejected: 0, lastSeq: '5000' })
    assert.deepEqual(
      served.plane.sent.map(event => (event.value as { n: number }).n),
      Array.from({ length: 5000 }, (_, n) => n),
    )
  })

  it('sends the valid ones and lists the others by index', async () => {
    await using served = await serve()
    using raw = new Raw(served.socket)
    const body = '[{"type":"ping","n":0},{"type":"invalid"},7,{"type":"full"},{"type":"ping","n":4}]'
    const answer = await raw.request('POST', path, json, body).answer()
    const summary = answer.json<{ rejected: number; lastSeq: string; errors: { index: number; code: string }[] }>()
    assert.equal(answer.status, 202)
    assert.deepEqual([summary.rejected, summary.lastSeq], [3, '2'])
    const listed = summary.errors.map(({ index, code }) => `${index} ${code}`).sort()
    assert.deepEqual(listed, ['1 INVALID', '2 INVALID', '3 FULL'])
  })

  it('gets the status of the first failure if none was accepted', async () => {
    await using served = await serve()
    using raw = new Raw(served.socket)
    const answer = await raw.request('POST', path, json, '[{"type":"full"},{"type":"invalid"}]').answer()
    assert.deepEqual([answer.status, answer.json().code, answer.json().rejected], [429, 'FULL', 2])
    assert.equal(answer.headers['retry-after'], '1')
  })

  it('may be empty', async () => {
    await using served = await serve()
    using raw = new Raw(served.socket)
    const answer = await raw.request('POST', path, json, '[]').answer()
    assert.deepEqual([answer.status, answer.json()], [202, { accepted: 0, dropped: 0, rejected: 0, lastSeq: null }])
  })

  it('gets the status of what no later event could survive, with what was accepted before', async () => {
    await using served = await serve()
    using raw = new Raw(served.socket)
    const answer = await raw.request('POST', path, json, '[{"type":"ping"},{"type":"away"},{"type":"ping"}]').answer()
    const problem = answer.json<{ code: string; lastSeq: string }>()
    assert.deepEqual([answer.status, problem.code], [503, 'HOST_AWAY'])
    assert.ok(Number(problem.lastSeq) >= 1)
  })

  it('does not have more sends under way than the window', async () => {
    await using served = await serve()
    served.plane.hold()
    using raw = new Raw(served.socket)
    raw.request('POST', path, json, JSON.stringify(Array.from({ length: 4000 }, () => ({ type: 'ping' }))))
    await waitFor('a full window', () => served.plane.flying === 1024)
    served.plane.release()
    assert.equal((await raw.answer()).json().accepted, 4000)
    assert.equal(served.plane.mostFlying, 1024)
  })
})

describe('control: a stream of events', () => {
  it('is sent while it comes, and answered at its end', async () => {
    await using served = await serve()
    using raw = new Raw(served.socket)
    raw.request('POST', path, { ...lines, 'Transfer-Encoding': 'chunked' })
    raw.chunk('{"type":"ping","n":1}\n{"type":"pi')
    await waitFor('the first event', () => served.plane.sent.length === 1)
    raw.chunk('ng","n":2}\r\n\n  \n{"type":"ping","n":3}')
    await waitFor('the second event', () => served.plane.sent.length === 2)
    assert.equal(raw.received, '')
    raw.write('0\r\n\r\n')
    const answer = await raw.answer()
    assert.deepEqual([answer.status, answer.json()], [202, { accepted: 3, dropped: 0, rejected: 0, lastSeq: '3' }])
    assert.deepEqual(
      served.plane.sent.map(event => event.value),
      [{ n: 1 }, { n: 2 }, { n: 3 }],
    )
  })

  it('may be cut anywhere, between any two bytes', async () => {
    await using served = await serve()
    using raw = new Raw(served.socket)
    raw.request('POST', path, { ...lines, 'Transfer-Encoding': 'chunked' })
    for (const byte of Buffer.from('{"type":"ping","text":"äß€😀"}\n\n{"type":"ping"}\n'))
      raw.chunk(Buffer.from([byte]))
    const answer = await raw.write('0\r\n\r\n').answer()
    assert.equal(answer.json().accepted, 2)
    assert.deepEqual(served.plane.sent[0]?.value, { text: 'äß€😀' })
  })

  it('goes on after a bad line, and lists it by its number', async () => {
    await using served = await serve()
    using raw = new Raw(served.socket)
    const body = '{"type":"ping"}\nrubbish\n\n{"type":"invalid"}\n{"type":"ping"}\n'
    const answer = await raw.request('POST', path, lines, body).answer()
    const summary = answer.json<{ accepted: number; rejected: number; errors: { line: number; code: string }[] }>()
    assert.deepEqual([answer.status, summary.accepted, summary.rejected], [202, 2, 2])
    const listed = summary.errors.map(({ line, code }) => `${line} ${code}`).sort()
    assert.deepEqual(listed, ['2 JSON_MALFORMED', '4 INVALID'])
  })

  it('lists the first failures and counts all', async () => {
    await using served = await serve()
    using raw = new Raw(served.socket)
    const answer = await raw.request('POST', path, lines, `{"type":"ping"}\n${'x\n'.repeat(1000)}`).answer()
    const summary = answer.json<{ rejected: number; errors: unknown[] }>()
    assert.deepEqual([summary.rejected, summary.errors.length], [1000, 10])
  })

  it('is held up while the window is full, and goes on when there is room', async () => {
    await using served = await serve()
    served.plane.hold()
    using raw = new Raw(served.socket)
    const body = '{"type":"ping"}\n'.repeat(200_000)
    raw.request('POST', path, lines, body)
    await waitFor('a full window', () => served.plane.flying === 1024)
    // The client is held up by the socket: most of its bytes wait on its own side.
    assert.ok(raw.socket.writableLength > body.length / 2)
    served.plane.release()
    assert.equal((await raw.answer()).json().accepted, 200_000)
    assert.equal(served.plane.mostFlying, 1024)
  })

  it('is sent whole, however long after its end the host takes it', async () => {
    await using served = await serve()
    for (const count of [1000, 2000, 3000, 5000]) {
      served.plane.hold()
      using raw = new Raw(served.socket)
      const { seq } = served.plane
      raw.request('POST', path, lines, '{"type":"ping"}\n'.repeat(count))
      // The end of the body is long there when the rest of it is taken from the last chunk, one window after the other.
      while (served.plane.seq < seq + BigInt(count)) {
        served.plane.release()
        served.plane.hold()
        await new Promise(resolve => setTimeout(resolve, 5))
      }
      served.plane.release()
      assert.equal((await raw.answer()).json().accepted, count)
    }
  })

  it('is held up by bytes, too', async () => {
    await using served = await serve({ line: 65_536 })
    served.plane.hold()
    using raw = new Raw(served.socket)
    raw.request('POST', path, lines, `${JSON.stringify({ type: 'ping', text: 'x'.repeat(60_000) })}\n`.repeat(40))
    await waitFor('a full window', () => served.plane.flying === 5)
    served.plane.release()
    assert.equal((await raw.answer()).json().accepted, 40)
    assert.ok(served.plane.mostFlying <= 5)
  })

  it('ends at once, answered, when the host is away', async () => {
    await using served = await serve()
    using raw = new Raw(served.socket)
    raw.request('POST', path, { ...lines, 'Transfer-Encoding': 'chunked' })
    raw.chunk('{"type":"ping"}\n')
    await waitFor('the event', () => served.plane.sent.length === 1)
    raw.chunk('{"type":"away"}\n')
    await waitFor('the refusal', () => served.plane.flying === 0)
    raw.chunk('{"type":"ping"}\n')
    const answer = await raw.answer()
    assert.deepEqual([answer.status, answer.json().code, answer.json().lastSeq], [503, 'HOST_AWAY', '1'])
    assert.equal(answer.headers.connection, 'close')
    await raw.gone()
  })

  it('does not send a last line that was cut off with its client', async () => {
    await using served = await serve()
    {
      using raw = new Raw(served.socket)
      raw.request('POST', path, { ...lines, 'Transfer-Encoding': 'chunked' })
      raw.chunk('{"type":"ping"}\n{"type":"ping"}')
      await waitFor('the first event', () => served.plane.sent.length === 1)
    }
    using other = new Raw(served.socket)
    await other.request('GET', '/v1/status').answer()
    assert.equal(served.plane.sent.length, 1)
  })
})

describe('control: media types', () => {
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', '']) {
    it(`refuses "${type}" with 415 and what would be right`, async () => {
      await using served = await serve()
      using raw = new Raw(served.socket)
      const answer = await raw.request('POST', path, type === '' ? {} : { 'Content-Type': type }, '{}').answer()
      assert.deepEqual([answer.status, answer.json().code], [415, 'MEDIA_TYPE'])
      assert.match(String(answer.json().detail), /application\/json or application\/x-ndjson/)
    })
  }

  it('takes parameters and any case', async () => {
    await using served = await serve()
    using raw = new Raw(served.socket)
    const headers = { 'Content-Type': 'Application/JSON; charset=utf-8' }
    assert.equal((await raw.request('POST', path, headers, '{"type":"ping"}').answer()).status, 202)
  })

  it('refuses compressed bodies', async () => {
    await using served = await serve()
    using raw = new Raw(served.socket)
    const answer = await raw.request('POST', path, { ...json, 'Content-Encoding': 'gzip' }, '{}').answer()
    assert.equal(answer.status, 415)
  })
})
