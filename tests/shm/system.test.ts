// notify, lockFile, now.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { lockFile, notify, now } from '../../shm/ring.js'

// Node has no datagram Unix sockets; python3 does.
const listen = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind('\\0' + sys.argv[1][1:] if sys.argv[1][0] == '@' else sys.argv[1])
print('listening', flush=True)
while True: print(s.recv(65536).decode(), flush=True)
`
const python = spawnSync('python3', ['--version']).status === 0

describe('system', () => {
  let folder: string
  let saved: string | undefined
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'corod-system-'))
    saved = process.env.NOTIFY_SOCKET
  })
  afterEach(() => {
    if (saved === undefined) delete process.env.NOTIFY_SOCKET
    else process.env.NOTIFY_SOCKET = saved
    rmSync(folder, { recursive: true, force: true })
  })

  for (const kind of ['path', 'abstract'] as const)
    it(`notifies a socket by ${kind}`, async function () {
      if (!python) this.skip()
      const path = kind === 'path' ? join(folder, 'notify') : `@corod-test-${process.pid}`
      const child = spawn('python3', ['-c', listen, path], { stdio: ['ignore', 'pipe', 'inherit'] })
      const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
      try {
        assert.equal((await lines.next()).value, 'listening')
        process.env.NOTIFY_SOCKET = path
        assert.equal(notify('READY=1'), true)
        assert.equal((await lines.next()).value, 'READY=1')
        assert.equal(notify('WATCHDOG=1'), true)
        assert.equal((await lines.next()).value, 'WATCHDOG=1')
      } finally {
        child.kill('SIGKILL')
      }
    })

  it('notifies nobody where nobody asks', () => {
    delete process.env.NOTIFY_SOCKET
    assert.equal(notify('READY=1'), false)
    process.env.NOTIFY_SOCKET = ''
    assert.equal(notify('READY=1'), false)
  })

  it('names what keeps it from notifying', () => {
    const fails = (path: string, code: string) => {
      process.env.NOTIFY_SOCKET = path
      assert.throws(() => notify('READY=1'), { name: 'RingError', code })
    }
    fails(join(folder, 'nobody'), 'ENOENT')
    fails(`/${'x'.repeat(107)}`, 'ENAMETOOLONG')
    fails('relative', 'EAFNOSUPPORT')
    assert.throws(() => notify(''), RangeError)
  })

  it('locks a file once', () => {
    const path = join(folder, 'lock')
    const fd = lockFile(path)
    assert.ok(fd !== undefined && fd > 2)
    assert.equal(statSync(path).mode & 0o777, 0o600)
    assert.equal(lockFile(path), undefined)
    closeSync(fd)
    const again = lockFile(path)
    assert.ok(again !== undefined)
    closeSync(again)
  })

  it('names what keeps it from locking', () => {
    assert.throws(() => lockFile(join(folder, 'no', 'lock')), { name: 'RingError', code: 'ENOENT' })
    symlinkSync(join(folder, 'other'), join(folder, 'link'))
    assert.throws(() => lockFile(join(folder, 'link')), { code: 'ELOOP' })
  })

  it('has the clock of the kernel', () => {
    const before = Number(process.hrtime.bigint()) / 1e6
    const read = now()
    const after = Number(process.hrtime.bigint()) / 1e6
    assert.ok(before <= read && read <= after)
  })
})
