import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, it } from 'mocha'
import { Raw } from '../support/raw.js'
import { waitFor } from '../support/wait.js'
import { serve } from './plane.js'
import { json, path, serves, stream } from './serving.js'

describe('control: sizes', () => {
  it('413 for a body that announces to be over the limit, before it is read', async () => {
    await using served = await serve({ body: 1000 })
    using raw = new Raw(served.socket)
    const answer = await raw.request('POST', path, { ...json, 'Content-Length': '1001' }).answer()
    assert.deepEqual([answer.status, answer.json().code], [413, 'BODY_TOO_BIG'])
    assert.match(String(answer.json().detail), /1000 bytes/)
    await serves(served.socket)
  })

  it('413 for a body that turns out to be over the limit; exactly the limit is taken', async () => {
    await using served = await serve({ body: 1000 })
    const body = JSON.stringify({ type: 'ping', text: 'x'.repeat(975) })
    assert.equal(body.length, 1000)
    using fits = new Raw(served.socket)
    assert.equal((await fits.request('POST', path, json, body).answer()).status, 202)
    using raw = new Raw(served.socket)
    raw
      .request('POST', path, { ...json, 'Transfer-Encoding': 'chunked' })
      .chunk(body)
      .chunk(' ')
    const answer = await raw.answer()
    assert.deepEqual([answer.status, answer.json().code], [413, 'BODY_TOO_BIG'])
  })

  it('413 for a line over the limit, with what was accepted before; exactly the limit is taken', async () => {
    await using served = await serve({ line: 100 })
    using raw = new Raw(served.socket)
    const line = JSON.stringify({ type: 'ping', text: 'x'.repeat(76) })
    assert.equal(line.length, 101)
    raw.request('POST', path, stream).chunk(`${line.replace('xx', 'x')}\n${line}\n{"type":"ping"}\n`)
    const answer = await raw.answer()
    assert.deepEqual([answer.status, answer.json().code, answer.json().accepted], [413, 'LINE_TOO_BIG', 1])
    assert.match(String(answer.json().detail), /line 2 .*100 bytes/)
    await raw.gone()
  })

  it('a stream may be longer than the limit of a body', async () => {
    await using served = await serve({ body: 1024 })
    using raw = new Raw(served.socket)
    const body = '{"type":"ping"}\n'.repeat(10_000)
    const answer = await raw.request('POST', path, { 'Content-Type': 'application/x-ndjson' }, body).answer()
    assert.deepEqual([answer.status, answer.json().accepted], [202, 10_000])
  })

  it('431 for a head over the limit', async () => {
    await using served = await serve()
    using raw = new Raw(served.socket)
    const answer = await raw.request('GET', '/v1/status', { 'X-Long': 'x'.repeat(20_000) }).answer()
    assert.deepEqual([answer.status, answer.json().code], [431, 'HEAD_TOO_BIG'])
    await raw.gone()
  })

  it('503 when too many large bodies are collected at once', async () => {
    await using served = await serve({ body: 10_000 })
    const raws = Array.from({ length: 5 }, () => new Raw(served.socket))
    try {
      // Four bodies of the largest size are the bound; the fifth comes when they are there and incomplete.
      for (const raw of raws) {
        raw.request('POST', path, { ...json, 'Content-Length': '10000' }).write(`"${'x'.repeat(9990)}`)
      }
      const busy = await waitFor('a refusal', () => raws.find(raw => raw.received !== ''))
      assert.deepEqual([(await busy.answer()).status], [503])
      assert.equal(raws.filter(raw => raw.received !== '').length, 1)
    } finally {
      for (const raw of raws) raw[Symbol.dispose]()
    }
    // What they held is given back.
    await waitFor('the end of the others', async () => {
      using raw = new Raw(served.socket)
      return (
        (await raw.request('POST', path, json, `{"type":"ping","x":"${'x'.repeat(9000)}"}`).answer()).status === 202
      )
    })
  })
})

describe('control: times', () => {
  it('408 for a connection on which nothing comes', async () => {
    await using served = await serve({ headerTimeout: 50 })
    using raw = new Raw(served.socket)
    const answer = await raw.answer()
    assert.deepEqual([answer.status, answer.json().code], [408, 'HEAD_TIMEOUT'])
    await raw.gone()
  })

  it('408 for a head that comes byte by byte', async () => {
    await using served = await serve({ headerTimeout: 100 })
    using raw = new Raw(served.socket)
    raw.write('GET /v1/status HTTP/1.1\r\nX: ')
    while (raw.received === '' && !raw.closed) {
      raw.write('x')
      await sleep(10)
    }
    const answer = await raw.answer()
    assert.deepEqual([answer.status, answer.json().code], [408, 'HEAD_TIMEOUT'])
    await raw.gone()
  })

  it('408 for a JSON body that comes byte by byte', async () => {
    await using served = await serve({ idleTimeout: 100 })
    using raw = new Raw(served.socket)
    raw.request('POST', path, { ...json, 'Content-Length': '100000' })
    while (raw.received === '' && !raw.closed) {
      raw.write(' ')
      await sleep(10)
    }
    const answer = await raw.answer()
    assert.deepEqual([answer.status, answer.json().code], [408, 'BODY_TIMEOUT'])
    await raw.gone()
  })

  it('408 for a stream whose line comes byte by byte, with what was accepted before', async () => {
    await using served = await serve({ idleTimeout: 100 })
    using raw = new Raw(served.socket)
    raw.request('POST', path, stream).chunk('{"type":"ping"}\n')
    while (raw.received === '' && !raw.closed) {
      raw.chunk(' ')
      await sleep(10)
    }
    const answer = await raw.answer()
    assert.deepEqual([answer.status, answer.json().code, answer.json().lastSeq], [408, 'BODY_TIMEOUT', '1'])
    await raw.gone()
  })

  it('a stream is kept open by empty lines', async () => {
    await using served = await serve({ idleTimeout: 200 })
    using raw = new Raw(served.socket)
    raw.request('POST', path, stream)
    const start = performance.now()
    while (performance.now() - start < 600) {
      raw.chunk('\n')
      await sleep(10)
    }
    raw.chunk('{"type":"ping"}\n').write('0\r\n\r\n')
    assert.equal((await raw.answer()).status, 202)
  })

  it('a client that is held up is not cut off', async () => {
    await using served = await serve({ idleTimeout: 50 })
    served.plane.hold()
    using stuck = new Raw(served.socket)
    stuck.request('POST', path, stream).chunk('{"type":"ping"}\n'.repeat(3000)).write('0\r\n\r\n')
    using waiting = new Raw(served.socket)
    waiting.request('POST', path, json, '{"type":"ping"}')
    await waitFor('both', () => served.plane.flying >= 1025)
    await sleep(300)
    served.plane.release()
    assert.equal((await stuck.answer()).json().accepted, 3000)
    assert.equal((await waiting.answer()).status, 202)
  })

  it('a connection that is idle between requests is closed', async () => {
    await using served = await serve({ idleTimeout: 50 })
    using raw = new Raw(served.socket)
    await raw.request('GET', '/v1/status').answer()
    await raw.gone()
  })

  it('a client that does not read its answer is cut off', async () => {
    await using served = await serve({ idleTimeout: 100 })
    served.plane.extraNodes = 4000
    using raw = new Raw(served.socket)
    raw.socket.pause()
    raw.request('GET', '/v1/nodes')
    await waitFor('the connection', () => served.server.connections === 1)
    await waitFor('its end', () => served.server.connections === 0)
  })
})
