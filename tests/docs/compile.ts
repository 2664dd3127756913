// compile.ts: code of the documentation, compiled as a project of a user would compile it.
import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type Folder, root } from '../support/folder.js'
import { Program } from '../support/program.js'

/** Makes a folder a project that has this package installed. */
export function userProject(folder: Folder): void {
  mkdirSync(folder.at('node_modules'))
  symlinkSync(root, folder.at('node_modules/corod'))
  for (const name of ['zod', '@types']) symlinkSync(join(root, 'node_modules', name), folder.at(`node_modules/${name}`))
  folder.write('package.json', '{ "type": "module" }')
}

/** What the compiler says about files of such a project; empty: nothing is wrong. */
export async function compile(folder: Folder, files: readonly string[]): Promise<string> {
  const compilerOptions = { noEmit: true, rootDir: '.', noUnusedLocals: false, types: ['node'] }
  const extended = join(root, 'templates', 'project', 'tsconfig.json')
  folder.write('tsconfig.json', JSON.stringify({ extends: extended, compilerOptions, include: [], files }))
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  await using program = new Program(process.execPath, [tsc, '-p', folder.path])
  const { code } = await program.exit
  return code === 0 ? '' : program.output
}
