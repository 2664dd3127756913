// docs.test.ts: the plugin printed in docs/vpp.md, compiled as printed, loaded, and heard by the node.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Folder, root } from '../support/folder.js'
import { waitFor } from '../support/wait.js'
import { Daemon } from './daemon.js'
import { findVpp, needVpp, Vpp, vppEnvironment } from './vpp.js'

function run(program: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', env: vppEnvironment() })
  assert.equal(status, 0, `${program} ${args.join(' ')}\n${stdout}${stderr}`)
  return stdout
}

/** The code blocks of a page, by language. */
function block(page: string, language: string): string {
  const found = new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'm').exec(page)
  assert.ok(found, `a block of ${language}`)
  return found[1] as string
}

describe('vpp: the plugin in docs/vpp.md', function () {
  this.timeout(120_000)
  const folder = new Folder()
  before(function () {
    needVpp(this)
  })
  after(() => folder[Symbol.dispose]())

  it('compiles, loads, and its alarm reaches the node', async () => {
    const page = readFileSync(join(root, 'docs', 'vpp.md'), 'utf8')
    folder.write('CMakeLists.txt', block(page, 'cmake'))
    folder.write('alarm.c', block(page, 'c'))
    const installed = folder.at('include/corod')
    mkdirSync(installed, { recursive: true })
    copyFileSync(join(root, 'shim-plugin', 'vpp', 'export.h'), join(installed, 'export.h'))
    const watch = join(root, 'dist', 'tests', 'vpp', 'nodes', 'watch.js')
    const config = folder.write('corod.yaml', JSON.stringify({ nodes: { watch: { module: watch } } }))
    folder.write('watch.h', run(process.execPath, join(root, 'bin', 'corod'), 'header', 'watch', '-c', config))
    const build = folder.at('build')
    run(
      'cmake',
      '-S',
      folder.path,
      '-B',
      build,
      `-DCMAKE_PREFIX_PATH=${findVpp()}`,
      `-DCMAKE_C_FLAGS=-I${folder.at('include')}`,
    )
    run('cmake', '--build', build)

    await using vpp = await Vpp.start({ plugins: ['alarm'], folders: [join(build, 'lib', 'vpp_plugins')] })
    assert.match(await vpp.cli('alarm 7 fire'), /watch: no such node/)
    await using daemon = new Daemon(vpp.socket, { watch: { module: 'watch.js' } })
    await daemon.running()
    assert.equal(await vpp.cli('alarm 7 fire'), '')
    const [alarm] = await waitFor('the alarm', () => {
      const all = daemon.lines<{ port: number; text: string }>('watch')
      return all.length === 1 ? all : undefined
    })
    assert.deepEqual([alarm?.port, alarm?.text], [7, 'fire'])
  })
})
