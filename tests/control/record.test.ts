import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { ControlClient } from '../../daemon/control/client.js'
import { StoppingError } from '../../daemon/host/report.js'
import { Raw } from '../support/raw.js'
import { serve } from './plane.js'

const path = '/v1/nodes/echo/recording'
const json = { 'Content-Type': 'application/json' }

describe('control: recording', () => {
  it('is begun and ended', async () => {
    await using served = await serve()
    const client = new ControlClient(served.socket)
    assert.deepEqual(await client.record('echo', { for: 60_000, size: 4096 }), { folder: '/r', file: '/r/f' })
    await client.record('echo')
    await client.unrecord('echo')
    assert.deepEqual(served.plane.recorded, [
      { node: 'echo', order: { for: 60_000, size: 4096 } },
      { node: 'echo', order: {} },
      { node: 'echo', order: undefined },
    ])
  })

  it('what cannot be is refused with its place, and nothing is done', async () => {
    await using served = await serve()
    using raw = new Raw(served.socket)
    const wrong: [string, string][] = [
      ['[]', ''],
      ['null', ''],
      ['{"for": 0}', '/for'],
      ['{"for": "10m"}', '/for'],
      ['{"for": 2147483648}', '/for'],
      ['{"size": 4095}', '/size'],
      ['{"path": "/etc/x"}', '/path'],
    ]
    for (const [body, pointer] of wrong) {
      const answer = await raw.request('PUT', path, json, body).answer()
      assert.deepEqual([answer.status, answer.json().code, answer.json().pointer], [422, 'INVALID', pointer], body)
    }
    for (const method of ['PUT', 'DELETE']) {
      const answer = await raw.request(method, '/v1/nodes/ecko/recording').answer()
      assert.deepEqual([answer.status, answer.json().code], [404, 'NODE_UNKNOWN'])
    }
    const posted = await raw.request('POST', path).answer()
    assert.deepEqual([posted.status, posted.headers.allow], [405, 'PUT, DELETE'])
    assert.deepEqual(served.plane.recorded, [])
  })

  it('a daemon that stops says so: 503', async () => {
    await using served = await serve()
    served.plane.unrecord = async () => {
      throw new StoppingError('the daemon is stopping')
    }
    using raw = new Raw(served.socket)
    const answer = await raw.request('DELETE', path).answer()
    assert.deepEqual([answer.status, answer.json().code], [503, 'STOPPING'])
  })
})
