import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../../../daemon/config/load.js'
import { ConfigError } from '../../../daemon/config/problems.js'
import { type LoadedNode, loadNodes } from '../../../daemon/host/modules/loader.js'
import { Folder, root } from '../../support/folder.js'

const node = (body = '', more = '') => `
import { message, processNode } from 'corod'
export default processNode({ messages: { go: message(1) }, ${more} async run(vm: any, node: any) { ${body} } })
`
const script = (text: string) => text.replaceAll(': any', '')

/** Loads the files of a folder as the given nodes. */
async function load(files: Record<string, string>, yaml: string, inProject = true): Promise<readonly LoadedNode[]> {
  using folder = new Folder()
  if (inProject) {
    folder.write('package.json', '{"type":"module"}')
    mkdirSync(folder.at('node_modules'))
    symlinkSync(root, folder.at('node_modules/corod'))
    symlinkSync(join(root, 'node_modules', 'yaml'), folder.at('node_modules/yaml'))
  }
  for (const [name, text] of Object.entries(files)) folder.write(name, text)
  return await loadNodes(loadConfig(folder.write('corod.yaml', yaml)))
}

/** The faults as `line:col path: message`. */
async function faults(files: Record<string, string>, yaml: string): Promise<string[]> {
  const error = await load(files, yaml).then(
    () => assert.fail('it loaded'),
    (error: unknown) => error,
  )
  if (!(error instanceof ConfigError)) throw error
  return error.problems.map(({ line, col, path, message }) => `${line}:${col} ${path}: ${message}`)
}

function leftovers(): string[] {
  return readdirSync(tmpdir()).filter(name => name.startsWith('corod-modules-'))
}

/** What the run function of a loaded node gives. */
function run(loaded: LoadedNode | undefined): unknown {
  return loaded!.definition.run({} as never, {} as never)
}

describe('loader', function () {
  this.timeout(30_000)
  const { TMPDIR } = process.env
  let temporary: Folder
  beforeEach(() => {
    temporary = new Folder()
    process.env.TMPDIR = temporary.path
  })
  afterEach(() => {
    if (TMPDIR === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = TMPDIR
    temporary[Symbol.dispose]()
  })

  it('loads TypeScript and what it imports', async () => {
    const nodes = await load(
      {
        'a.ts': `import { twice } from './lib.js'\n${node('return twice(21)')}`,
        'lib.ts': 'export const twice = (n: number): number => 2 * n',
      },
      'nodes: { a: { module: ./a.ts } }',
    )
    assert.equal(await run(nodes[0]), 42)
    assert.deepEqual(leftovers(), [])
  })

  it('lowers `using`, which older Nodes do not know', async () => {
    const body =
      "const seen: string[] = []; { using _x = { [Symbol.dispose]() { seen.push('disposed') } } } return seen"
    const nodes = await load({ 'a.ts': node(body) }, 'nodes: { a: { module: ./a.ts } }')
    assert.deepEqual(await run(nodes[0]), ['disposed'])
  })

  it('loads .js and .mjs as Node does', async () => {
    const nodes = await load(
      {
        'a.js': `import { b } from './b.mjs'\n${script(node('return b'))}`,
        'b.mjs': 'export const b = import.meta.url',
        'c.mjs': script(node('return 3')),
      },
      'nodes: { a: { module: ./a.js }, c: { module: ./c.mjs } }',
    )
    assert.match(String(await run(nodes[0])), /^file:.*b\.mjs$/)
    assert.equal(await run(nodes[1]), 3)
  })

  it("gives a script outside of any project this package as 'corod'", async () => {
    const nodes = await load({ 'a.mjs': script(node('return 1')) }, 'nodes: { a: { module: ./a.mjs } }', false)
    assert.equal(await run(nodes[0]), 1)
    assert.deepEqual(leftovers(), [])
  })

  it('lets two nodes use one module, and two modules share a third', async () => {
    const nodes = await load(
      {
        'a.ts': `import { next } from './shared.js'\n${node('return next()')}`,
        'b.ts': `import { next } from './shared.js'\n${node('return next()')}`,
        'shared.ts': 'let n = 0\nexport const next = (): number => ++n',
      },
      'nodes:\n  a1: { module: ./a.ts, options: { x: 1 } }\n  a2: { module: ./a.ts, options: { x: 2 } }\n  b: { module: ./b.ts }',
    )
    assert.deepEqual(
      nodes.map(({ options }) => options),
      [{ x: 1 }, { x: 2 }, {}],
    )
    assert.equal(nodes[0]!.definition, nodes[1]!.definition)
    assert.deepEqual(await Promise.all(nodes.map(run)), [1, 2, 3])
  })

  it('shares scripts and packages between TypeScript and JavaScript', async () => {
    const nodes = await load(
      {
        'a.ts': `import { next } from './shared.js'\nimport { parse } from 'yaml'\n${node('return [next(), parse("[7]")]')}`,
        'b.js': `import { next } from './shared.js'\n${script(node('return [next()]'))}`,
        'shared.js': 'let n = 0\nexport const next = () => ++n',
      },
      'nodes: { a: { module: ./a.ts }, b: { module: ./b.js } }',
    )
    assert.deepEqual(await Promise.all(nodes.map(run)), [[1, [7]], [2]])
  })

  it('tells a TypeScript module where it is', async () => {
    const nodes = await load(
      { 'a.ts': node('return [import.meta.url, import.meta.filename]') },
      'nodes: { a: { module: ./a.ts } }',
    )
    const [url, filename] = (await run(nodes[0])) as string[]
    assert.equal(url, `file://${filename}`)
    assert.match(filename!, /corod-\w+\/a\.ts$/)
  })

  it('keeps parts that are imported only later', async () => {
    const nodes = await load(
      { 'a.ts': node("return (await import('./later.js')).value"), 'later.ts': 'export const value: number = 5' },
      'nodes: { a: { module: ./a.ts } }',
    )
    assert.equal(await run(nodes[0]), 5)
  })

  it('has stacks name the lines of the TypeScript', async () => {
    const nodes = await load(
      { 'a.ts': `interface Padding {\n  a: string\n}\n${node("\n    throw new Error('here')\n")}` },
      'nodes: { a: { module: ./a.ts } }',
    )
    const error = (await (run(nodes[0]) as Promise<unknown>).catch((error: unknown) => error)) as Error
    assert.match(error.stack!, /\/a\.ts:7:\d+/)
  })

  it('checks options by the schema of the node, with places of the YAML', async () => {
    const schema = `options: { '~standard': { version: 1, vendor: 'test', validate: (value: any) => typeof value.every === 'number'
      ? { value: { every: value.every * 2 } } : { issues: [{ message: 'must be a number', path: ['every'] }] } } },`
    const files = { 'a.ts': node('', schema) }
    const [loaded] = await load(files, 'nodes: { a: { module: ./a.ts, options: { every: 4 } } }')
    assert.deepEqual(loaded!.options, { every: 8 })
    const wrong = await faults(files, 'nodes:\n  a:\n    module: ./a.ts\n    options:\n      every: fast')
    assert.deepEqual(wrong, ['5:14 nodes.a.options.every: must be a number'])
  })

  it('says everything that is wrong with modules at once, at its place in the YAML', async () => {
    const problems = await faults(
      {
        'syntax.ts': 'export default {\n  a: 1,\n  b: = 2\n}',
        'syntax.js': 'export const a = 1\nexport default {{',
        'no-default.ts': 'export const a = 1',
        'not-a-node.mjs': 'export default { run() {} }',
        'throws.ts': '\nthrow new Error("cannot\\nstart")',
        'import.ts': `import { x } from './not-there.js'\nexport default x`,
        'package.ts': `import x from 'no-such-package-at-all'\nexport default x`,
        'table.ts': `import { message, processNode } from 'corod'\nexport default processNode({ messages: { a: message(1), b: message(1) }, async run() {} })`,
        'fine.ts': node(),
      },
      `nodes:
  missing: { module: ./missing.ts }
  folder:
    module: ./node_modules/x.js
  syntax-ts: { module: ./syntax.ts }
  syntax-js: { module: ./syntax.js }
  no-default: { module: ./no-default.ts }
  not-a-node: { module: ./not-a-node.mjs }
  throws: { module: ./throws.ts }
  import: { module: ./import.ts }
  package: { module: ./package.ts }
  table: { module: ./table.ts }
  fine: { module: ./fine.ts }
  fine-too: { module: ./fine.ts }
`,
    )
    const expected = [
      /^2:22 nodes\.missing\.module: there is no file \S+\/missing\.ts$/,
      /^4:13 nodes\.folder\.module: there is no file \S+x\.js$/,
      /^5:24 nodes\.syntax-ts\.module: \S+syntax\.ts:3:6: Unexpected "="$/,
      /^6:24 nodes\.syntax-js\.module: \S+syntax\.js:2:17: Expected identifier but found /,
      /^7:25 nodes\.no-default\.module: \S+no-default\.ts has no default export: write {2}export default processNode/,
      /^8:25 nodes\.not-a-node\.module: the default export of \S+not-a-node\.mjs is no process node: write/,
      /^9:21 nodes\.throws\.module: \S+throws\.ts:2:7: Error: cannot start$/,
      /^10:21 nodes\.import\.module: \S+import\.ts:1:19: Could not resolve "\.\/not-there\.js"$/,
      /^11:22 nodes\.package\.module: \S+package\.ts:1:15: Could not resolve "no-such-package-at-all"$/,
      /^12:20 nodes\.table\.module: \S+table\.ts:2:\d+: MessageTableError: message "b": code 1 is already that of "a"$/,
    ]
    assert.equal(problems.length, expected.length, problems.join('\n'))
    for (const [i, pattern] of expected.entries()) assert.match(problems[i]!, pattern)
    assert.deepEqual(leftovers(), [])
  })
})
