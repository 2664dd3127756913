import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Folder, root } from '../support/folder.js'
import { canBeNobody, nobody } from '../support/nobody.js'
import { corod } from './corod.js'

const ours = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string
  dependencies: Record<string, string>
  devDependencies: Record<string, string>
}

/** Everything that is in a folder, by path. */
function tree(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  const paths = files.map(file => join(file.parentPath, file.name)).sort()
  return Object.fromEntries(paths.map(path => [path.slice(folder.length + 1), readFileSync(path, 'utf8')]))
}

/** What npm install would bring, from this repository. */
function install(project: string): void {
  const modules = join(project, 'node_modules')
  mkdirSync(join(modules, '.bin'), { recursive: true })
  symlinkSync(root, join(modules, 'corod'))
  for (const name of ['typescript', '@types', 'zod']) symlinkSync(join(root, 'node_modules', name), join(modules, name))
  symlinkSync(join('..', 'typescript', 'bin', 'tsc'), join(modules, '.bin', 'tsc'))
  symlinkSync(join('..', 'corod', 'bin', 'corod'), join(modules, '.bin', 'corod'))
}

/** Runs a script of the project. Rejects, with its output as the message, if it fails. */
async function npm(project: string, ...args: readonly string[]) {
  // A test that runs tests: the inner ones must not take themselves for a part of the outer ones.
  const { NODE_TEST_CONTEXT: _, NODE_OPTIONS: __, ...env } = process.env
  try {
    return await promisify(execFile)('npm', args, { cwd: project, env, encoding: 'utf8' })
  } catch (error) {
    throw new Error((error as { stdout: string }).stdout, { cause: error })
  }
}

describe('cli: init and new-node', function () {
  this.timeout(120_000)
  let folder: Folder
  beforeEach(() => {
    folder = new Folder()
  })
  afterEach(() => folder[Symbol.dispose]())

  it('a new project, and with one more node: npm test passes, and so does corod check', async () => {
    const project = folder.at('My Nodes')
    const { code, stdout, stderr } = await corod(['init', 'My Nodes'], { cwd: folder.path })
    assert.deepEqual([code, stderr], [0, ''])
    assert.match(stdout, /^Next: cd My Nodes && npm install && npm test$/m)
    install(project)
    const first = await npm(project, 'test')
    assert.match(first.stdout, /^# pass 5$/m)
    assert.match(first.stdout, /^# fail 0$/m)
    assert.equal((await corod(['new-node', 'up_link.2-a'], { cwd: project })).code, 0)
    const second = await npm(project, 'test')
    assert.match(second.stdout, /^# pass 10$/m)
    assert.match(second.stdout, /up_link\.2-a/)
    assert.match((await npm(project, 'run', 'check')).stdout, /^corod\.yaml: ok, 2 nodes$/m)
  })

  it('npm test of a new project fails when the node does not do what its test says, or is wrong in its types', async () => {
    const project = folder.at('p')
    await corod(['init', project])
    install(project)
    const path = join(project, 'nodes', 'hello.ts')
    const text = readFileSync(path, 'utf8')
    folder.write('p/nodes/hello.ts', text.replace('hello $', 'good day $'))
    await assert.rejects(npm(project, 'test'), /# fail 1/)
    folder.write('p/nodes/hello.ts', text.replace("count('greeted')", "count('greted')"))
    await assert.rejects(npm(project, 'test'), /"greted".*is not assignable/)
  })

  it('writes the versions of this corod and of its tools', async () => {
    await corod(['init', folder.at('p')])
    const made = JSON.parse(readFileSync(folder.at('p/package.json'), 'utf8')) as Record<string, Record<string, string>>
    assert.equal(made.dependencies?.corod, `^${ours.version}`)
    for (const name of ['typescript', '@types/node'])
      assert.equal(made.devDependencies?.[name], ours.devDependencies[name], name)
    assert.equal(made.dependencies?.zod, ours.dependencies.zod)
  })

  it('names the package after its folder, as npm wants it', async () => {
    for (const [path, name] of [
      ['.Höh le!', 'h-h-le'],
      ['ÄÖ', 'nodes'],
      ['a.b_c-D', 'a.b_c-d'],
    ] as const) {
      assert.equal((await corod(['init', path], { cwd: folder.path })).code, 0)
      assert.equal(JSON.parse(readFileSync(folder.at(`${path}/package.json`), 'utf8')).name, name)
    }
  })

  it('init: the current folder if none is given; --json tells what was written', async () => {
    const { code, json } = await corod(['init', '--json'], { cwd: folder.path })
    assert.equal(code, 0)
    const written = [
      'package.json',
      'tsconfig.json',
      'corod.yaml',
      'nodes/hello.ts',
      'nodes/hello.test.ts',
      '.gitignore',
    ]
    assert.deepEqual(json(), { folder: folder.path, written })
    assert.deepEqual(Object.keys(tree(folder.path)), written.toSorted())
  })

  it('init: overwrites nothing, and then writes nothing at all', async () => {
    for (const name of ['package.json', 'tsconfig.json', 'corod.yaml', 'nodes/hello.ts', 'nodes/hello.test.ts']) {
      using other = new Folder()
      mkdirSync(other.at('nodes'))
      other.write(name, 'mine')
      const { code, stdout, stderr } = await corod(['init', other.path])
      assert.deepEqual([code, stdout], [1, ''])
      assert.equal(
        stderr,
        `corod: ${other.at(name)} is there already, and nothing was written: move it away, or name another\n`,
      )
      assert.deepEqual(tree(other.path), { [name]: 'mine' })
    }
  })

  it('init: a symbolic link that leads nowhere is not written through', async () => {
    symlinkSync(folder.at('elsewhere'), folder.at('corod.yaml'))
    assert.equal((await corod(['init', folder.path])).code, 1)
    assert.equal(existsSync(folder.at('elsewhere')), false)
  })

  it('init: a .gitignore that is there stays, and other files are in nobody’s way', async () => {
    folder.write('.gitignore', 'mine')
    folder.write('README.md', 'mine')
    assert.equal((await corod(['init', folder.path])).code, 0)
    assert.equal(readFileSync(folder.at('.gitignore'), 'utf8'), 'mine')
    assert.equal(readFileSync(folder.at('README.md'), 'utf8'), 'mine')
  })

  it('init: a folder that cannot be made: 1, why, and nothing is left', async () => {
    folder.write('file', '')
    const { code, stderr } = await corod(['init', folder.at('file/p')])
    assert.equal(code, 1)
    assert.match(stderr, /^corod: .*file.*: (a part of the path is no folder|is there already)\n$/)
  })

  it('init: without permission: 1, and nothing is left', async function () {
    if (!canBeNobody()) return this.skip()
    chmodSync(folder.path, 0o755)
    const { code, stderr } = await corod(['init', folder.at('p')], { uid: nobody, cwd: '/' })
    assert.equal(code, 1)
    assert.match(stderr, /no permission to write it/)
    assert.deepEqual(readdirSync(folder.path), [])
  })

  it('new-node: a name that is none, that is there, that is in the way', async () => {
    await corod(['init', folder.path])
    const before = tree(folder.path)
    const at = { cwd: folder.path }
    const odd = await corod(['new-node', 'a/b'], at)
    assert.deepEqual(
      [odd.code, odd.stderr],
      [2, "corod: 'a/b' is no name for a node, because of '/': use 1 to 63 of A-Z a-z 0-9 _ . -\n"],
    )
    const twice = await corod(['new-node', 'hello'], at)
    assert.equal(twice.code, 1)
    assert.match(twice.stderr, /^corod: corod\.yaml:\d+: the node hello is there already: name another\n$/)
    assert.deepEqual(tree(folder.path), before)
    folder.write('nodes/other.test.ts', 'mine')
    const taken = await corod(['new-node', 'other'], at)
    assert.equal(taken.code, 1)
    assert.match(taken.stderr, /nodes\/other\.test\.ts is there already, and nothing was written/)
    assert.deepEqual(tree(folder.path), { ...before, 'nodes/other.test.ts': 'mine' })
  })

  it('new-node: says what the project lacks for the node', async () => {
    const project = folder.at('p')
    await corod(['init', project])
    assert.doesNotMatch((await corod(['new-node', 'one'], { cwd: project })).stdout, /npm install/)
    folder.write('p/package.json', '{ "dependencies": { "corod": "^0.1.0" } }')
    assert.match((await corod(['new-node', 'two'], { cwd: project })).stdout, /^Next: npm install zod$/m)
  })

  it('new-node: without a configuration: 78, and what to do', async () => {
    const { code, stderr } = await corod(['new-node', 'a'], { cwd: folder.path })
    assert.deepEqual([code, stderr], [78, 'corod.yaml:1:1: no such file: corod init makes a project\n'])
  })

  it('new-node: the configuration that is named, its files beside it, its mode kept', async () => {
    mkdirSync(folder.at('etc'))
    folder.write('etc/c.yaml', '# mine\nnodes: {}\n')
    chmodSync(folder.at('etc/c.yaml'), 0o640)
    symlinkSync('etc/c.yaml', folder.at('link.yaml'))
    const { code, json } = await corod(['new-node', 'a', '-c', 'etc/c.yaml', '--json'], { cwd: folder.path })
    assert.equal(code, 0)
    assert.deepEqual(json(), { node: 'a', config: 'etc/c.yaml', written: ['etc/nodes/a.ts', 'etc/nodes/a.test.ts'] })
    assert.equal(readFileSync(folder.at('etc/c.yaml'), 'utf8'), '# mine\nnodes:\n  a:\n    module: ./nodes/a.ts\n')
    assert.equal(statSync(folder.at('etc/c.yaml')).mode & 0o777, 0o640)
    assert.deepEqual(readdirSync(folder.at('etc')).sort(), ['c.yaml', 'nodes'])
  })

  it('new-node: a configuration that is no YAML: 78, the place, and no file is written', async () => {
    folder.write('corod.yaml', 'nodes:\n\ta: {}\n')
    const { code, stderr } = await corod(['new-node', 'b'], { cwd: folder.path })
    assert.equal(code, 78)
    assert.match(stderr, /^corod\.yaml:2:1: a tab is used to indent/)
    assert.deepEqual(readdirSync(folder.path), ['corod.yaml'])
  })

  it('new-node: a configuration that cannot be replaced: 1, and no file is left', async function () {
    if (!canBeNobody()) return this.skip()
    mkdirSync(folder.at('nodes'))
    folder.write('corod.yaml', 'nodes: {}\n')
    chmodSync(folder.path, 0o755)
    chmodSync(folder.at('nodes'), 0o777)
    const { code, stderr } = await corod(['new-node', 'a'], { uid: nobody, cwd: folder.path })
    assert.equal(code, 1)
    assert.match(stderr, /no permission to write it/)
    assert.deepEqual(tree(folder.path), { 'corod.yaml': 'nodes: {}\n' })
  })
})
