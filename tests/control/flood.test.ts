import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, it } from 'mocha'
import { Folder, root } from '../support/folder.js'
import { Program } from '../support/program.js'
import { Raw } from '../support/raw.js'
import { waitFor } from '../support/wait.js'

const path = '/v1/nodes/echo/events'
const stream = { 'Content-Type': 'application/x-ndjson', 'Transfer-Encoding': 'chunked' }

/** Bytes of memory that a process has had at most since `reset`. */
function peak(pid: number): number {
  return Number(/VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
}

/** Starts a server, runs the attack, and tells by how many MiB the server's memory grew at most. */
async function growth(attack: (socket: string) => Promise<void>): Promise<number> {
  using folder = new Folder()
  const socket = folder.at('control.sock')
  const options = JSON.stringify({ limits: { line: 65_536, idleTimeout: 1000, headerTimeout: 500 } })
  await using server = new Program(process.execPath, [`${root}/dist/tests/control/server-process.js`, socket, options])
  await server.says(/ready/)
  const before = peak(server.pid)
  await attack(socket)
  using raw = new Raw(socket)
  assert.equal((await raw.request('GET', '/v1/nodes/echo').answer()).status, 200)
  const grown = (peak(server.pid) - before) / 1024 / 1024
  assert.deepEqual(await server.kill(), { code: 0, signal: null })
  return grown
}

describe('control: memory under attack', function () {
  this.timeout(60_000)

  it('clients that send lines without end', async () => {
    const grown = await growth(async socket => {
      const raws = Array.from({ length: 20 }, () => new Raw(socket).request('POST', path, stream))
      const block = Buffer.alloc(1024 * 1024, 'x')
      for (const raw of raws) for (let i = 0; i < 20; i++) raw.chunk(block)
      await Promise.all(raws.map(raw => raw.gone()))
      for (const raw of raws) raw[Symbol.dispose]()
    })
    assert.ok(grown < 100, `${grown} MiB for 400 MiB of line`)
  })

  it('a client that asks and does not read', async () => {
    const grown = await growth(async socket => {
      const raws = Array.from({ length: 20 }, () => new Raw(socket))
      for (const raw of raws) {
        raw.socket.pause()
        for (let i = 0; i < 32; i++) raw.request('GET', '/v1/nodes')
      }
      // A write tells that the other side has closed, without reading anything.
      await waitFor('their end', () => {
        for (const raw of raws) if (!raw.closed) raw.write('\r\n')
        return raws.every(raw => raw.closed)
      })
      for (const raw of raws) raw[Symbol.dispose]()
    })
    assert.ok(grown < 100, `${grown} MiB for 20 clients that do not read`)
  })

  it('a flood of small events', async () => {
    const grown = await growth(async socket => {
      using raw = new Raw(socket)
      raw.request('POST', path, stream)
      const block = '{"type":"ping","n":1}\n'.repeat(5000)
      for (let i = 0; i < 100; i++) {
        raw.chunk(block)
        await waitFor('room', () => raw.socket.writableLength < 1024 * 1024, { every: 1 })
      }
      raw.write('0\r\n\r\n')
      assert.equal((await raw.answer()).json().accepted, 500_000)
    })
    assert.ok(grown < 100, `${grown} MiB for 500,000 events`)
  })
})
