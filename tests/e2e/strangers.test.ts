// Second daemons, hosts of another version, rubbish on every socket.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { describe, it } from 'mocha'
import { limits } from '../../shm/ring.js'
import { FakeHost } from '../shm/fake.js'
import { Folder } from '../support/folder.js'
import { Raw } from '../support/raw.js'
import { hasPython, hello, meet, replyOf } from '../support/seqpacket.js'
import { corod, type RunningDaemon, startDaemon, startStandalone } from '../support/service.js'
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

  it('binary rubbish on every stream socket disturbs nobody', async () => {
    using folder = new Folder()
    openGate(folder)
    await using host = await startStandalone(folder)
    await using daemon = startDaemon(folder, recorderYaml(folder))
    await daemon.running()
    for (let i = 0; i < 40; i++) {
      // Without a line end the CLI socket waits for more: the end of the stream has to do.
      for (const path of [daemon.socket, folder.at('cli.sock')]) {
        using raw = new Raw(path)
        raw.socket.end(randomBytes(1 + i * 29))
        await raw.gone()
      }
    }
    await undisturbed(folder, daemon)
    assert.match(await host.cli('show corod'), new RegExp(`process ${daemon.program.pid}\\b`))
  })

  it('rubbish on the attach socket is hung up on, and disturbs nobody', async function () {
    if (!hasPython()) this.skip()
    using folder = new Folder()
    openGate(folder)
    await using host = await startStandalone(folder)
    await using daemon = startDaemon(folder, recorderYaml(folder))
    await daemon.running()
    const open = () => readdirSync(`/proc/${host.program.pid}/fd`).length
    const before = open()
    const good = hello()
    const patched = (at: number, value: number) => {
      const message = Buffer.from(good)
      message[at] = value
      return message
    }
    const endless = Buffer.from(good).fill(0x61, 24)
    const met = await meet(host.socket, [
      ...Array.from({ length: 100 }, (_, i) => ({ send: [randomBytes(1 + i * 37)], get: 1 })),
      { send: [randomBytes(100_000)], get: 1 },
      // A message that is nearly right: magic, type, number of descriptors, a name without end, too short, too long.
      ...[
        patched(0, 0),
        patched(4, 99),
        patched(6, 1),
        endless,
        good.subarray(0, 511),
        Buffer.concat([good, good]),
      ].map(message => ({ send: [message], get: 1 })),
      { send: [good], fds: 200, get: 1 },
    ])
    assert.ok(met.every(({ got, end }) => got.length === 0 && end))
    await undisturbed(folder, daemon)
    await waitFor('all descriptors to be given back', () => open() === before)
    assert.match(await host.cli('show corod'), new RegExp(`process ${daemon.program.pid}\\b`))
  })

  it('a daemon of another protocol version, or a second one, is refused in words', async function () {
    if (!hasPython()) this.skip()
    using folder = new Folder()
    openGate(folder)
    await using host = await startStandalone(folder)
    await using daemon = startDaemon(folder, recorderYaml(folder))
    await daemon.running()
    const { protocol, protocolMin } = limits
    const [newer, reversed, second] = await meet(host.socket, [
      { send: [hello(protocol + 6, protocol + 8)], get: 2 },
      { send: [hello(protocol + 1, protocol)], get: 2 },
      { send: [hello()], get: 2 },
    ])
    for (const [met, said] of [
      [newer, `the daemon speaks ${protocol + 6} to ${protocol + 8}, the host ${protocolMin} to ${protocol}`],
      [reversed, `the daemon speaks ${protocol + 1} to ${protocol}, the host ${protocolMin} to ${protocol}`],
    ] as const) {
      const text = `no common protocol version: ${said}`
      assert.deepEqual(replyOf(met!), { kind: 'refused', min: protocolMin, max: protocol, pid: 0, text })
      assert.ok(met!.end)
      await host.program.says(new RegExp(`daemon refused: ${text}`))
    }
    const reply = replyOf(second!)
    assert.ok(reply.kind === 'refused' && second!.end)
    assert.deepEqual(
      [reply.pid, reply.text],
      [daemon.program.pid, `a daemon is attached already: process ${daemon.program.pid}`],
    )
    await undisturbed(folder, daemon)
  })

  it('an attached daemon that talks rubbish loses its attachment, and the next one finds the host as it was', async function () {
    if (!hasPython()) this.skip()
    using folder = new Folder()
    openGate(folder)
    await using host = await startStandalone(folder)
    const met = await meet(
      host.socket,
      [randomBytes(512), randomBytes(7), hello()].map(rubbish => ({ send: [hello(), rubbish], get: 2 })),
    )
    for (const one of met) {
      assert.equal(replyOf(one).kind, 'welcome')
      assert.deepEqual([one.got.length, one.end], [1, true])
    }
    await using daemon = startDaemon(folder, recorderYaml(folder))
    await daemon.running()
    await undisturbed(folder, daemon)
  })
})

/** The daemon takes an event, as if nothing had happened; it is the first that its recorder gets. */
async function undisturbed(folder: Folder, daemon: RunningDaemon): Promise<void> {
  assert.equal((await daemon.client.send('rec', { type: 'number', n: 1 })).accepted, 1)
  await waitFor('the event', () => recorded(folder).length === 1)
  assert.equal((await daemon.client.status()).host.attachments, 1)
}
