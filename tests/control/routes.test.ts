import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { Raw } from '../support/raw.js'
import { serve } from './plane.js'

describe('control: resources', () => {
  it('GET /v1/status', async () => {
    await using served = await serve()
    using raw = new Raw(served.socket)
    const answer = await raw.request('GET', '/v1/status').answer()
    assert.equal(answer.status, 200)
    assert.deepEqual(answer.json(), served.plane.status())
  })

  it('GET /v1/nodes and /v1/nodes/{node}', async () => {
    await using served = await serve()
    using raw = new Raw(served.socket)
    const all = await raw.request('GET', '/v1/nodes').answer()
    assert.deepEqual(all.json(), served.plane.nodes())
    const one = await raw.request('GET', '/v1/nodes/%65cho?x=1').answer()
    assert.deepEqual(one.json(), served.plane.nodes()[0])
  })

  it('GET /v1/nodes/{node}/schema: what may be sent to it', async () => {
    await using served = await serve()
    using raw = new Raw(served.socket)
    const answer = await raw.request('GET', '/v1/nodes/echo/schema').answer()
    assert.equal(answer.status, 200)
    assert.deepEqual(answer.json(), served.plane.table('echo')?.jsonSchema())
    assert.equal((await raw.request('GET', '/v1/nodes/nobody/schema').answer()).json().code, 'NODE_UNKNOWN')
  })

  it('HEAD is GET without the body', async () => {
    await using served = await serve()
    using raw = new Raw(served.socket)
    raw.request('HEAD', '/v1/status', { Connection: 'close' })
    await raw.gone()
    assert.match(raw.received, /^HTTP\/1\.1 200 .*content-length: [1-9]\d*\r\n.*\r\n\r\n$/is)
  })

  it('404 for an unknown node, before its events are read', async () => {
    await using served = await serve()
    using raw = new Raw(served.socket)
    assert.equal((await raw.request('GET', '/v1/nodes/nobody').answer()).json().code, 'NODE_UNKNOWN')
    raw.request('POST', '/v1/nodes/nobody/events', { 'Content-Type': 'application/json', 'Content-Length': '1000' })
    const answer = await raw.answer()
    assert.deepEqual([answer.status, answer.json().code], [404, 'NODE_UNKNOWN'])
    assert.equal(answer.json().detail, 'there is no node "nobody"')
  })

  it('404 says which node was probably meant', async () => {
    await using served = await serve()
    using raw = new Raw(served.socket)
    const meant = 'there is no node "ecko"; did you mean "echo"?'
    assert.equal((await raw.request('GET', '/v1/nodes/ecko').answer()).json().detail, meant)
    raw.request('POST', '/v1/nodes/ecko/events', { 'Content-Type': 'application/json', 'Content-Length': '1000' })
    assert.equal((await raw.answer()).json().detail, meant)
  })

  for (const path of ['/', '/v1', '/v2/status', '/v1/nodes/', '/v1/nodes/a/b', '*', '/v1/nodes/a/events/x']) {
    it(`404 for ${path}`, async () => {
      await using served = await serve()
      using raw = new Raw(served.socket)
      const answer = await raw.request('GET', path).answer()
      assert.deepEqual([answer.status, answer.json().code], [404, 'PATH_UNKNOWN'])
    })
  }

  it('400 for a path that is not percent-encoded UTF-8', async () => {
    await using served = await serve()
    using raw = new Raw(served.socket)
    const answer = await raw.request('GET', '/v1/nodes/%ff').answer()
    assert.deepEqual([answer.status, answer.json().code], [400, 'REQUEST_MALFORMED'])
  })

  const wrong: [string, string, string][] = [
    ['DELETE', '/v1/status', 'GET, HEAD'],
    ['POST', '/v1/nodes', 'GET, HEAD'],
    ['PUT', '/v1/nodes/echo', 'GET, HEAD'],
    ['GET', '/v1/nodes/echo/events', 'POST'],
  ]
  for (const [method, path, allow] of wrong) {
    it(`405 for ${method} ${path}, with what is allowed`, async () => {
      await using served = await serve()
      using raw = new Raw(served.socket)
      const answer = await raw.request(method, path).answer()
      assert.deepEqual([answer.status, answer.json().code, answer.headers.allow], [405, 'METHOD_NOT_ALLOWED', allow])
    })
  }

  it('writes bigints as decimal strings', async () => {
    await using served = await serve()
    const { plane } = served
    plane.status = () => ({ ...Object.getPrototypeOf(plane).status.call(plane), sent: 2n ** 63n }) as never
    using raw = new Raw(served.socket)
    assert.equal((await raw.request('GET', '/v1/status').answer()).json().sent, '9223372036854775808')
  })
})
