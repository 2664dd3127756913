// Modules loaded again: what changed is another instance, what did not is the same one.
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { ModuleError } from '../../../daemon/host/modules/import.js'
import { type LoadedModule, Modules } from '../../../daemon/host/modules/modules.js'
import { Folder, root } from '../../support/folder.js'

const node = (body: string) => `
import { message, processNode } from 'corod'
export default processNode({ messages: { go: message(1) }, run: (async () => { ${body} }) as any })
`
const script = (body: string) => node(body).replace(' as any', '')

describe('modules, loaded again', function () {
  this.timeout(60_000)
  const { TMPDIR } = process.env
  let temporary: Folder
  let folder: Folder
  let modules: Modules

  beforeEach(() => {
    temporary = new Folder()
    process.env.TMPDIR = temporary.path
    folder = new Folder()
    folder.write('package.json', '{"type":"module"}')
    mkdirSync(folder.at('node_modules'))
    symlinkSync(root, folder.at('node_modules/corod'))
    modules = new Modules()
  })
  afterEach(() => {
    modules.close()
    folder[Symbol.dispose]()
    if (TMPDIR === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = TMPDIR
    assert.deepEqual(
      readdirSync(temporary.path).filter(name => name.startsWith('corod-modules')),
      [],
    )
    temporary[Symbol.dispose]()
  })

  /** Loads files of the folder, all of which must be sound. */
  async function load(...names: string[]): Promise<LoadedModule[]> {
    const { modules: found } = await modules.load(names.map(name => folder.at(name)))
    return names.map(name => {
      const module = found.get(folder.at(name))
      if (module === undefined || module instanceof ModuleError) throw module ?? new Error(`no ${name}`)
      return module
    })
  }
  const run = ({ definition }: LoadedModule): unknown => definition.run({} as never, {} as never)
  async function fault(name: string): Promise<ModuleError> {
    const { modules: found } = await modules.load([folder.at(name)])
    const module = found.get(folder.at(name))
    assert.ok(module instanceof ModuleError)
    return module
  }

  for (const kind of ['ts', 'js'] as const) {
    const write = kind === 'ts' ? node : script

    it(`a .${kind} module that did not change is the same instance`, async () => {
      folder.write(`a.${kind}`, write('return 1'))
      const [first] = await load(`a.${kind}`)
      const [second] = await load(`a.${kind}`)
      assert.equal(second!.definition, first!.definition)
      assert.equal(second!.url, first!.url)
    })

    it(`a .${kind} module that changed is another one, and back again the first`, async () => {
      folder.write(`a.${kind}`, write('return 1'))
      const [first] = await load(`a.${kind}`)
      folder.write(`a.${kind}`, write('return 2'))
      const [second] = await load(`a.${kind}`)
      assert.notEqual(second!.url, first!.url)
      assert.deepEqual([await run(first!), await run(second!)], [1, 2])
      folder.write(`a.${kind}`, write('return 1'))
      assert.equal((await load(`a.${kind}`))[0]!.definition, first!.definition)
    })

    it(`a change two imports deep changes the .${kind} modules that see it, and no other`, async () => {
      const names = [`a.${kind}`, `b.${kind}`, `c.${kind}`]
      folder.write(names[0]!, `import { inner } from './lib.js'\n${write('return inner()')}`)
      folder.write(names[1]!, `import { state } from './state.js'\n${write('return ++state.n')}`)
      folder.write(
        names[2]!,
        `import { inner } from './lib.js'\nimport { state } from './state.js'\n${write('return [inner(), ++state.n]')}`,
      )
      folder.write(`lib.${kind}`, `import { deep } from './deep.js'\nexport const inner = () => deep`)
      folder.write(`deep.${kind}`, 'export const deep = 1')
      folder.write(`state.${kind}`, 'export const state = { n: 0 }')
      const before = await load(...names)
      assert.deepEqual(await Promise.all(before.map(run)), [1, 1, [1, 2]])
      folder.write(`deep.${kind}`, 'export const deep = 2')
      const after = await load(...names)
      assert.deepEqual(
        after.map((module, i) => module.url !== before[i]!.url),
        [true, false, true],
      )
      // What they share and did not change, they go on sharing.
      assert.deepEqual(await Promise.all(after.map(run)), [2, 3, [2, 4]])
    })

    it(`a new .${kind} module that uses a file of another does not change that one`, async () => {
      folder.write(`a.${kind}`, `import { next } from './lib.js'\n${write('return next()')}`)
      folder.write(`b.${kind}`, `import { next } from './lib.js'\n${write('return next()')}`)
      folder.write(`lib.${kind}`, 'let n = 0\nexport const next = () => ++n')
      const [alone] = await load(`a.${kind}`)
      assert.equal(await run(alone!), 1)
      const [a, b] = await load(`a.${kind}`, `b.${kind}`)
      assert.equal(a!.definition, alone!.definition)
      assert.equal(await run(b!), 2)
    })

    it(`a .${kind} module that failed is tried again, also if it did not change`, async () => {
      const flag = folder.at('flag')
      const wants = `import { existsSync } from 'node:fs'\nif (!existsSync('${flag}')) throw new Error('no flag')`
      folder.write(`lib.${kind}`, `${wants}\nexport const x = 1`)
      folder.write(`a.${kind}`, `import { x } from './lib.js'\n${write('return x')}`)
      assert.match((await fault(`a.${kind}`)).message, new RegExp(`lib\\.${kind}:2:\\d+: Error: no flag`))
      assert.match((await fault(`a.${kind}`)).message, /no flag/)
      folder.write('flag', '')
      const [a] = await load(`a.${kind}`)
      assert.equal(await run(a!), 1)
      assert.equal((await load(`a.${kind}`))[0]!.url, a!.url)
    })

    it(`says where in a .${kind} module the fault is`, async () => {
      folder.write(`a.${kind}`, write('return 1'))
      await load(`a.${kind}`)
      folder.write(`a.${kind}`, `const a = 1\nexport default {{`)
      const { source, message } = await fault(`a.${kind}`)
      assert.deepEqual(source, { file: folder.at(`a.${kind}`), line: 2, col: 17 })
      assert.ok(message.startsWith(`${folder.at(`a.${kind}`)}:2:17: `), message)
      folder.write(`a.${kind}`, '\n\n    throw new Error("at the top")')
      const thrown = await fault(`a.${kind}`)
      assert.deepEqual([thrown.source?.file, thrown.source?.line], [folder.at(`a.${kind}`), 3])
    })
  }

  it('a script that TypeScript imports is loaded afresh when it changed', async () => {
    folder.write('a.ts', `import { x } from './x.js'\n${node('return x')}`)
    folder.write('b.js', `import { x } from './x.js'\n${script('return x')}`)
    folder.write('x.js', 'export const x = { n: 1 }')
    const before = await Promise.all((await load('a.ts', 'b.js')).map(run))
    assert.equal(before[0], before[1])
    folder.write('x.js', 'export const x = { n: 2 }')
    const after = await Promise.all((await load('a.ts', 'b.js')).map(run))
    assert.deepEqual(after, [{ n: 2 }, { n: 2 }])
    assert.equal(after[0], after[1])
  })

  it('names every file that the modules are made of', async () => {
    folder.write('a.ts', `import data from './d.json' with { type: 'json' }\nimport './x.js'\n${node('return data')}`)
    folder.write('d.json', '{}')
    folder.write('x.js', "import './y.mjs'")
    folder.write('y.mjs', '')
    const { files } = await modules.load([folder.at('a.ts')])
    assert.deepEqual(
      files,
      ['a.ts', 'd.json', 'x.js', 'y.mjs'].map(name => folder.at(name)),
    )
  })

  it('what is imported by other threads stays until the end', async () => {
    folder.write('a.ts', node('return 1'))
    const { modules: found } = await modules.load([folder.at('a.ts')], true)
    const { url } = found.get(folder.at('a.ts')) as LoadedModule
    assert.ok(existsSync(new URL(url)))
    folder.write('a.ts', node('return 2'))
    await modules.load([folder.at('a.ts')])
    assert.ok(existsSync(new URL(url)))
    assert.ok(url.includes(tmpdir()))
    modules.close()
    assert.ok(!existsSync(new URL(url)))
  })
})
