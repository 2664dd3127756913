import assert from 'node:assert/strict'
import { chmodSync, existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { Folder, root } from '../support/folder.js'
import { Program } from '../support/program.js'
import { waitFor } from '../support/wait.js'
import { corod } from './corod.js'

const quiet = `import { message, processNode } from 'corod'
export default processNode({
  messages: { on: message(1) },
  async run(vm, node) {
    for await (const _ of node.inbox) continue
  },
})
`

describe('cli: run', () => {
  let folder: Folder
  beforeEach(() => {
    folder = new Folder()
    folder.write('a.mjs', quiet)
    folder.write(
      'corod.yaml',
      'host: { socket: host.sock }\ncontrol: { socket: control.sock, mode: 0600 }\nnodes: { alpha: { module: a.mjs } }\n',
    )
  })
  afterEach(() => folder[Symbol.dispose]())

  const start = (...args: string[]) =>
    new Program(process.execPath, [join(root, 'bin', 'corod'), 'run', ...args], { cwd: folder.path })
  const serving = (socket: string) => waitFor('the control socket', () => existsSync(socket))
  const status = (...args: string[]) => corod(['status', ...args], { cwd: folder.path })

  it('runs without a host, answers, and ends with 0 on SIGTERM and on SIGINT', async () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      await using daemon = start()
      await serving(folder.at('control.sock'))
      const asked = await status('--json')
      assert.equal(asked.code, 0, asked.stderr)
      const report = asked.json<{ pid: number; config: string; host: { state: string; socket: string } }>()
      assert.equal(report.pid, daemon.pid)
      assert.equal(report.config, folder.at('corod.yaml'))
      assert.equal(report.host.state, 'connecting')
      assert.equal(report.host.socket, folder.at('host.sock'))
      const nodes = await corod(['nodes'], { cwd: folder.path })
      assert.match(nodes.stdout, /^alpha {2}waiting-for-host .* on$/m)
      assert.deepEqual(await daemon.kill(signal), { code: 0, signal: null }, daemon.output)
      assert.equal(existsSync(folder.at('control.sock')), false)
    }
  })

  it('an event cannot be sent while the host is away: 69, and why', async () => {
    await using _ = start()
    await serving(folder.at('control.sock'))
    const { code, stderr } = await corod(['send', 'alpha', 'on'], { cwd: folder.path })
    assert.equal(code, 69, stderr)
    assert.match(stderr, /^corod: the host is away/)
  })

  it('makes the control socket with the mode of the configuration', async () => {
    await using _ = start()
    await serving(folder.at('control.sock'))
    assert.equal(statSync(folder.at('control.sock')).mode & 0o777, 0o600)
  })

  it('--socket and --host-socket go before the configuration, and start from the current folder', async () => {
    await using _ = start('--socket', 'other.sock', '--host-socket', 'other-host.sock')
    await serving(folder.at('other.sock'))
    const asked = await status('--socket', folder.at('other.sock'), '--json')
    assert.equal(asked.json<{ host: { socket: string } }>().host.socket, folder.at('other-host.sock'))
    assert.equal(existsSync(folder.at('control.sock')), false)
  })

  it('a second daemon on the same socket: 1, and the first goes on', async () => {
    await using first = start()
    await serving(folder.at('control.sock'))
    const second = await corod(['run'], { cwd: folder.path })
    assert.equal(second.code, 1, second.stderr)
    assert.match(second.stderr, /^corod: .*control\.sock/)
    assert.equal((await status('--json')).json<{ pid: number }>().pid, first.pid)
  })

  it('an invalid configuration: 78, every fault; nothing is started', async () => {
    folder.write('corod.yaml', 'nodes:\n  alpha: { modul: a.mjs }\n')
    const { code, stdout, stderr } = await corod(['run'], { cwd: folder.path })
    assert.deepEqual([code, stdout], [78, ''])
    assert.match(stderr, /^corod\.yaml:2:10: nodes\.alpha\.module: is missing/m)
    assert.match(stderr, /^corod\.yaml:2:12: nodes\.alpha\.modul: unknown key, did you mean 'module'\?$/m)
  })

  it('a module that is no node: 78, at the key that names it', async () => {
    folder.write('a.mjs', 'export const x = 1\n')
    const { code, stderr } = await corod(['run'], { cwd: folder.path })
    assert.equal(code, 78)
    assert.match(stderr, /^corod\.yaml:3:27: nodes\.alpha\.module: .*a\.mjs has no default export/m)
  })

  it('a folder it may not write the socket into: 77, and what to do', async function () {
    if (process.getuid?.() !== 0) return this.skip()
    chmodSync(folder.path, 0o755)
    const { code, stderr } = await corod(['run'], { cwd: folder.path, uid: 65_534 })
    assert.equal(code, 77, stderr)
    assert.match(stderr, /^corod: /)
  })

  it('SIGHUP checks the file again and says what it found', async () => {
    await using daemon = start()
    await daemon.says(/started with 1 nodes/)
    daemon.child.kill('SIGHUP')
    await daemon.says(/is valid \(1 nodes\)/)
    folder.write('corod.yaml', 'nodes: { alpha: 3 }\n')
    daemon.child.kill('SIGHUP')
    await daemon.says(/nodes\.alpha: expected a mapping, got 3/)
    assert.equal(daemon.ended, undefined)
  })
})
