// Every piece of TypeScript that was written by hand into a page compiles, as a project of a user would compile it.
import assert from 'node:assert/strict'
import { cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { Folder, root } from '../support/folder.js'
import { compile, userProject } from './compile.js'
import { fileNameOf, pages } from './page.js'

describe('docs: TypeScript', () => {
  it('compiles on every page', async () => {
    using folder = new Folder()
    const files: string[] = []
    for (const page of pages()) {
      const blocks = page.blocks.filter(({ language }) => language === 'ts')
      if (blocks.length === 0) continue
      const place = page.path.replace(/\W/g, '_')
      mkdirSync(folder.at(place))
      cpSync(join(root, 'docs', 'examples', 'beacon.ts'), folder.at(`${place}/beacon.ts`))
      for (const [i, { text }] of blocks.entries())
        files.push(folder.write(`${place}/${fileNameOf(text) ?? `block${i}.ts`}`, text))
    }
    assert.ok(files.length > 25, `${files.length} blocks`)
    assert.equal(new Set(files).size, files.length, 'two blocks of a page have one name')
    userProject(folder)
    assert.equal(await compile(folder, files), '')
  }).timeout(60_000)
})
