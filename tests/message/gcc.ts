// gcc.ts: compiles a C program of a test and runs it.
import assert from 'node:assert/strict'
import { Folder, root } from '../support/folder.js'
import { Program } from '../support/program.js'

/** What a C program prints. `files` lie beside it; `shm/layout.h` can be included. Any warning fails. */
export async function runC(source: string, files: Readonly<Record<string, string>> = {}, input = ''): Promise<string> {
  using folder = new Folder()
  for (const [name, text] of Object.entries(files)) folder.write(name, text)
  const program = folder.at('program')
  const flags = ['-std=gnu11', '-Wall', '-Wextra', '-Werror', '-fsanitize=undefined', '-fno-sanitize-recover']
  await using gcc = new Program('gcc', [...flags, '-I', root, '-o', program, folder.write('program.c', source)])
  assert.deepEqual(await gcc.exit, { code: 0, signal: null }, gcc.stderr)
  await using run = new Program(program, [], { stdio: ['pipe', 'pipe', 'pipe'] })
  // A program that reads nothing may have ended already.
  run.child.stdin?.on('error', () => {}).end(input)
  assert.deepEqual(await run.exit, { code: 0, signal: null }, run.stderr)
  return run.stdout
}
