import assert from 'node:assert/strict'
import { Folder } from '../support/folder.js'
import { canBeNobody, nobody } from '../support/nobody.js'
import { corod } from './corod.js'

const nothing = `import { message, processNode } from 'corod'
export default processNode({
  messages: { on: message(1) },
  async run(vm, node) {
    for await (const _ of node.inbox) continue
  },
})
`

const talker = `import { call, message, processNode, u32 } from 'corod'
const store = { set: message(1, { n: u32 }) }
export default processNode({
  messages: { get: call(1, { key: u32 }, { value: u32 }), put: message(2, { key: u32 }) },
  peers: { db: store },
  options: { '~standard': { version: 1, vendor: 'test', validate: () => ({ issues: [{ message: 'no' }] }) } },
  async run() {},
})
`

describe('cli: check', () => {
  let folder: Folder
  beforeEach(() => {
    folder = new Folder()
  })
  afterEach(() => folder[Symbol.dispose]())

  const check = (yaml: string, ...args: string[]) => corod(['check', '-c', folder.write('c.yaml', yaml), ...args])

  it('a good configuration: one line and 0', async () => {
    folder.write('a.mjs', nothing)
    const { code, stdout, stderr } = await check('nodes: { a: { module: a.mjs }, b: { module: a.mjs } }')
    assert.deepEqual([code, stdout, stderr], [0, `${folder.at('c.yaml')}: ok, 2 nodes\n`, ''])
  })

  it('--quiet: nothing and 0', async () => {
    folder.write('a.mjs', nothing)
    const { code, stdout, stderr } = await check('nodes: { a: { module: a.mjs } }', '--quiet')
    assert.deepEqual([code, stdout, stderr], [0, '', ''])
  })

  it('--json: what was found, as one object', async () => {
    folder.write('a.mjs', nothing)
    const good = await check('nodes: { a: { module: a.mjs } }', '--json')
    assert.deepEqual([good.code, good.stderr], [0, ''])
    assert.deepEqual(good.json(), { ok: true, file: folder.at('c.yaml'), nodes: ['a'], problems: [] })
    const bad = await check('nods: {}\nnodes: {}', '--json')
    assert.deepEqual([bad.code, bad.stderr], [78, ''])
    const message = "unknown key, did you mean 'nodes'?"
    const problem = { file: folder.at('c.yaml'), line: 1, col: 1, path: 'nods', message }
    assert.deepEqual(bad.json(), { ok: false, problems: [problem] })
  })

  it('faults of the file: all of them on standard error, each in one line, and 78', async () => {
    const file = folder.at('c.yaml')
    const { code, stdout, stderr } = await check('host: { socket: 3 }\nnodes:\n  a: { modul: a.js }\n')
    assert.deepEqual([code, stdout], [78, ''])
    assert.deepEqual(stderr.trimEnd().split('\n'), [
      `${file}:1:17: host.socket: expected text, got 3`,
      `${file}:3:6: nodes.a.module: is missing: the module whose default export is the node, .js, .mjs or .ts; several nodes may use one`,
      `${file}:3:8: nodes.a.modul: unknown key, did you mean 'module'?`,
    ])
  })

  it('faults of modules: all of them, at the keys that name them, and 78', async () => {
    folder.write('bare.mjs', 'export const x = 1\n')
    folder.write('other.mjs', 'export default { run() {} }\n')
    folder.write('broken.mjs', 'export default {{\n')
    folder.write('throws.mjs', "throw new Error('no luck')\n")
    folder.write('types.ts', 'const x: = 1\n')
    const names = ['none.mjs', 'bare.mjs', 'other.mjs', 'broken.mjs', 'throws.mjs', 'types.ts']
    const nodes = names.map((name, i) => `  n${i}:\n    module: ${name}\n`)
    const { code, stdout, stderr } = await check(`nodes:\n${nodes.join('')}`)
    assert.deepEqual([code, stdout], [78, ''])
    const lines = stderr.trimEnd().split('\n')
    assert.equal(lines.length, names.length, stderr)
    for (const [i, name] of names.entries()) {
      assert.ok(lines[i]?.startsWith(`${folder.at('c.yaml')}:${3 + 2 * i}:13: nodes.n${i}.module: `), lines[i])
      assert.ok(lines[i]?.includes(name), lines[i])
    }
  })

  it('--no-environment loads no module', async () => {
    folder.write('a.mjs', "throw new Error('was loaded')\n")
    const { code, stdout } = await check('nodes: { a: { module: a.mjs }, b: { module: none.js } }', '--no-environment')
    assert.deepEqual([code, stdout], [0, `${folder.at('c.yaml')}: ok, 2 nodes\n`])
  })

  it('a module that leaves a timer behind does not keep the program', async () => {
    folder.write('a.mjs', `setInterval(() => {}, 1000)\n${nothing}`)
    assert.equal((await check('nodes: { a: { module: a.mjs } }')).code, 0)
  })

  it('without --config: corod.yaml of the current folder', async () => {
    folder.write('a.mjs', nothing)
    folder.write('corod.yaml', 'nodes: { a: { module: a.mjs } }')
    const { code, stdout } = await corod(['check'], { cwd: folder.path })
    assert.deepEqual([code, stdout], [0, 'corod.yaml: ok, 1 node\n'])
  })

  it('a file that cannot be read: 78, and why', async () => {
    for (const [path, why] of [
      [folder.at('none.yaml'), /:1:1: no such file: name another with --config FILE\n$/],
      [folder.path, /:1:1: this is a folder/],
    ] as const) {
      const { code, stderr } = await corod(['check', '-c', path])
      assert.equal(code, 78)
      assert.match(stderr, why)
    }
  })

  it('a file without permission: 78, and why', async function () {
    if (!canBeNobody()) return this.skip()
    folder.write('c.yaml', 'nodes: {}')
    const { code, stderr } = await corod(['check', '-c', folder.at('c.yaml')], { uid: nobody, cwd: '/' })
    assert.equal(code, 78)
    assert.match(stderr, /no permission to read this file/)
  })
})

describe('cli: schema of a node', () => {
  it('says what may be sent to it, whatever is wrong with its options and peers', async () => {
    using folder = new Folder()
    folder.write('a.mjs', talker)
    folder.write('corod.yaml', 'nodes: { alpha: { module: a.mjs, options: { every: wrong }, peers: { db: nobody } } }')
    const schema = (...args: string[]) => corod(['schema', ...args], { cwd: folder.path })
    const text = await schema('alpha')
    assert.deepEqual([text.code, text.stderr], [0, ''])
    const made = text.json<{ oneOf: { title: string }[]; $defs: Record<string, { required: string[] }> }>()
    assert.deepEqual(
      made.oneOf.map(one => one.title),
      ['get', 'put'],
    )
    assert.deepEqual(made.$defs['get.reply']?.required, ['value'])
    assert.deepEqual((await schema('alpha', '--json')).json(), made)
    const unknown = await schema('alfa')
    assert.deepEqual([unknown.code, unknown.stdout], [1, ''])
    assert.match(unknown.stderr, /no node 'alfa': did you mean alpha\?/)
  })
})

describe('cli: header', () => {
  let folder: Folder
  beforeEach(() => {
    folder = new Folder()
    folder.write('a.mjs', nothing)
    folder.write('corod.yaml', 'nodes: { alpha: { module: a.mjs } }')
  })
  afterEach(() => folder[Symbol.dispose]())

  const header = (...args: string[]) => corod(['header', ...args], { cwd: folder.path })

  it('prints the header of a node', async () => {
    const { code, stdout, stderr } = await header('alpha')
    assert.deepEqual([code, stderr], [0, ''])
    assert.match(stdout, /^#ifndef /m)
    assert.match(stdout, /alpha/i)
  })

  it('--json: name and header as one object', async () => {
    const { stdout } = await header('alpha')
    const json = (await header('alpha', '--json')).json<{ node: string; header: string }>()
    assert.equal(json.node, 'alpha')
    assert.equal(json.header.trimEnd(), stdout.trimEnd())
  })

  it('an unknown node: 1, and which there are', async () => {
    const near = await header('alfa')
    assert.deepEqual([near.code, near.stdout], [1, ''])
    assert.match(near.stderr, /^corod: .*corod\.yaml has no node 'alfa': did you mean alpha\?\n$/)
    assert.match((await header('zzzzzz')).stderr, /it has alpha\n$/)
  })

  it('of a node that has peers and wants options', async () => {
    folder.write('a.mjs', talker)
    const { code, stdout, stderr } = await header('alpha')
    assert.deepEqual([code, stderr], [0, ''])
    assert.match(stdout, /struct alpha_get_reply/)
  })

  it('a module that cannot be loaded: 78, at the key that names it', async () => {
    folder.write('a.mjs', 'throw 1\n')
    const { code, stderr } = await header('alpha')
    assert.equal(code, 78)
    assert.match(stderr, /^corod\.yaml:1:27: nodes\.alpha\.module: /)
  })
})
