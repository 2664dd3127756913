// The CLI socket: commands, answers and how they end, and clients that are slow, rude or many.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { createConnection, type Socket } from 'node:net'
import { describe, it } from 'mocha'
import { Folder } from '../support/folder.js'
import { finished } from '../support/service.js'
import { waitFor } from '../support/wait.js'
import { type Host, program, startHost } from './host.js'

const [done, failed] = ['\x06', '\x15']

/** A connection that keeps what comes. */
function connect(host: Host): { socket: Socket; text: () => string; closed: Promise<void> } {
  const socket = createConnection({ path: host.cli, allowHalfOpen: true })
  let text = ''
  socket.setEncoding('latin1').on('data', part => {
    text += part
  })
  socket.on('error', () => {})
  const closed = new Promise<void>(resolve => socket.once('close', () => resolve()))
  socket.once('end', () => socket.end())
  return { socket, text: () => text, closed }
}

/** Sends everything at once, closes the sending side and gives the whole answer. */
async function session(host: Host, input: string | Buffer): Promise<string> {
  const connection = connect(host)
  connection.socket.end(input)
  await connection.closed
  return connection.text()
}

describe('corod-standalone: CLI', () => {
  it('answers several commands of a connection in order, each ended by ACK or NAK', async () => {
    using folder = new Folder()
    await using host = await startHost(folder)
    const answer = await session(host, 'show version\nbogus\n\n  show   version \r\nshow version')
    const parts = answer.replaceAll(failed, done).split(done)
    assert.equal(parts.length, 6)
    assert.match(parts[0] ?? '', /^corod-standalone /)
    assert.match(parts[1] ?? '', /unknown command: bogus \(try help\)/)
    assert.equal(parts[2], '')
    assert.equal(parts[3], parts[0])
    assert.equal(parts[4], parts[0])
    assert.equal([...answer].filter(c => c === done || c === failed).join(''), done + failed + done + done + done)
  })

  it('stays open for the next command', async () => {
    using folder = new Folder()
    await using host = await startHost(folder)
    const connection = connect(host)
    for (let i = 1; i <= 3; i++) {
      connection.socket.write('show version\n')
      await waitFor('the answer', () => connection.text().split(done).length === i + 1)
    }
    connection.socket.end()
    await connection.closed
  })

  it('lets a command wait without holding up anybody else', async () => {
    using folder = new Folder()
    await using host = await startHost(folder)
    const slow = connect(host)
    slow.socket.write('wait 30\nshow version\n')
    await host.show('show version')
    await host.show('wait 0.01')
    assert.equal(slow.text(), '')
    slow.socket.destroy()
    // Its place is free again, and the host does not wait for it when it stops.
    for (let i = 0; i < 20; i++) await host.show('help')
    assert.equal((await host.program.kill()).code, 0)
  })

  it('has help for every command, and each says its usage when it is used wrongly', async () => {
    using folder = new Folder()
    await using host = await startHost(folder)
    const help = await host.show('help')
    for (const command of ['show version', 'show errors', 'show node', 'show runtime', 'show interface', 'show corod'])
      assert.match(help, new RegExp(`^${command}`, 'm'))
    const wrong: readonly [string, RegExp][] = [
      ['show', /unknown command: show/],
      ['show versions', /unknown command/],
      ['show version now', /takes no arguments/],
      ['show node nobody', /no node nobody/],
      ['show corod nobody', /show corod \[nodes/],
      ['show corod node', /show corod \[nodes/],
      ['show interface', /--no-interfaces/],
      ['show packets', /--pcap/],
      ['wait', /wait SECONDS/],
      ['wait -1', /wait SECONDS/],
      ['wait nan', /wait SECONDS/],
      ['wait 1e9', /wait SECONDS/],
      ['signal a 1', /signal NODE TYPE DATUM/],
      ['signal a 1 -2', /signal NODE TYPE DATUM/],
      ['signal a 1 99999999999999999999999', /signal NODE TYPE DATUM/],
      ['signal a 1 2', /a: no such node/],
      ['signal ip4-lookup 1 2', /no such node/],
      ['corod send', /corod send NODE CODE \[HEX\]/],
      ['corod send a 1 0', /corod send NODE CODE/],
      ['corod send a 1 zz', /corod send NODE CODE/],
      ['corod send a 4294967296', /corod send NODE CODE/],
      ['corod send a 1 00ff', /a: no such node/],
      [`show node ${'x'.repeat(300)}`, /no node xxx/],
    ]
    for (const [command, message] of wrong) {
      const answer = await host.ask(command)
      assert.equal(answer.code, 1, command)
      assert.match(answer.stdout, message)
    }
  })

  it('ends what it cannot read, and goes on', async () => {
    using folder = new Folder()
    await using host = await startHost(folder)
    assert.equal(await session(host, 'x'.repeat(5000)), `command line too long\n${failed}`)
    for (let i = 0; i < 20; i++) await session(host, randomBytes(3000))
    await session(host, Buffer.alloc(4000))
    await session(host, '')
    assert.match(await host.show('show version'), /corod-standalone/)
  })

  it('keeps one answer, not more, for a client that never reads', async () => {
    using folder = new Folder()
    await using host = await startHost(folder)
    const rude = connect(host)
    rude.socket.pause()
    rude.socket.write('help\n'.repeat(400_000))
    for (let i = 0; i < 5; i++) assert.match(await host.show('show version'), /corod-standalone/)
    // It has stopped reading: what it has not taken stays on our side.
    assert.ok(rude.socket.writableLength > 1_000_000)
    rude.socket.resume()
    const before = rude.text().length
    await waitFor('it to go on', () => rude.text().length > before + 1_000_000)
    rude.socket.destroy()
  })

  it('tells a connection too many so, and takes the next one when a place is free', async () => {
    using folder = new Folder()
    await using host = await startHost(folder)
    const all = Array.from({ length: 16 }, () => connect(host))
    for (const one of all) one.socket.write('show version\n')
    await waitFor('their answers', () => all.every(one => one.text().endsWith(done)))
    const refused = await host.ask('show version')
    assert.equal(refused.code, 1)
    assert.match(refused.stdout, /too many connections/)
    for (const one of all) one.socket.destroy()
    await waitFor('a free place', async () => (await host.ask('show version')).code === 0)
  })

  it('says 69 when nobody answers', async () => {
    using folder = new Folder()
    const nobody = await finished(program, ['--cli', folder.at('none'), 'help'])
    assert.equal(nobody.code, 69)
    assert.match(nobody.stderr, /No such file/)
    {
      await using host = await startHost(folder)
      await host.program.kill('SIGKILL')
    }
    const gone = await finished(program, ['--cli', folder.at('cli.sock'), 'help'])
    assert.equal(gone.code, 69)
    assert.match(gone.stderr, /refused/)
    const tooLong = await finished(program, ['--cli', folder.at('x'.repeat(120)), 'help'])
    assert.equal(tooLong.code, 2)
  })
})
