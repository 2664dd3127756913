import assert from 'node:assert/strict'
import { chmodSync } from 'node:fs'
import { createServer } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import { describe, it } from 'mocha'
import { ControlClient, ControlError, exits } from '../../daemon/control/client.js'
import { Folder, root } from '../support/folder.js'
import { canBeNobody, nobody } from '../support/nobody.js'
import { Program } from '../support/program.js'
import { waitFor } from '../support/wait.js'
import { serve } from './plane.js'

async function fails(work: Promise<unknown>, code: string, exit: number, message = /./): Promise<ControlError> {
  const error = await work.then(
    () => assert.fail('it succeeded'),
    thrown => thrown as unknown,
  )
  assert.ok(error instanceof ControlError, String(error))
  assert.deepEqual([error.code, error.exit], [code, exit])
  assert.match(error.message, message)
  return error
}

describe('control client', () => {
  it('asks for status, nodes and a node', async () => {
    await using served = await serve()
    const client = new ControlClient(served.socket)
    assert.deepEqual(await client.status(), served.plane.status())
    assert.deepEqual(await client.nodes(), served.plane.nodes())
    assert.equal((await client.node('echo')).name, 'echo')
    await fails(client.node('a/b?c'), 'NODE_UNKNOWN', exits.failed, /"a\/b\?c"/)
  })

  it('an event that JSON cannot say is refused before it is sent', async () => {
    await using served = await serve()
    const client = new ControlClient(served.socket)
    const deep = { type: 'ping', x: JSON.parse('['.repeat(100_000) + ']'.repeat(100_000)) as unknown }
    const why = /^an event cannot be written as JSON: too many arrays and objects in each other$/
    await fails(client.send('echo', deep), 'INVALID', exits.failed, why)
    await fails(client.send('echo', [deep]), 'INVALID', exits.failed, why)
    await fails(client.ask('echo', deep, 100), 'INVALID', exits.failed, why)
    assert.deepEqual(served.plane.sent, [])
  })

  it('sends one event, several, and a stream', async () => {
    await using served = await serve()
    const client = new ControlClient(served.socket)
    assert.deepEqual(await client.send('echo', { type: 'ping', n: 1 }), {
      accepted: 1,
      dropped: 0,
      rejected: 0,
      lastSeq: '1',
    })
    const many = Array.from({ length: 20_000 }, (_, n) => ({ type: 'ping', n, text: 'x'.repeat(100) }))
    assert.equal((await client.send('echo', many)).accepted, 20_000)
    async function* source() {
      yield '{"type":"ping"}\n{"ty'
      yield Buffer.from('pe":"ping"}\n')
    }
    assert.equal((await client.send('echo', source())).lastSeq, '20003')
    assert.equal((await client.send('echo', Readable.from(['{"type":"ping"}']))).lastSeq, '20004')
  })

  it('tells of partial failures in the summary', async () => {
    await using served = await serve()
    const summary = await new ControlClient(served.socket).send('echo', [{ type: 'ping' }, { type: 'full' }])
    assert.deepEqual([summary.accepted, summary.rejected, summary.errors?.[0]?.code], [1, 1, 'FULL'])
  })

  const refused: [string, string, number][] = [
    ['full', 'FULL', exits.retry],
    ['away', 'HOST_AWAY', exits.unavailable],
    ['unregistered', 'UNREGISTERED', exits.retry],
    ['closed', 'CLOSED', exits.failed],
    ['invalid', 'INVALID', exits.failed],
    ['unknown', 'TYPE_UNKNOWN', exits.failed],
    ['broken', 'INTERNAL', exits.failed],
  ]
  for (const [type, code, exit] of refused) {
    it(`${code} is exit status ${exit}`, async () => {
      await using served = await serve()
      const error = await fails(new ControlClient(served.socket).send('echo', { type }), code, exit)
      assert.equal(error.body?.code, code)
    })
  }

  it('is answered while its stream is still open, and closes it', async () => {
    await using served = await serve()
    const source = new PassThrough()
    const sending = new ControlClient(served.socket).send('echo', source)
    source.write('{"type":"ping"}\n{"type":"away"}\n')
    const pushing = setInterval(() => source.destroyed || source.write('{"type":"ping"}\n'), 5)
    const error = await fails(sending, 'HOST_AWAY', exits.unavailable)
    clearInterval(pushing)
    assert.equal(error.body?.accepted, 1)
    assert.ok(source.destroyed)
  })

  it('is held up by a daemon that is held up', async () => {
    await using served = await serve()
    served.plane.hold()
    let made = 0
    async function* source() {
      for (; made < 100_000; made++) yield '{"type":"ping"}\n'
    }
    const sending = new ControlClient(served.socket).send('echo', source())
    await waitFor('a full window', () => served.plane.flying === 1024)
    let before = -1
    const still = () => {
      const was = before
      before = made
      return was === made
    }
    await waitFor('a standstill', still, { every: 100 })
    assert.ok(made < 100_000)
    served.plane.release()
    assert.equal((await sending).accepted, 100_000)
  })

  it('69 without a daemon', async () => {
    using folder = new Folder()
    const socket = folder.at('control.sock')
    await fails(new ControlClient(socket).status(), 'ENOENT', exits.unavailable, /no daemon is listening on .*sock/)
    await using gone = new Program(process.execPath, [`${root}/dist/tests/control/server-process.js`, socket])
    await gone.says(/ready/)
    await gone.kill('SIGKILL')
    await fails(new ControlClient(socket).status(), 'ECONNREFUSED', exits.unavailable, /corod run/)
  })

  it('69 if it dies before it answers', async () => {
    using folder = new Folder()
    const socket = folder.at('control.sock')
    const server = createServer(connection => connection.destroy()).listen(socket)
    await fails(
      new ControlClient(socket).send('echo', { type: 'ping' }),
      'CONNECTION_LOST',
      exits.unavailable,
      /not known/,
    )
    server.close()
  })

  it('69 if somebody else listens there', async () => {
    using folder = new Folder()
    const socket = folder.at('control.sock')
    const server = createServer(c => c.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello')).listen(socket)
    await fails(new ControlClient(socket).status(), 'NOT_COROD', exits.unavailable)
    server.close()
  })

  it('75 if it does not answer', async () => {
    await using served = await serve()
    served.plane.hold()
    const client = new ControlClient(served.socket, { timeout: 50 })
    await fails(client.send('echo', { type: 'ping' }), 'TIMEOUT', exits.retry, /50 ms/)
    await fails(client.send('echo', [{ type: 'ping' }]), 'TIMEOUT', exits.retry)
  })

  it('75 if all connections are taken', async () => {
    await using served = await serve({ connections: 1 })
    served.plane.hold()
    const first = new ControlClient(served.socket).send('echo', { type: 'ping' })
    await waitFor('the first', () => served.plane.flying === 1)
    await fails(new ControlClient(served.socket).status(), 'BUSY', exits.retry)
    served.plane.release()
    await first
  })

  it('77 without permission, with what to do', async function () {
    await using served = await serve()
    const script = `
      import { ControlClient } from '${root}/dist/daemon/control/client.js'
      try { await new ControlClient('${served.socket}').status() }
      catch (error) { console.log(error.exit, error.code, error.message) }`
    chmodSync(served.folder.path, 0o755)
    chmodSync(served.socket, 0o600)
    const isRoot = process.getuid?.() === 0
    if (isRoot && !canBeNobody()) this.skip()
    const as = isRoot ? { uid: nobody, gid: nobody } : undefined
    if (as === undefined) {
      chmodSync(served.socket, 0)
      await fails(new ControlClient(served.socket).status(), 'EACCES', exits.permission, /usermod -aG/)
      return
    }
    await using other = new Program(process.execPath, ['--input-type=module', '-e', script], as)
    await other.exit
    assert.match(other.output, /^77 EACCES no permission to use .*usermod -aG/)
  })
})
