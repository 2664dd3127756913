import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, it } from 'mocha'
import { Raw } from '../support/raw.js'
import { waitFor } from '../support/wait.js'
import { serve } from './plane.js'
import { json, path, serves, stream } from './serving.js'

describe('control: connections', () => {
  it('503 for one over the limit, until another goes', async () => {
    await using served = await serve({ connections: 3 })
    const raws = Array.from({ length: 3 }, () => new Raw(served.socket))
    try {
      for (const raw of raws) assert.equal((await raw.request('GET', '/v1/status').answer()).status, 200)
      using extra = new Raw(served.socket)
      const answer = await extra.answer()
      assert.deepEqual([answer.status, answer.json().code], [503, 'BUSY'])
      assert.equal(answer.headers['retry-after'], '1')
      await extra.gone()
      for (const raw of raws) assert.equal((await raw.request('GET', '/v1/status').answer()).status, 200)
    } finally {
      for (const raw of raws) raw[Symbol.dispose]()
    }
    await waitFor('a free place', () => served.server.connections === 0)
    await serves(served.socket)
  })

  it('survives a thousand connections at once, and serves afterwards', async () => {
    await using served = await serve({ connections: 10 })
    const raws = Array.from({ length: 1000 }, () => new Raw(served.socket))
    try {
      await waitFor('990 refusals', () => raws.filter(raw => raw.closed).length >= 990)
      assert.ok(served.server.connections <= 10 + 16)
    } finally {
      for (const raw of raws) raw[Symbol.dispose]()
    }
    await waitFor('free places', () => served.server.connections === 0)
    await serves(served.socket)
    const warnings = served.log.lines.filter(line => line.level === 'warn')
    assert.ok(warnings.length <= 3, `${warnings.length} lines of log for one flood`)
  })

  it('cuts off a client that sends many requests ahead', async () => {
    await using served = await serve()
    served.plane.hold()
    using raw = new Raw(served.socket)
    raw.request('POST', path, json, '{"type":"ping"}')
    for (let i = 0; i < 100; i++) raw.request('GET', '/v1/nodes')
    await raw.gone()
    assert.equal(raw.received, '')
    served.plane.release()
    await serves(served.socket)
  })

  it('forgets a client that goes away in the middle of a body', async () => {
    await using served = await serve()
    for (const headers of [stream, { ...json, 'Content-Length': '1000' }]) {
      using raw = new Raw(served.socket)
      raw.request('POST', path, headers)
      await waitFor('the connection', () => served.server.connections === 1)
      raw.socket.destroy()
      await waitFor('its end', () => served.server.connections === 0)
    }
    await serves(served.socket)
  })

  it('answers a client that has closed its sending side', async () => {
    await using served = await serve()
    using raw = new Raw(served.socket)
    raw.request('POST', path, json, '{"type":"ping"}')
    raw.socket.end()
    assert.equal((await raw.answer()).status, 202)
  })
})

describe('control: rubbish', () => {
  const rubbish: [string, Buffer][] = [
    ['text', Buffer.from('hello\r\nworld\r\n\r\n')],
    ['a TLS hello', Buffer.from('16030100c8010000c40303', 'hex')],
    ['zeros', Buffer.alloc(100_000)],
    ['NDJSON without HTTP', Buffer.from('{"type":"ping"}\n')],
    [
      'two lengths',
      Buffer.from(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}`),
    ],
    [
      'a length and chunks',
      Buffer.from(`POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}`),
    ],
    ['no host', Buffer.from('GET /v1/status HTTP/1.1\r\n\r\n')],
  ]
  for (const [what, bytes] of rubbish) {
    it(`${what}: 400, closed, and nobody else is disturbed`, async () => {
      await using served = await serve()
      using raw = new Raw(served.socket)
      assert.equal((await raw.write(bytes).answer()).status, 400)
      await raw.gone()
      await serves(served.socket)
      assert.equal(served.plane.sent.length, 1)
    })
  }

  it('random bytes, five hundred times', async () => {
    await using served = await serve({ connections: 1000 })
    for (let i = 0; i < 500; i++) {
      using raw = new Raw(served.socket)
      raw.write(randomBytes(1 + (i % 400)))
      raw.socket.end()
      if (i % 50 === 0) await raw.gone()
    }
    await waitFor('their end', () => served.server.connections === 0)
    await serves(served.socket)
  })

  it('a broken chunk in the middle of a stream ends the connection; what came before is sent', async () => {
    await using served = await serve()
    using raw = new Raw(served.socket)
    raw.request('POST', path, stream).chunk('{"type":"ping"}\n')
    await waitFor('the event', () => served.plane.sent.length === 1)
    raw.write('zzz\r\n{"type":"ping"}\n')
    await raw.gone()
    assert.equal(served.plane.sent.length, 1)
    await serves(served.socket)
  })
})
