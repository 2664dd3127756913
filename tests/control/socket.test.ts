import assert from 'node:assert/strict'
import * as fs from 'node:fs'
import { describe, it } from 'mocha'
import { ControlServer } from '../../daemon/control/server.js'
import { Folder, root } from '../support/folder.js'
import { canBeNobody, nobody } from '../support/nobody.js'
import { Program } from '../support/program.js'
import { Raw } from '../support/raw.js'
import { defaults, FakePlane, Lines, serve } from './plane.js'
import { control, refuses, serves } from './serving.js'

const program = `${root}/dist/tests/control/server-process.js`
const isRoot = process.getuid?.() === 0
/** A group that this user may give files to, other than its own where there is one. */
const group = isRoot ? 1 : (process.getgroups?.().at(-1) ?? process.getgid?.() ?? 0)

/** A process with a control socket, ended without a chance to remove it. */
async function leaveStale(socket: string): Promise<void> {
  await using other = new Program(process.execPath, [program, socket])
  await other.says(/ready/)
  await other.kill('SIGKILL')
  assert.ok(fs.lstatSync(socket).isSocket())
}

describe('control: the socket file', () => {
  it('has the mode and group of the configuration, whatever the umask', async () => {
    const before = process.umask(0o777)
    try {
      await using served = await serve({}, { mode: 0o626, group })
      const { mode, gid } = fs.lstatSync(served.socket)
      assert.deepEqual([(mode & 0o777).toString(8), gid], ['626', group])
      assert.equal(process.umask(), 0o777)
    } finally {
      process.umask(before)
    }
  })

  it('takes a group by name', async () => {
    const [name, , gid] = (
      fs
        .readFileSync('/etc/group', 'utf8')
        .split('\n')
        .find(l => l.split(':')[2] === String(group)) ?? ''
    ).split(':')
    await using served = await serve({}, { group: name ?? '' })
    assert.equal(fs.lstatSync(served.socket).gid, Number(gid))
    using folder = new Folder()
    const unknown = { socket: folder.at('s'), mode: 0o660, group: 'no-such-group', limits: defaults }
    await assert.rejects(new ControlServer(new FakePlane(), unknown, new Lines()).listen(), /no group "no-such-group"/)
    assert.deepEqual(fs.readdirSync(folder.path), [])
  })

  it('never has another mode or group, not for a moment', async () => {
    using folder = new Folder()
    const socket = folder.at('control.sock')
    await using watcher = new Program(process.execPath, [`${root}/dist/tests/control/watcher.js`, socket], {
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    await watcher.says(/ready/)
    const before = process.umask(0)
    try {
      // Often, and until the watcher has had a look at all: it is another process.
      for (let i = 0; i < 200 || !watcher.stdout.includes('seen'); i++) {
        const options = { socket, mode: 0o640, group, limits: defaults }
        const server = new ControlServer(new FakePlane(), options, new Lines())
        await server.listen()
        await server.close()
        await new Promise(resolve => setImmediate(resolve))
      }
    } finally {
      process.umask(before)
    }
    watcher.child.stdin?.end()
    const [seen = ''] = await watcher.says(/\[.*\]/)
    assert.deepEqual(JSON.parse(seen), [`640:${group}`])
    assert.deepEqual(fs.readdirSync(folder.path), [])
  }).timeout(30_000)

  it('is removed at the end, and only it', async () => {
    using folder = new Folder()
    const server = control(folder.at('control.sock'))
    await server.listen()
    assert.deepEqual(fs.readdirSync(folder.path), ['control.sock'])
    await server.close()
    assert.deepEqual(fs.readdirSync(folder.path), [])
  })

  it('is not removed at the end if it is not ours any more', async () => {
    using folder = new Folder()
    const socket = folder.at('control.sock')
    const server = control(socket)
    await server.listen()
    fs.rmSync(socket)
    fs.writeFileSync(socket, 'another')
    await server.close()
    assert.equal(fs.readFileSync(socket, 'utf8'), 'another')
  })

  it('replaces a stale one', async () => {
    using folder = new Folder()
    const socket = folder.at('control.sock')
    await leaveStale(socket)
    const server = control(socket)
    await server.listen()
    await serves(socket)
    await server.close()
    assert.deepEqual(fs.readdirSync(folder.path), [])
  })

  it('does not steal a live one', async () => {
    await using served = await serve()
    await refuses(served.socket, 'IN_USE', new RegExp(`${served.socket}: another process is listening there`))
    await serves(served.socket)
    assert.deepEqual(fs.readdirSync(served.folder.path), ['control.sock'])
  })

  it('does not steal one whose process does not accept', async () => {
    using folder = new Folder()
    const socket = folder.at('control.sock')
    await using other = new Program(process.execPath, [program, socket])
    await other.says(/ready/)
    other.child.kill('SIGSTOP')
    const raws = Array.from({ length: 200 }, () => new Raw(socket))
    try {
      await refuses(socket, 'IN_USE', /listening there/)
    } finally {
      for (const raw of raws) raw[Symbol.dispose]()
      other.child.kill('SIGCONT')
    }
  })

  it('leaves a file alone that is no socket, and does not follow links', async () => {
    using folder = new Folder()
    const socket = folder.write('control.sock', 'precious')
    await refuses(socket, 'PATH', /is no socket; it is left alone/)
    assert.equal(fs.readFileSync(socket, 'utf8'), 'precious')
    fs.symlinkSync(folder.at('nowhere'), folder.at('link.sock'))
    await refuses(folder.at('link.sock'), 'PATH', /is no socket/)
    assert.deepEqual(fs.readdirSync(folder.path).sort(), ['control.sock', 'link.sock'])
  })

  it('has a path of at most 107 bytes', async () => {
    using folder = new Folder()
    const longest = folder.at('x'.repeat(106 - folder.path.length))
    assert.equal(Buffer.byteLength(longest), 107)
    const server = control(longest)
    await server.listen()
    await serves(longest)
    await server.close()
    await refuses(`${longest}x`, 'PATH', /108 bytes, at most 107/)
    await refuses(folder.at('ä'.repeat(60)), 'PATH', /too long for a socket/)
  })

  it('needs a directory', async () => {
    using folder = new Folder()
    await refuses(folder.at('missing/control.sock'), 'PATH', /missing: no such folder/)
    await refuses(`${folder.write('file', '')}/control.sock`, 'PATH', /file: no such folder/)
  })

  it('needs a directory in which not everybody may replace files', async () => {
    using folder = new Folder()
    fs.chmodSync(folder.path, 0o777)
    await refuses(folder.at('control.sock'), 'PATH', /everybody may replace files/)
    fs.chmodSync(folder.path, 0o1777)
    const server = control(folder.at('control.sock'))
    await server.listen()
    await server.close()
  })

  it('says what permission is missing', async function () {
    using folder = new Folder()
    const socket = folder.at('control.sock')
    if (isRoot && !canBeNobody()) this.skip()
    const as = isRoot ? { uid: nobody, gid: nobody } : {}
    fs.chmodSync(folder.path, 0o555)
    await using closed = new Program(process.execPath, [program, socket], as)
    await closed.says(/^PERMISSION .*control\.sock: cannot be made \(EACCES\): this user has no access to .*\n/)
    assert.equal((await closed.exit).code, 1)
    if (!isRoot) return
    fs.chmodSync(folder.path, 0o700)
    await using outside = new Program(process.execPath, [program, socket], as)
    await outside.says(/^PERMISSION .*control\.sock: cannot be made \(EACCES\)/)
    fs.chownSync(folder.path, nobody, nobody)
    fs.chmodSync(folder.path, 0o755)
    await using foreign = new Program(process.execPath, [program, socket, '{"group":0}'], as)
    await foreign.says(/^PERMISSION .*group 0: this user is not in it/)
    assert.deepEqual(fs.readdirSync(folder.path), [])
  })
})
