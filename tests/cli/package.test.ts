// What `npm pack` puts into the package: everything that a machine without a compiler needs, and nothing else.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../support/folder.js'
import { Program } from '../support/program.js'

describe('the npm package', function () {
  this.timeout(60_000)
  const files = new Set<string>()
  before(async () => {
    await using npm = new Program('npm', ['pack', '--dry-run', '--json', '--ignore-scripts', '--offline'], {
      cwd: root,
    })
    assert.equal((await npm.exit).code, 0, npm.output)
    for (const { path } of JSON.parse(npm.stdout)[0].files) files.add(path)
  })

  it('has the program, its addon, the standalone host, and what `corod init` copies', () => {
    const needed = ['bin/corod', 'dist/daemon/main.js', 'build/shm/corod.node', 'build/release/corod-standalone']
    needed.push(
      'systemd/corod.service',
      'templates/project/package.json',
      'README.md',
      'LICENSE',
      'shim-plugin/vpp/export.h',
    )
    for (const { default: code, types } of Object.values(exported())) needed.push(code.slice(2), types.slice(2))
    assert.deepEqual(
      needed.filter(path => !files.has(path)),
      [],
    )
    assert.ok(needed.every(path => existsSync(join(root, path))))
  })

  it('has no tests, no generator of documentation, and nothing else that was built', () => {
    const unwanted =
      /^(tests|dist\/tests|dist\/docs|dist\/daemon\/reference|build\/(?!shm\/corod\.node|release\/corod-standalone))/
    assert.deepEqual(
      [...files].filter(path => unwanted.test(path) || path.startsWith('dist/daemon/cli/docs.')),
      [],
    )
  })

  function exported(): Record<string, { readonly types: string; readonly default: string }> {
    return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).exports
  }
})
