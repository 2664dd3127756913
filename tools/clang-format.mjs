// clang-format.mjs: formats the C sources, or with --check only says which are not formatted.
import { spawnSync } from 'node:child_process'
import { root } from './prepare.mjs'

const check = process.argv.includes('--check')
if (spawnSync('clang-format', ['--version']).error) {
  process.stderr.write('clang-format is not installed: apt-get install clang-format\n')
  process.exit(check ? 77 : 1)
}
const listed = spawnSync('git', ['ls-files', '-co', '--exclude-standard', '--', '*.c', '*.h'], {
  cwd: root,
  encoding: 'utf8',
})
const files = listed.stdout.split('\n').filter(Boolean)
const args = check ? ['--dry-run', '-Werror'] : ['-i']
const result = spawnSync('clang-format', [...args, ...files], { cwd: root, stdio: 'inherit' })
process.exit(result.status ?? 1)
