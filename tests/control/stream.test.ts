import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { Raw } from '../support/raw.js'
import { waitFor } from '../support/wait.js'
import { serve } from './plane.js'

const lines = { 'Content-Type': 'application/x-ndjson' }
const path = '/v1/nodes/echo/events'

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
