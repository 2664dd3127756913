import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { ProjectWatch } from '../../daemon/cli/dev/watch.js'
import { Folder } from '../support/folder.js'
import { waitFor } from '../support/wait.js'

describe('cli: watching a project', () => {
  let folder: Folder
  let watch: ProjectWatch
  let seen: string[][]
  let poor: string[]

  beforeEach(() => {
    folder = new Folder()
    for (const name of ['project/nodes', 'project/node_modules/x', 'project/.git', 'other'])
      mkdirSync(folder.at(name), { recursive: true })
    folder.write('project/corod.yaml', '')
    folder.write('project/nodes/a.ts', '')
    folder.write('other/lib.ts', '')
    seen = []
    poor = []
    watch = new ProjectWatch(
      folder.at('project'),
      paths => seen.push([...paths].sort()),
      why => poor.push(why),
    )
    watch.follow([folder.at('project/corod.yaml')])
  })
  afterEach(() => {
    watch.close()
    folder[Symbol.dispose]()
  })

  const sees = (...names: string[]) =>
    waitFor(`${names} to be seen; ${JSON.stringify(seen)}`, () =>
      names.every(name => seen.flat().includes(folder.at(name))),
    )

  it('sees files that change, come, go and are replaced', async () => {
    folder.write('project/nodes/a.ts', 'changed')
    await sees('project/nodes/a.ts')
    seen = []
    folder.write('project/nodes/new.json', '{}')
    await sees('project/nodes/new.json')
    seen = []
    folder.write('project/nodes/.a.swp', '')
    renameSync(folder.at('project/nodes/.a.swp'), folder.at('project/nodes/a.ts'))
    await sees('project/nodes/a.ts')
    seen = []
    rmSync(folder.at('project/nodes/new.json'))
    await sees('project/nodes/new.json')
  })

  it('sees folders that come later, with what is in them', async () => {
    mkdirSync(folder.at('project/more'))
    await sees('project/more')
    seen = []
    folder.write('project/more/b.ts', '')
    await sees('project/more/b.ts')
    rmSync(folder.at('project/more'), { recursive: true })
    await sees('project/more')
    seen = []
    mkdirSync(folder.at('project/more'))
    await sees('project/more')
    seen = []
    folder.write('project/more/c.ts', '')
    await sees('project/more/c.ts')
  })

  it('sees files elsewhere that it was told to follow, and no others there', async () => {
    folder.write('other/lib.ts', '1')
    watch.follow([folder.at('other/lib.ts')])
    folder.write('other/lib.ts', '2')
    await sees('other/lib.ts')
    assert.deepEqual(poor, [])
  })

  it('does not look where nobody writes by hand, nor at what is no source', async () => {
    folder.write('project/node_modules/x/i.js', '')
    folder.write('project/.git/index.json', '')
    folder.write('project/nodes/notes.txt', '')
    appendFileSync(folder.at('project/nodes/notes.txt'), 'x')
    folder.write('project/nodes/a.ts', 'last')
    await sees('project/nodes/a.ts')
    const names = seen.flat().filter(path => !path.endsWith('a.ts') && !path.endsWith('notes.txt'))
    assert.deepEqual(names, [])
  })

  it('tells many changes at one moment as one', async () => {
    for (let i = 0; i < 20; i++) folder.write(`project/nodes/${i}.ts`, '')
    await sees('project/nodes/19.ts')
    assert.ok(seen.length <= 2, JSON.stringify(seen))
  })

  it('is silent when it is closed', async () => {
    watch.close()
    folder.write('project/nodes/a.ts', 'x')
    watch.follow([folder.at('other/lib.ts')])
    await new Promise(resolve => setTimeout(resolve, 150))
    assert.deepEqual(seen, [])
  })
})
