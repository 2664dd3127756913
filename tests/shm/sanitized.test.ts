// The addon in Node, threads that are cut short included, under AddressSanitizer and UndefinedBehaviorSanitizer: the tests
// of its life, its views and its wakes once more, with an addon that is built so.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { isAbsolute, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(fileURLToPath(import.meta.url), '..', '..', '..', '..')
const build = join(root, 'build', 'asan-addon')

/** Where the compiler has a library; undefined: nowhere. */
function library(name: string): string | undefined {
  const path = spawnSync('cc', [`-print-file-name=${name}`], { encoding: 'utf8' }).stdout.trim()
  return isAbsolute(path) ? path : undefined
}

function cmake(...args: string[]): void {
  const made = spawnSync('cmake', args, { cwd: root, encoding: 'utf8' })
  assert.equal(made.status, 0, made.stdout + made.stderr)
}

/** Runs a program to its end; its exit status and everything that it and its children wrote. None of them is left. */
async function ran(
  args: string[],
  env: NodeJS.ProcessEnv,
  log: string,
): Promise<{ status: number | null; said: string }> {
  const into = openSync(log, 'w') // not a pipe: a child that outlives a crash would keep it open
  const child = spawn(process.execPath, args, { cwd: root, env, detached: true, stdio: ['ignore', into, into] })
  closeSync(into)
  const status = await new Promise<number | null>(resolve => child.once('exit', resolve))
  try {
    process.kill(-(child.pid as number), 'SIGKILL') // its group
  } catch (error) {
    assert.equal((error as NodeJS.ErrnoException).code, 'ESRCH')
  }
  return { status, said: readFileSync(log, 'utf8') }
}

describe('addon under sanitizers', () => {
  it('touches nothing that is not its own', async function () {
    this.timeout(300_000)
    const preload = [library('libasan.so'), library('libubsan.so')]
    if (preload.includes(undefined)) this.skip() // the compiler has no runtime that can be preloaded
    const flags = '-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer'
    cmake('-S', 'shm', '-B', build, '-DCMAKE_BUILD_TYPE=RelWithDebInfo', `-DCMAKE_C_FLAGS=${flags}`)
    cmake('--build', build, '--target', 'corod')
    const folder = mkdtempSync(join(tmpdir(), 'corod-asan-'))
    try {
      const other = join(folder, 'other.cjs')
      const addon = JSON.stringify(join(build, 'corod.node'))
      writeFileSync(
        other,
        `const { dlopen } = process
process.dlopen = (module, path, ...rest) => dlopen(module, path.endsWith('/corod.node') ? ${addon} : path, ...rest)
`,
      )
      const tests = ['life', 'view', 'spin', 'executor'].map(name => join('dist', 'tests', 'shm', `${name}.test.js`))
      const mocha = join(root, 'node_modules', 'mocha', 'bin', 'mocha.js')
      const { status, said } = await ran(
        ['--require', other, mocha, '--exit', '--timeout', '120000', ...tests],
        { ...process.env, LD_PRELOAD: preload.join(' '), ASAN_OPTIONS: 'detect_leaks=0' },
        join(folder, 'log'),
      )
      assert.equal(status, 0, said)
      assert.doesNotMatch(said, /AddressSanitizer|runtime error/)
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  })
})
