import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { cpSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { commands } from '../../daemon/cli/commands.js'
import { Folder, root } from '../support/folder.js'
import { corod } from './corod.js'

const packageJson = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }

describe('cli: usage', () => {
  it('--help lists every command and ends with 0', async () => {
    const { code, stdout, stderr } = await corod(['--help'])
    assert.equal(code, 0)
    assert.equal(stderr, '')
    for (const { name } of commands) assert.match(stdout, new RegExp(`^  ${name} `, 'm'))
    assert.match(stdout, /^ {2}78 {2}the configuration is invalid$/m)
  })

  for (const { name, examples } of commands)
    it(`corod ${name} --help shows arguments, global options, examples and exit statuses`, async () => {
      const { code, stdout, stderr } = await corod([name, '--help'])
      assert.equal(code, 0)
      assert.equal(stderr, '')
      assert.match(stdout, new RegExp(`^Usage: corod ${name} `))
      for (const word of [
        '--json',
        '--socket <path>',
        '-c, --config <file>',
        '-q, --quiet',
        '--no-color',
        'Exit status:',
      ])
        assert.ok(stdout.includes(word), word)
      for (const example of examples) assert.ok(stdout.includes(example), example)
    })

  it('help COMMAND is COMMAND --help', async () => {
    const { code, stdout } = await corod(['help', 'send'])
    assert.equal(code, 0)
    assert.equal(stdout, (await corod(['send', '--help'])).stdout)
    assert.deepEqual(await corod(['help']).then(ran => [ran.code, ran.stdout]), [0, (await corod(['--help'])).stdout])
  })

  it('--version prints the version of the package', async () => {
    const { code, stdout } = await corod(['--version'])
    assert.deepEqual([code, stdout], [0, `${packageJson.version}\n`])
  })

  it('no command: the help on standard error, and 2', async () => {
    const { code, stdout, stderr } = await corod([])
    assert.deepEqual([code, stdout], [2, ''])
    assert.match(stderr, /^Usage: corod /)
  })

  const wrong: [string[], RegExp][] = [
    [['chek'], /^corod: unknown command 'chek' \(Did you mean check\?\); see corod --help\n$/],
    [['help', 'chek'], /^corod: unknown command 'chek' \(Did you mean check\?\); see corod --help\n$/],
    [['help', 'frobnicate'], /^corod: unknown command 'frobnicate'; see corod --help\n$/],
    [['status', '--jsn'], /^corod: unknown option '--jsn' \(Did you mean --json\?\); see corod status --help\n$/],
    [['send'], /^corod: missing required argument 'NODE'; see corod send --help\n$/],
    [['send', 'a'], /^corod: missing required argument 'TYPE'; see corod send --help\n$/],
    [['check', 'my.yaml'], /^corod: too many arguments .*; name the configuration with -c my.yaml\n$/],
    [['status', '-c'], /argument missing; see corod status --help\n$/],
    [['status', '--socket', ''], /^corod: --socket is empty: /],
    [['status', '--socket', `/${'x'.repeat(108)}`], /^corod: --socket: the path has 109 bytes, Unix allows 107/],
    [['check', '-c', ''], /^corod: --config is empty: /],
    [['send', '', 'b'], /^corod: NODE is empty: /],
    [['send', 'a', 'b', '{x'], /^corod: not JSON: .*; quote it for the shell: '\{"field": 1\}'\n$/],
    [['send', 'a', 'b', '3'], /an event is a JSON object of the message's fields, not a number\n$/],
    [['send', 'a', 'b', '[[]]'], /not an array in an array\n$/],
  ]
  for (const [args, told] of wrong)
    it(`corod ${args.join(' ').slice(0, 40)}: one line that helps, and 2`, async () => {
      const { code, stdout, stderr } = await corod(args)
      assert.deepEqual([code, stdout], [2, ''])
      assert.match(stderr, told)
      assert.equal(stderr.split('\n').length, 2)
    })

  it('with --json, errors are JSON, too', async () => {
    for (const args of [
      ['status', '--bogus', '--json'],
      ['--json', 'frob'],
      ['--json'],
      ['--json', 'help', 'frob'],
      ['send', 'a', 'b', '{', '--json'],
    ]) {
      const { code, stdout, stderr } = await corod(args)
      assert.deepEqual([code, stdout], [2, ''])
      const { error } = JSON.parse(stderr) as { error: { code: string; exit: number; message: string } }
      assert.equal(error.exit, 2)
      assert.match(error.code, /^(USAGE|JSON_MALFORMED)$/)
    }
  })

  it('control characters of an argument do not reach the terminal', async () => {
    const { stderr } = await corod(['\x1b[31mred\x07'])
    assert.match(stderr, /\\x1b\[31mred\\x07/)
    assert.ok(!stderr.includes('\x1b'))
  })

  it('schema prints the JSON Schema; one line with --json', async () => {
    const text = await corod(['schema'])
    const line = await corod(['schema', '--json'])
    assert.equal(text.code, 0)
    assert.deepEqual(text.json(), line.json())
    assert.equal(line.stdout.split('\n').length, 2)
    assert.equal(text.json<{ $schema: string }>().$schema, 'https://json-schema.org/draft/2020-12/schema')
  })

  it('who reads only the beginning is no failure', async () => {
    const shell = `"$0" "$1" schema | head -n 1; echo done`
    const { stdout, stderr } = await promisify(execFile)('sh', ['-c', shell, process.execPath, join(root, 'bin/corod')])
    assert.equal(stdout, '{\ndone\n')
    assert.equal(stderr, '')
  })

  it('output that cannot be written is a failure', async () => {
    const full = openSync('/dev/full', 'w')
    const child = spawn(process.execPath, [join(root, 'bin', 'corod'), 'schema'], { stdio: ['ignore', full, 'pipe'] })
    let stderr = ''
    child.stderr?.on('data', piece => {
      stderr += piece
    })
    const code = await new Promise(resolve => child.once('close', resolve))
    assert.equal(code, 1)
    assert.match(stderr, /^corod: cannot write the output: .*ENOSPC/)
  })

  it('says what to do when it is not built', async () => {
    using folder = new Folder()
    mkdirSync(folder.at('bin'))
    cpSync(join(root, 'bin', 'corod'), folder.at('bin/corod'))
    cpSync(join(root, 'package.json'), folder.at('package.json'))
    const failed = await promisify(execFile)(process.execPath, [folder.at('bin/corod'), 'status']).catch(error => error)
    assert.equal(failed.code, 1)
    assert.match(failed.stderr, /^corod: not built yet: run {2}npm run build {2}in \/.*\n$/)
  })

  it('is executable by itself', async () => {
    const { stdout } = await promisify(execFile)(join(root, 'bin', 'corod'), ['--version'])
    assert.equal(stdout.trim(), packageJson.version)
  })
})
