import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { ControlClient, ControlError } from '../../daemon/control/client.js'
import { Raw } from '../support/raw.js'
import { waitFor } from '../support/wait.js'
import { serve } from './plane.js'

const json = { 'Content-Type': 'application/json' }
const path = '/v1/nodes/echo/events'

describe('control: one event whose sender waits for the reply', () => {
  it('is answered 200 with place and reply, as JSON has them', async () => {
    await using served = await serve()
    using raw = new Raw(served.socket)
    const answer = await raw.request('POST', `${path}?wait=2500`, json, '{"type":"get","key":"k"}').answer()
    assert.equal(answer.status, 200)
    assert.deepEqual(answer.json(), {
      seq: '1',
      reply: { n: '18446744073709551615', data: 'AQL/', text: 'größe' },
    })
    assert.deepEqual(served.plane.asked, [{ node: 'echo', type: 'get', value: { key: 'k' }, ms: 2500 }])
  })

  const refusals: [string, number, string][] = [
    ['refused', 409, 'REFUSED'],
    ['silent', 504, 'TIMEOUT'],
    ['unanswered', 502, 'UNANSWERED'],
    ['died', 502, 'DIED'],
    ['no-reply', 422, 'NO_REPLY'],
    ['full', 429, 'FULL'],
    ['away', 503, 'HOST_AWAY'],
    ['broken', 500, 'INTERNAL'],
  ]
  for (const [type, status, code] of refusals) {
    it(`${code} is ${status}`, async () => {
      await using served = await serve()
      using raw = new Raw(served.socket)
      const answer = await raw.request('POST', `${path}?wait=5`, json, JSON.stringify({ type })).answer()
      assert.deepEqual([answer.status, answer.json().code], [status, code])
      assert.equal(served.log.lines.filter(line => line.level === 'error').length, code === 'INTERNAL' ? 1 : 0)
    })
  }

  it('what cannot be asked is told why', async () => {
    await using served = await serve()
    using raw = new Raw(served.socket)
    const cases: [string, Record<string, string>, string, number, string][] = [
      [`${path}?wait=0`, json, '{"type":"get"}', 400, 'QUERY_INVALID'],
      [`${path}?wait=soon`, json, '{"type":"get"}', 400, 'QUERY_INVALID'],
      [`${path}?wait=3600001`, json, '{"type":"get"}', 400, 'QUERY_INVALID'],
      [`${path}?wait=`, json, '{"type":"get"}', 400, 'QUERY_INVALID'],
      [`${path}?wait=5`, json, '[{"type":"get"}]', 400, 'QUERY_INVALID'],
      [`${path}?wait=5`, { 'Content-Type': 'application/x-ndjson' }, '{"type":"get"}\n', 400, 'QUERY_INVALID'],
      [`${path}?wait=5`, json, '{"key":1}', 422, 'INVALID'],
      [`${path}?wait=5`, json, '{', 400, 'JSON_MALFORMED'],
      ['/v1/nodes/nobody/events?wait=5', json, '{"type":"get"}', 404, 'NODE_UNKNOWN'],
    ]
    for (const [at, headers, body, status, code] of cases) {
      using one = new Raw(served.socket)
      const answer = await one.request('POST', at, headers, body).answer()
      assert.deepEqual([answer.status, answer.json().code], [status, code], `${at} ${body}`)
    }
    assert.deepEqual(served.plane.asked, [])
    assert.equal((await raw.request('POST', `${path}?other=1`, json, '{"type":"ping"}').answer()).status, 202)
  })

  it('waits longer than the idle time, and for a server that stops no longer than its grace', async () => {
    const served = await serve({ idleTimeout: 50 })
    try {
      served.plane.hold()
      using raw = new Raw(served.socket)
      raw.request('POST', `${path}?wait=60000`, json, '{"type":"get"}')
      await waitFor('the question', () => served.plane.asked.length === 1)
      const idle = performance.now()
      await waitFor('more than the idle time', () => performance.now() - idle > 150)
      assert.equal(raw.received, '')
      const closed = served.server.close()
      const answer = await raw.answer()
      assert.deepEqual([answer.status, answer.json().code], [503, 'STOPPING'])
      await closed
    } finally {
      await served[Symbol.asyncDispose]()
    }
  })

  it('the client gives the reply, or the refusal with how a command ends', async () => {
    await using served = await serve()
    const client = new ControlClient(served.socket)
    const { seq, reply } = await client.ask('echo', { type: 'get' }, 100)
    assert.deepEqual([seq, reply.data], ['1', 'AQL/'])
    const exits: [string, string, number][] = [
      ['refused', 'REFUSED', 1],
      ['silent', 'TIMEOUT', 75],
      ['died', 'DIED', 69],
      ['unanswered', 'UNANSWERED', 1],
    ]
    for (const [type, code, exit] of exits) {
      await assert.rejects(client.ask('echo', { type }, 100), (error: ControlError) => {
        assert.ok(error instanceof ControlError)
        assert.deepEqual([error.code, error.exit], [code, exit])
        return true
      })
    }
  })

  it('the client waits for its patience beyond the wait', async () => {
    await using served = await serve()
    served.plane.hold()
    const client = new ControlClient(served.socket, { timeout: 20 })
    const begun = performance.now()
    await assert.rejects(client.ask('echo', { type: 'get' }, 150), { code: 'TIMEOUT', message: /no answer for 170 ms/ })
    assert.ok(performance.now() - begun >= 165)
  })
})
