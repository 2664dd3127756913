// docs/testing.md: its examples compile and pass, and its table of the format has every line that is written.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Folder, root } from '../support/folder.js'

const page = readFileSync(join(root, 'docs', 'testing.md'), 'utf8')

describe('docs/testing.md', function () {
  this.timeout(60_000)

  it('its examples compile, and pass', async () => {
    using folder = new Folder()
    mkdirSync(folder.at('node_modules'))
    symlinkSync(root, folder.at('node_modules/corod'))
    symlinkSync(join(root, 'node_modules', '@types'), folder.at('node_modules/@types'))
    folder.write('package.json', '{ "type": "module" }')
    cpSync(join(root, 'templates', 'project', 'tsconfig.json'), folder.at('tsconfig.json'))
    mkdirSync(folder.at('nodes'))
    cpSync(join(root, 'docs', 'examples', 'beacon.ts'), folder.at('nodes/beacon.ts'))
    const blocks = [...page.matchAll(/^```ts\n(.*?)^```$/gms)].map(match => match[1]!)
    assert.equal(blocks.length, 3)
    for (const [i, text] of blocks.entries()) writeFileSync(folder.at(`nodes/block${i}.test.ts`), text)
    // What the page replays: any recording of the beacon.
    const head = '{"corod":"recording","version":1,"node":"beacon","start":0,"options":{}}'
    folder.write('tuesday.ndjson', `${head}\n{"at":5000,"end":"stopped"}\n`)
    const { NODE_TEST_CONTEXT: _, ...env } = process.env
    const run = async (...args: readonly string[]) => {
      try {
        return await promisify(execFile)(process.execPath, args, { cwd: folder.path, env })
      } catch (error) {
        throw new Error((error as { stdout: string }).stdout, { cause: error })
      }
    }
    await run(join(root, 'node_modules', 'typescript', 'bin', 'tsc'))
    const files = blocks.map((_, i) => `dist/block${i}.test.js`)
    const { stdout } = await run('--test', '--test-reporter', 'tap', ...files)
    assert.match(stdout, /^# fail 0$/m)
  })

  it('tells every line of the format', () => {
    const reader = readFileSync(join(root, 'daemon', 'record', 'reader.ts'), 'utf8')
    const kinds = /^const kinds.*?^\}/ms.exec(reader)?.[0] ?? ''
    const keys = [...kinds.matchAll(/^ {2}(\w+): \{/gm)].map(match => match[1])
    assert.ok(keys.length > 10, `${keys}`)
    for (const key of keys) assert.match(page, new RegExp(`^\\| \`\\{"at",(?:"\\w+",)*"${key}"`, 'm'), key)
  })
})
