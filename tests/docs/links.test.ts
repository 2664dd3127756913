// Links between the pages, and from them into the project, lead somewhere; and every page can be found from the first.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from '../support/folder.js'
import { pages } from './page.js'

const all = pages()
const byPath = new Map(all.map(page => [page.path, page]))

describe('docs: links', () => {
  for (const page of all)
    it(`of ${page.path} lead somewhere`, () => {
      const broken = page.links.filter(link => {
        const [file = '', anchor] = link.split('#')
        const path = file === '' ? page.path : join(dirname(page.path), file)
        if (!existsSync(join(root, path))) return true
        return anchor !== undefined && byPath.get(path)?.anchors.has(anchor) === false
      })
      assert.deepEqual(broken, [])
    })

  it('lead from the README to every page', () => {
    const found = new Set(['README.md'])
    for (const path of found) {
      for (const link of byPath.get(path)?.links ?? []) {
        const target = join(dirname(path), link.split('#')[0]!)
        if (byPath.has(target)) found.add(target)
      }
    }
    assert.deepEqual(
      [...byPath.keys()].filter(path => !found.has(path) && path !== 'CHANGELOG.md'),
      [],
    )
  })
})
