import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync } from 'node:fs'
import { createServer } from 'node:http'
import type { NodeReport, StatusReport } from '../../daemon/host/report.js'
import { type Served, serve } from '../control/plane.js'
import { Folder } from '../support/folder.js'
import { canBeNobody, nobody } from '../support/nobody.js'
import { corod } from './corod.js'

describe('cli: status and nodes', () => {
  let served: Served
  let folder: Folder
  beforeEach(async () => {
    served = await serve()
    folder = new Folder()
  })
  afterEach(async () => {
    folder[Symbol.dispose]()
    await served[Symbol.asyncDispose]()
  })

  const at = (...args: string[]) => corod(['--socket', served.socket, ...args])

  it('status shows daemon, host, nodes and events', async () => {
    const { code, stdout, stderr } = await at('status')
    assert.deepEqual([code, stderr], [0, ''])
    assert.match(stdout, new RegExp(`^corod +0\\.1\\.0, pid ${process.pid}, up 0 s, `))
    assert.match(stdout, /^config +\/etc\/corod\.yaml, loaded 2026-01-01T00:00:00\.000Z, reloaded 2 times$/m)
    assert.match(stdout, /^host +connected$/m)
    assert.match(stdout, /, attached once$/m)
    assert.match(stdout, /^nodes +1: 1 running, 0 failed$/m)
    assert.match(stdout, /^events +0 received by nodes, 0 accepted from the control socket$/m)
  })

  it('status tells a host that is away, and why, without its control characters', async () => {
    const plain = served.plane.status()
    const host = {
      ...plain.host,
      state: 'refused' as const,
      name: 'vpp',
      release: '26.06',
      pid: 7,
      lastError: 'no\x1b[2J\nway',
    }
    served.plane.status = (): StatusReport => ({ ...plain, uptimeMs: 93_784_000, host })
    const { code, stdout } = await at('status')
    assert.equal(code, 0)
    assert.match(stdout, /^host +refused by vpp 26\.06 \(pid 7\): no\\x1b\[2J\\nway$/m)
    assert.match(stdout, /up 1 d 2 h,/)
  })

  it('nodes is a table', async () => {
    served.plane.extraNodes = 1
    const list = served.plane.nodes()
    const failed: NodeReport = {
      ...list[1]!,
      state: 'crash-loop',
      restarts: 12,
      deadLetters: 3,
      lastError: 'boom\nat line 3',
      messages: [],
    }
    served.plane.nodes = () => [list[0]!, failed]
    const { code, stdout } = await at('nodes')
    assert.equal(code, 0)
    assert.deepEqual(stdout.trimEnd().split('\n'), [
      'NODE     STATE       RECEIVED  MISSED  DEAD  RESTARTS  MESSAGES  LAST ERROR',
      'echo     running     0         0       0     0         ping',
      'extra-0  crash-loop  0         0       3     12        -         boom\\nat line 3',
    ])
  })

  it('nodes shows as many messages as fit into a table', async () => {
    const [echo] = served.plane.nodes()
    const messages = Array.from({ length: 200 }, (_, i) => `message-${i}`)
    served.plane.nodes = () => [{ ...echo!, messages }]
    assert.match((await at('nodes')).stdout, / message-0,message-1,message-2,message-3 and 196 more\n$/)
    served.plane.nodes = () => [{ ...echo!, messages: ['m'.repeat(63)] }]
    assert.match((await at('nodes')).stdout, / m{63}\n$/)
  })

  it('--json gives everything as one line', async () => {
    const status = await at('status', '--json')
    assert.deepEqual(status.json(), JSON.parse(JSON.stringify(served.plane.status())))
    const nodes = await at('nodes', '--json')
    assert.deepEqual(nodes.json(), JSON.parse(JSON.stringify(served.plane.nodes())))
    for (const { stdout } of [status, nodes]) assert.equal(stdout.split('\n').length, 2)
  })

  it('no daemon: status 69, how to start one', async () => {
    for (const command of ['status', 'nodes']) {
      const { code, stdout, stderr } = await corod([command, '--socket', folder.at('none.sock')])
      assert.deepEqual([code, stdout], [69, ''])
      assert.match(stderr, /^corod: no daemon is listening on .*none\.sock; start it: corod run\n$/)
    }
  })

  it('a socket nobody listens on any more: status 69', async () => {
    const left = folder.at('left.sock')
    const script = `require('node:net').createServer().listen(${JSON.stringify(left)}, () => process.kill(process.pid, 'SIGKILL'))`
    spawnSync(process.execPath, ['-e', script])
    const { code, stderr } = await corod(['status', '--socket', left])
    assert.equal(code, 69)
    assert.match(stderr, /no daemon is listening/)
  })

  it('something else behind the socket: status 69', async () => {
    const socket = folder.at('other.sock')
    const other = createServer((_, answer) => answer.end('hi'))
    await new Promise<void>(resolve => other.listen(socket, resolve))
    const { code, stderr } = await corod(['status', '--socket', socket])
    await new Promise(resolve => other.close(resolve))
    assert.equal(code, 69)
    assert.match(stderr, /no corod daemon/)
  })

  it('no permission: status 77, whom to ask', async function () {
    if (!canBeNobody()) return this.skip()
    chmodSync(served.folder.path, 0o755)
    const { code, stderr } = await corod(['status', '--socket', served.socket], { uid: nobody, cwd: '/' })
    assert.equal(code, 77, stderr)
    assert.match(stderr, /^corod: no permission to use .*control\.sock: .*usermod -aG.*\n$/)
  })

  describe('which daemon', () => {
    const config = () =>
      folder.write('corod.yaml', `control: { socket: ${served.socket} }\nnodes: { broken\x20name: 1 }\n`)

    it('COROD_SOCKET', async () => {
      assert.equal((await corod(['nodes'], { env: { COROD_SOCKET: served.socket } })).code, 0)
      const long = await corod(['nodes'], { env: { COROD_SOCKET: `/${'x'.repeat(200)}` } })
      assert.equal(long.code, 2)
      assert.match(long.stderr, /^corod: COROD_SOCKET: the path has 201 bytes/)
    })

    it('--socket goes before COROD_SOCKET', async () => {
      const { code } = await corod(['nodes', '--socket', served.socket], { env: { COROD_SOCKET: folder.at('none') } })
      assert.equal(code, 0)
    })

    it('control.socket of --config, whatever else is wrong in the file', async () => {
      assert.equal((await corod(['nodes', '-c', config()])).code, 0)
    })

    it('control.socket of corod.yaml in the current folder', async () => {
      config()
      assert.equal((await corod(['nodes'], { cwd: folder.path })).code, 0)
      mkdirSync(folder.at('else'))
      assert.equal((await corod(['nodes'], { cwd: folder.at('else') })).code, 69)
    })

    it('a control section that is wrong: status 78, with its place', async () => {
      const file = folder.write('bad.yaml', 'control:\n  sokcet: x\n')
      const { code, stdout, stderr } = await corod(['nodes', '-c', file])
      assert.deepEqual([code, stdout], [78, ''])
      assert.equal(stderr, `${file}:2:3: control.sokcet: unknown key, did you mean 'socket'?\n`)
    })

    it('--config that is not there: status 78', async () => {
      const { code, stderr } = await corod(['status', '-c', folder.at('none.yaml')])
      assert.equal(code, 78)
      assert.match(stderr, /none\.yaml:1:1: no such file: name another with --config FILE\n$/)
    })
  })
})
