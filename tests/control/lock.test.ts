import assert from 'node:assert/strict'
import * as fs from 'node:fs'
import { describe, it } from 'mocha'
import type { Lock } from '../../daemon/control/socket.js'
import { Folder, root } from '../support/folder.js'
import { Program } from '../support/program.js'
import { serve } from './plane.js'
import { control, listenOn, refuses, serves } from './serving.js'

const program = `${root}/dist/tests/control/server-process.js`

describe('control: the lock', () => {
  const open: Lock = path => fs.openSync(path, 'a+')

  it('is taken before the socket and given back after it, with the pid inside', async () => {
    using folder = new Folder()
    const socket = folder.at('control.sock')
    const fds: number[] = []
    const server = control(socket, path => {
      assert.equal(path, `${socket}.lock`)
      assert.ok(!fs.existsSync(socket))
      fds.push(fs.openSync(path, 'a+'))
      return fds.at(-1)
    })
    await server.listen()
    assert.equal(fs.readFileSync(`${socket}.lock`, 'utf8'), `${process.pid}\n`)
    await server.close()
    assert.deepEqual(fs.readdirSync(folder.path), [])
    assert.throws(() => fs.fstatSync(fds[0] ?? -1), { code: 'EBADF' })
  })

  it('names the process that holds it', async () => {
    using folder = new Folder()
    folder.write('control.sock.lock', '4711\n')
    await refuses(folder.at('control.sock'), 'IN_USE', /process 4711 is listening there/, () => undefined)
    assert.deepEqual(fs.readdirSync(folder.path), ['control.sock.lock'])
  })

  it('is given back when the socket cannot be had', async () => {
    await using served = await serve()
    await refuses(served.socket, 'IN_USE', /listening/, open)
    assert.deepEqual(fs.readdirSync(served.folder.path), ['control.sock'])
  })

  it('is taken again if the file was removed by the one before', async () => {
    using folder = new Folder()
    let tries = 0
    const server = control(folder.at('control.sock'), path => {
      const fd = fs.openSync(path, 'a+')
      if (tries++ === 0) fs.rmSync(path)
      return fd
    })
    await server.listen()
    assert.equal(tries, 2)
    assert.ok(fs.existsSync(folder.at('control.sock.lock')))
    await server.close()
  })
})

describe('control: socket activation', () => {
  it('serves on the socket that was passed, and leaves its file alone', async () => {
    using folder = new Folder()
    const socket = folder.at('passed.sock')
    // As the service manager does it: bound, listening, passed on. Node.js removes the name it bound when it closes.
    const passed = await listenOn(folder.at('bound.sock'))
    fs.renameSync(folder.at('bound.sock'), socket)
    fs.chmodSync(socket, 0o606)
    const { fd } = (passed as unknown as { _handle: { fd: number } })._handle
    const shell = `LISTEN_PID=$$ LISTEN_FDS=1 exec "${process.execPath}" "${program}" "${folder.at('own.sock')}"`
    await using activated = new Program('/bin/sh', ['-c', shell], { stdio: ['ignore', 'pipe', 'pipe', fd] })
    passed.close()
    // The variables are gone from its environment: children must not take them for theirs.
    await activated.says(/^ready \n/)
    await serves(socket)
    assert.equal(fs.lstatSync(socket).mode & 0o777, 0o606)
    assert.equal((await activated.kill()).code, 0)
    assert.deepEqual(fs.readdirSync(folder.path), ['passed.sock'])
  })

  it('ignores what was passed to another process', async () => {
    using folder = new Folder()
    const env = { ...process.env, LISTEN_PID: '1', LISTEN_FDS: '1' }
    await using own = new Program(process.execPath, [program, folder.at('own.sock')], { env })
    await own.says(/ready/)
    await serves(folder.at('own.sock'))
  })
})
