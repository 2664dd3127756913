// The promises of the types, each in types.ts or types-calls.ts as code that must not compile.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'mocha'
import { Folder, root } from '../support/folder.js'
import { Program } from '../support/program.js'

const sources = ['types.ts', 'types-calls.ts'].map(name => join(root, 'tests', 'process', name))

/** What the compiler says about a file, with the project's own settings. */
async function compile(...files: string[]): Promise<string> {
  using folder = new Folder()
  const config = folder.write(
    'tsconfig.json',
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: {
        noEmit: true,
        rootDir: '/',
        typeRoots: [join(root, 'node_modules', '@types')],
      },
      include: [],
      files,
    }),
  )
  await using tsc = new Program(process.execPath, [
    join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
    '-p',
    config,
  ])
  await tsc.exit
  return tsc.stdout + tsc.stderr
}

describe('types', () => {
  it('what must compile does, and what must not does not', async () => {
    assert.equal(await compile(...sources), '')
  }).timeout(60_000)

  it('each promise is seen by the compiler: without its mark it is an error', async () => {
    using folder = new Folder()
    for (const source of sources) {
      const text = readFileSync(source, 'utf8').replaceAll('../../', `${root}/`)
      const marks = text.split('@ts-expect-error').length - 1
      const bare = folder.write('bare.ts', text.replaceAll('@ts-expect-error', 'expected'))
      const errors = (await compile(bare)).split('\n').filter(line => /^\S.*error TS(?!2307|2792)/.test(line))
      assert.ok(marks > 15 && errors.length >= marks, `${source}: ${marks} promises, ${errors.length} errors`)
    }
  }).timeout(60_000)
})
