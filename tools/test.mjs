// test.mjs: npm test. Format, lint, types, C tests under sanitizers, mocha; the last line counts them all.
//
//   npm test                     everything
//   npm test -- --only vpp       the mocha folder tests/vpp (or any other) alone
//   npm test -- --grep WORDS     mocha tests whose title has WORDS, alone
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { cmake, findVpp, orExplain, prepare, root } from './prepare.mjs'

const { values } = parseArgs({ options: { only: { type: 'string' }, grep: { type: 'string' } } })
const total = { passed: 0, failed: 0, skipped: [] }

function run(program, args, options = {}) {
  return spawnSync(program, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28, ...options })
}

function say(text) {
  process.stdout.write(`${text}\n`)
}

/** One check that passes, fails, or (status 77) cannot run here. */
function check(name, program, args) {
  const result = run(program, args)
  if (result.status === 0) {
    total.passed++
    say(`  ✔ ${name}`)
  } else if (result.status === 77) {
    total.skipped.push(name)
    say(`  - ${name}: ${(result.stdout + result.stderr).trim()}`)
  } else {
    total.failed++
    say(`  ✘ ${name}\n${result.stdout}${result.stderr}`)
  }
}

/** Builds a C tree under sanitizers and runs its ctest programs. */
function ctest(name, source, build, sanitize) {
  const built = cmake(source, build, ['-DCMAKE_BUILD_TYPE=RelWithDebInfo', `-DCOROD_SANITIZE=${sanitize}`])
  for (const [program, ...args] of built) {
    const result = run(program, args)
    if (result.status !== 0) {
      total.failed++
      say(`  ✘ ${name}: does not build\n${result.stdout}${result.stderr}`)
      return
    }
  }
  const result = run('ctest', ['--test-dir', build, '--output-on-failure', '--timeout', '300', '--no-tests=error'])
  for (const [, title, how] of result.stdout.matchAll(/Test +#\d+: (\S+) \.+ *(?:\*\*\*)?(\w+)/g)) {
    if (how === 'Passed') total.passed++
    else if (how === 'Skipped') total.skipped.push(`${name}: ${title}`)
    else total.failed++
    say(`  ${how === 'Passed' ? '✔' : how === 'Skipped' ? '-' : '✘'} ${name}: ${title}`)
  }
  if (result.status !== 0) {
    if (!/tests failed/.test(result.stdout)) total.failed++
    say(result.stdout + result.stderr)
  }
}

function mocha() {
  const folder = mkdtempSync(join(tmpdir(), 'corod-test-'))
  const counts = join(folder, 'counts.json')
  const spec = `dist/tests/${values.only ?? '**'}/**/*.test.js`.replace('**/**', '**')
  const args = ['--enable-source-maps', 'node_modules/mocha/bin/mocha.js', '--reporter', 'tools/reporter.mjs']
  args.push('--timeout', '60000', '--forbid-only', ...(values.grep ? ['--grep', values.grep] : []), spec)
  const result = run('node', args, { stdio: 'inherit', env: { ...process.env, COROD_TEST_COUNTS: counts } })
  if (existsSync(counts)) {
    const { passed, failed, skipped } = JSON.parse(readFileSync(counts, 'utf8'))
    total.passed += passed
    total.failed += failed
    total.skipped.push(...skipped)
  }
  if (result.status !== 0 && total.failed === 0) total.failed++
  rmSync(folder, { recursive: true, force: true })
}

orExplain(() => prepare({ plugin: values.only === 'vpp' }))
if (values.only === undefined && values.grep === undefined) {
  say('\nchecks')
  check('TypeScript and JSON are formatted and lint-free (npm run format)', 'node_modules/.bin/biome', ['check', '.'])
  check('C is formatted (npm run format)', 'node', ['tools/clang-format.mjs', '--check'])
  ctest('shm, address and undefined', 'shm', 'build/asan-shm', 'address,undefined')
  ctest('shm, thread', 'shm', 'build/tsan-shm', 'thread')
  ctest('core, address and undefined', 'shim-plugin', 'build/asan', 'address,undefined')
}
mocha()
if (total.skipped.length > 0) {
  say('skipped:')
  for (const name of total.skipped) say(`  - ${name}`)
}
if (!findVpp()) say('No VPP is installed here: everything that needs a real VPP was skipped (docs/vpp.md).')
say(`${total.passed} passed, ${total.failed} failed, ${total.skipped.length} skipped`)
process.exitCode = total.failed > 0 ? 1 : 0
