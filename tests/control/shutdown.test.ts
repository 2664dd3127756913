import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { describe, it } from 'mocha'
import { Raw } from '../support/raw.js'
import { waitFor } from '../support/wait.js'
import { serve } from './plane.js'

const path = '/v1/nodes/echo/events'
const json = { 'Content-Type': 'application/json' }
const stream = { 'Content-Type': 'application/x-ndjson', 'Transfer-Encoding': 'chunked' }

describe('control: closing', () => {
  it('lets a running request finish, and takes no new connection', async () => {
    await using served = await serve({}, {}, { grace: 20_000 })
    served.plane.hold()
    using idle = new Raw(served.socket)
    await idle.request('GET', '/v1/status').answer()
    using silent = new Raw(served.socket)
    using running = new Raw(served.socket)
    running.request('POST', path, json, '{"type":"ping"}')
    await waitFor('the request', () => served.plane.flying === 1 && served.server.connections === 3)
    const closing = served.server.close()
    assert.ok(!existsSync(served.socket))
    await Promise.all([idle.gone(), silent.gone()])
    assert.ok(!running.closed)
    served.plane.release()
    const answer = await running.answer()
    assert.deepEqual([answer.status, answer.headers.connection], [202, 'close'])
    await closing
    assert.equal(served.server.connections, 0)
  })

  it('ends a stream at the end of the grace time, with its summary', async () => {
    await using served = await serve({}, {}, { grace: 50 })
    using raw = new Raw(served.socket)
    raw.request('POST', path, stream).chunk('{"type":"ping"}\n{"type":"ping"}\n')
    await waitFor('the events', () => served.plane.sent.length === 2)
    await served.server.close()
    const answer = await raw.answer()
    assert.deepEqual([answer.status, answer.json().code, answer.json().lastSeq], [503, 'STOPPING', '2'])
  })

  it('does not wait for ever for a request that gets no answer', async () => {
    await using served = await serve({}, {}, { grace: 50 })
    served.plane.hold()
    using raw = new Raw(served.socket)
    raw.request('POST', path, json, '{"type":"ping"}')
    using held = new Raw(served.socket)
    held.request('POST', path, stream).chunk('{"type":"ping"}\n'.repeat(2000))
    await waitFor('the events', () => served.plane.flying >= 1025)
    await served.server.close()
    await Promise.all([raw.gone(), held.gone()])
    assert.equal(served.server.connections, 0)
  })

  it('may be asked twice', async () => {
    await using served = await serve()
    await Promise.all([served.server.close(), served.server.close()])
    await served.server.close()
  })
})
