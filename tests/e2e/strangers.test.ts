// Second daemons, hosts of another version, rubbish on every socket.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { connect } from 'node:net'
import { describe, it } from 'mocha'
import { FakeHost } from '../shm/fake.js'
import { Folder } from '../support/folder.js'
import { corod, startDaemon, startStandalone } from '../support/service.js'
import { waitFor } from '../support/wait.js'
import { openGate, recorded, recorderYaml } from './records.js'

describe('end to end: strangers', function () {
  this.timeout(60_000)

  it('a second daemon on the same host waits, told who has it, and takes over when that ends', async () => {
    using folder = new Folder()
    openGate(folder)
    await using _host = await startStandalone(folder)
    await using first = startDaemon(folder, recorderYaml(folder))
    await first.running()
    const yaml = `host: { reconnect: { min: 10ms, max: 50ms } }\n${recorderYaml(folder)}`
    await using second = startDaemon(folder, yaml, { name: 'second' })
    const refused = await waitFor('the refusal', async () => {
      const { host } = await second.client.status()
      return host.state === 'refused' ? host : undefined
    })
    assert.match(refused.lastError ?? '', new RegExp(`\\b${first.program.pid}\\b`))
    assert.equal((await second.client.node('rec')).state, 'waiting-for-host')
    assert.equal((await first.client.send('rec', { type: 'number', n: 1 })).accepted, 1)
    await waitFor('the event', () => recorded(folder).length === 1)
    assert.equal((await first.client.status()).host.attachments, 1)

    assert.deepEqual(await first.program.kill(), { code: 0, signal: null })
    await second.running()
    await second.client.send('rec', { type: 'number', n: 2 })
    await waitFor('the event', () => recorded(folder).length === 2)
  })

  it('a second daemon on the same control socket ends with status 1 and names the first', async () => {
    using folder = new Folder()
    openGate(folder)
    await using _host = await startStandalone(folder)
    await using first = startDaemon(folder, recorderYaml(folder))
    await first.running()
    await using second = startDaemon(folder, recorderYaml(folder))
    assert.deepEqual(await second.program.exit, { code: 1, signal: null })
    assert.match(second.program.output, new RegExp(`process ${first.program.pid} is listening there`))
    assert.equal((await first.client.send('rec', { type: 'number', n: 1 })).accepted, 1)
    assert.equal((await first.client.status()).host.attachments, 1)
  })

  it('a host of another protocol version: both versions are told, and the daemon goes on looking', async () => {
    const fake = await FakeHost.start('version')
    try {
      using folder = new Folder()
      await using daemon = startDaemon(folder, recorderYaml(folder), { host: fake.socket })
      const host = await waitFor('the mismatch', async () => {
        const { host } = await daemon.client.status()
        return host.lastError !== undefined && /version/.test(host.lastError) ? host : undefined
      })
      assert.match(host.lastError ?? '', /7/)
      assert.match(host.lastError ?? '', /1/)
      assert.notEqual(host.state, 'connected')
      const refused = await corod(['--socket', daemon.socket, 'send', 'rec', 'number', '{"n": 1}'])
      assert.equal(refused.code, 69)
      assert.deepEqual(await daemon.program.kill(), { code: 0, signal: null })
    } finally {
      await fake.stop()
    }
  })

  it('a host that is no host: the daemon says so and goes on', async () => {
    const fake = await FakeHost.start('magic')
    try {
      using folder = new Folder()
      await using daemon = startDaemon(folder, recorderYaml(folder), { host: fake.socket })
      await waitFor('the reason', async () => (await daemon.client.status()).host.lastError)
      assert.notEqual((await daemon.client.status()).host.state, 'connected')
      assert.deepEqual(await daemon.program.kill(), { code: 0, signal: null })
    } finally {
      await fake.stop()
    }
  })

  it('binary rubbish on every socket disturbs nobody', async () => {
    using folder = new Folder()
    openGate(folder)
    await using host = await startStandalone(folder)
    await using daemon = startDaemon(folder, recorderYaml(folder))
    await daemon.running()
    for (let i = 0; i < 100; i++) {
      for (const path of [daemon.socket, folder.at('cli.sock'), host.socket]) {
        await new Promise<void>(resolve => {
          const socket = connect(path)
          socket
            .on('error', () => {})
            .on('close', () => resolve())
            .resume()
          socket.end(randomBytes(1 + i * 11))
          // Some sockets wait for more: it does not come.
          setTimeout(() => socket.destroy(), 50)
        })
      }
    }
    assert.equal((await daemon.client.send('rec', { type: 'number', n: 1 })).accepted, 1)
    await waitFor('the event', () => recorded(folder).length === 1)
    assert.equal((await daemon.client.status()).host.attachments, 1)
    assert.match(await host.cli('show corod'), new RegExp(`process ${daemon.program.pid}\\b`))
  })
})
