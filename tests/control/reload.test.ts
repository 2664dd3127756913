import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { ConfigError } from '../../daemon/config/problems.js'
import { ControlClient, ControlError } from '../../daemon/control/client.js'
import { StoppingError } from '../../daemon/host/report.js'
import { Raw } from '../support/raw.js'
import { waitFor } from '../support/wait.js'
import { serve } from './plane.js'

const problems = [
  { file: '/c.yaml', line: 3, col: 7, path: 'nodes.a.grace', message: 'soon is no duration' },
  { file: '/c.yaml', line: 4, col: 1, path: 'nodes.b', message: 'is missing' },
]

describe('control: POST /v1/reload', () => {
  it('answers with what was done', async () => {
    await using served = await serve()
    const report = await new ControlClient(served.socket).reload()
    assert.deepEqual(report, await served.plane.reload())
    using raw = new Raw(served.socket)
    assert.equal((await raw.request('POST', '/v1/reload', {}, '{}').answer()).status, 200)
  })

  it('takes no other method', async () => {
    await using served = await serve()
    using raw = new Raw(served.socket)
    const answer = await raw.request('GET', '/v1/reload').answer()
    assert.deepEqual([answer.status, answer.headers.allow], [405, 'POST'])
  })

  it('says every fault of the configuration, with its place', async () => {
    await using served = await serve()
    served.plane.reloaded = () => Promise.reject(new ConfigError(problems))
    using raw = new Raw(served.socket)
    const answer = await raw.request('POST', '/v1/reload').answer()
    assert.equal(answer.headers['content-type'], 'application/problem+json')
    assert.deepEqual([answer.status, answer.json().code, answer.json().problems], [422, 'CONFIG_INVALID', problems])
    assert.equal(answer.json().detail, '2 faults; nothing was changed')
    await assert.rejects(new ControlClient(served.socket).reload(), (error: unknown) => {
      assert.ok(error instanceof ControlError)
      assert.deepEqual([error.exit, error.code, error.body?.problems], [78, 'CONFIG_INVALID', problems])
      return true
    })
  })

  it('is refused while the daemon stops', async () => {
    await using served = await serve()
    served.plane.reloaded = () => Promise.reject(new StoppingError('the daemon is stopping'))
    await assert.rejects(new ControlClient(served.socket).reload(), { code: 'STOPPING', exit: 75 })
  })

  it('does not keep the server from closing', async () => {
    await using served = await serve()
    let asked = false
    served.plane.reloaded = () => {
      asked = true
      return new Promise(() => {})
    }
    const reload = assert.rejects(new ControlClient(served.socket).reload(), { code: 'STOPPING' })
    await waitFor('the request', () => asked)
    await served.server.close()
    await reload
  })

  it('waits longer than other requests', async () => {
    await using served = await serve()
    let answer = () => {}
    const report = await served.plane.reload()
    served.plane.reloaded = () => new Promise(resolve => (answer = () => resolve(report)))
    const reload = new ControlClient(served.socket, { timeout: 50 }).reload()
    await assert.rejects(
      new ControlClient(served.socket, { timeout: 50 }).send('echo', (async function* () {})()).then(async () => {
        served.plane.hold()
        await new ControlClient(served.socket, { timeout: 50 }).send('echo', { type: 'ping' })
      }),
      { code: 'TIMEOUT' },
    )
    answer()
    assert.deepEqual(await reload, report)
  })

  it('a fault of the daemon is told as one', async () => {
    await using served = await serve()
    served.plane.reloaded = () => Promise.reject(new TypeError('nobody expected this'))
    await assert.rejects(new ControlClient(served.socket).reload(), { code: 'INTERNAL', exit: 1 })
    assert.ok(served.log.lines.some(line => line.level === 'error'))
  })
})
