import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { ControlClient, ControlError } from '../../daemon/control/client.js'
import type { DeadLetter } from '../../daemon/host/report.js'
import { Raw } from '../support/raw.js'
import { serve } from './plane.js'

const path = '/v1/nodes/echo/dead-letters'
const json = { 'Content-Type': 'application/json' }

function letter(n: number, more: Partial<DeadLetter> = {}): DeadLetter {
  const reason = { name: 'TypeError', message: 'boom\nat once' }
  return {
    id: `id${n}`,
    time: '2026-01-01T00:00:00Z',
    node: 'echo',
    type: 'ping',
    code: 1,
    seq: `${n}`,
    attempts: 3,
    reason,
    ...more,
  }
}

describe('control: dead letters', () => {
  it('are listed, the newest ones, and how many there are', async () => {
    await using served = await serve()
    served.plane.letters = [1, 2, 3].map(n => letter(n, { value: { x: n } }))
    using raw = new Raw(served.socket)
    const all = await raw.request('GET', path).answer()
    assert.deepEqual([all.status, all.json()], [200, { total: 3, letters: served.plane.letters }])
    const two = await new ControlClient(served.socket).deadLetters('echo', 2)
    assert.deepEqual([two.total, two.letters.map(({ id }) => id)], [3, ['id2', 'id3']])
    served.plane.letters = Array.from({ length: 200 }, (_, n) => letter(n))
    assert.equal((await raw.request('GET', path).answer()).json<{ letters: [] }>().letters.length, 100)
  })

  it('are sent again or dropped, all or some', async () => {
    await using served = await serve()
    const client = new ControlClient(served.socket)
    assert.deepEqual(await client.settleLetters('echo', 'resend'), { done: 1, left: 2, failures: [] })
    await client.settleLetters('echo', 'drop', ['id1'])
    assert.deepEqual(served.plane.settled, [
      { how: 'resend', ids: undefined },
      { how: 'drop', ids: ['id1'] },
    ])
  })

  it('of a node that is not there: 404, whatever is wanted', async () => {
    await using served = await serve()
    using raw = new Raw(served.socket)
    for (const method of ['GET', 'POST']) {
      const answer = await raw.request(method, '/v1/nodes/ecko/dead-letters').answer()
      assert.deepEqual([answer.status, answer.json().code], [404, 'NODE_UNKNOWN'])
    }
  })

  it('what is no limit: 400', async () => {
    await using served = await serve()
    using raw = new Raw(served.socket)
    for (const limit of ['0', '10001', '-1', 'x', '1e3', '']) {
      const answer = await raw.request('GET', `${path}?limit=${limit}`).answer()
      assert.deepEqual([answer.status, answer.json().code], [400, 'QUERY_INVALID'], limit)
    }
  })

  it('what is no order: 422 with the place, and nothing is done', async () => {
    await using served = await serve()
    using raw = new Raw(served.socket)
    const wrong: [string, string][] = [
      ['{}', '/how'],
      ['[]', '/how'],
      ['null', '/how'],
      ['{"how": "burn"}', '/how'],
      ['{"how": "drop", "ids": "x"}', '/ids'],
      ['{"how": "drop", "ids": [1]}', '/ids'],
      ['{"how": "drop", "id": ["x"]}', '/id'],
    ]
    for (const [body, pointer] of wrong) {
      const answer = await raw.request('POST', path, json, body).answer()
      assert.deepEqual([answer.status, answer.json().pointer], [422, pointer], body)
    }
    assert.equal((await raw.request('POST', path, json, '{').answer()).json().code, 'JSON_MALFORMED')
    const lines = { 'Content-Type': 'application/x-ndjson' }
    assert.equal((await raw.request('POST', path, lines, '{"how":"drop"}').answer()).status, 415)
    assert.deepEqual(served.plane.settled, [])
  })

  it('a file that cannot be read is a fault of the daemon: 500, and logged', async () => {
    await using served = await serve()
    served.plane.deadLetters = () => {
      throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES' })
    }
    await assert.rejects(new ControlClient(served.socket).deadLetters('echo'), (error: unknown) => {
      assert.ok(error instanceof ControlError)
      return error.code === 'INTERNAL' && error.status === 500
    })
    assert.ok(served.log.lines.some(line => line.level === 'error'))
  })
})
