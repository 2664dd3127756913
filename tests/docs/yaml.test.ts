// Every configuration on a page is one.
import assert from 'node:assert/strict'
import { loadConfig } from '../../daemon/config/load.js'
import { ConfigError } from '../../daemon/config/problems.js'
import { Folder } from '../support/folder.js'
import { pages } from './page.js'

const blocks = pages().flatMap(page =>
  page.blocks.filter(({ language }) => language === 'yaml').map(({ text, heading }) => ({ page, text, heading })),
)

describe('docs: YAML', () => {
  for (const [i, { page, text, heading }] of blocks.entries())
    it(`of ${page.path}, "${heading}" (${i}), is a configuration`, () => {
      using folder = new Folder()
      // Modules are not loaded here: whether they are there is not the matter.
      assert.ok(loadConfig(folder.write('corod.yaml', text)).nodes.length > 0)
    })

  it('would not be with a key that is none', () => {
    using folder = new Folder()
    assert.ok(blocks.length >= 8)
    const file = folder.write('corod.yaml', blocks[0]!.text.replace('module:', 'modul:'))
    assert.throws(() => loadConfig(file), ConfigError)
  })
})
