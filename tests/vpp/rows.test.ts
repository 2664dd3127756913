// rows.test.ts: the C of docs/coming-from-c-and-rust.md, compiled as one plugin, loaded, and its node seen by VPP.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { Page } from '../docs/page.js'
import { Folder } from '../support/folder.js'
import { findVpp, needVpp, Vpp, vppEnvironment } from './vpp.js'

const cmake = `cmake_minimum_required(VERSION 3.16)
project(rows C)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY \${CMAKE_BINARY_DIR}/lib)
find_package(VPP REQUIRED)
add_vpp_plugin(rows SOURCES rows.c)
target_compile_options(rows_plugin PRIVATE -Wno-unused-function)
`

const head = `#include <vlib/vlib.h>
#include <vnet/vnet.h>
#include <vnet/plugin/plugin.h>
VLIB_PLUGIN_REGISTER () = { .version = "1.0", .description = "rows" };
`

function run(program: string, ...args: string[]): void {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', env: vppEnvironment() })
  assert.equal(status, 0, `${program} ${args.join(' ')}\n${stdout}${stderr}`)
}

describe('vpp: the C in docs/coming-from-c-and-rust.md', function () {
  this.timeout(120_000)
  const folder = new Folder()
  before(function () {
    needVpp(this)
  })
  after(() => folder[Symbol.dispose]())

  it('compiles, loads, and its node is a process node', async () => {
    const blocks = new Page('docs/coming-from-c-and-rust.md').blocks.filter(({ language }) => language === 'c')
    assert.ok(blocks.length >= 7, `${blocks.length} blocks of C`)
    folder.write('CMakeLists.txt', cmake)
    folder.write('rows.c', [head, ...blocks.map(({ text }) => text)].join('\n'))
    const build = folder.at('build')
    run('cmake', '-S', folder.path, '-B', build, `-DCMAKE_PREFIX_PATH=${findVpp()}`)
    run('cmake', '--build', build)
    await using vpp = await Vpp.start({ plugins: ['rows'], folders: [join(build, 'lib', 'vpp_plugins')] })
    assert.match(await vpp.cli('show runtime pulse'), /pulse\s+"event wait"/)
  })
})
