import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { problems } from '../../daemon/control/problems.js'
import { Raw } from '../support/raw.js'
import { waitFor } from '../support/wait.js'
import { serve } from './plane.js'

const json = { 'Content-Type': 'application/json' }
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
    ['a node that the host has not taken', '{"type":"unregistered"}', 503, 'UNREGISTERED'],
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
