// corod dev as a user has it: files are written, lines are waited for.
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { ControlClient } from '../../daemon/control/client.js'
import { Folder, root } from '../support/folder.js'
import { packets } from '../support/pcapng.js'
import { Program } from '../support/program.js'
import { startStandalone } from '../support/service.js'
import { waitFor } from '../support/wait.js'
import { corod, type Ran } from './corod.js'

const program = join(root, 'bin', 'corod')
const node = (text: string, more = '') => `import { message, processNode, u32 } from 'corod'
${more}
export default processNode({
  messages: { n: message(1, { n: u32 }) },
  next: ['ip4-lookup'],
  async run(vm, node) {
    node.log.info(\`${text} begins\`)
    for await (const event of node.inbox) if (event.type === 'n') node.log.info(\`${text} \${event.n}\`)
  },
})
`

describe('corod dev', function () {
  this.timeout(120_000)
  let folder: Folder
  let programs: Program[]

  beforeEach(() => {
    folder = new Folder()
    programs = []
    mkdirSync(folder.at('run'))
    mkdirSync(folder.at('project/node_modules/@types'), { recursive: true })
    symlinkSync(root, folder.at('project/node_modules/corod'))
    folder.write('project/package.json', '{ "type": "module" }')
    folder.write('project/corod.yaml', 'nodes:\n  a: { module: ./a.ts }\n')
    folder.write('project/a.ts', node('first'))
  })
  afterEach(async () => {
    for (const one of programs) await one[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
  })

  const env = () => ({ ...process.env, XDG_RUNTIME_DIR: folder.at('run'), TMPDIR: folder.at('run') })
  /** What the user has typed: Ctrl-C reaches the whole group. */
  function dev(...args: string[]): Program {
    const started = new Program(process.execPath, [program, 'dev', ...args], {
      cwd: folder.at('project'),
      env: { ...env(), COROD_SOCKET: '' },
      detached: true,
    })
    programs.push(started)
    return started
  }
  const run = (...args: string[]): Promise<Ran> =>
    corod(args, { cwd: folder.at('project'), env: { XDG_RUNTIME_DIR: folder.at('run'), TMPDIR: folder.at('run') } })
  function withTypes(): void {
    symlinkSync(join(root, 'node_modules/typescript'), folder.at('project/node_modules/typescript'))
    symlinkSync(join(root, 'node_modules/@types/node'), folder.at('project/node_modules/@types/node'))
    folder.write(
      'project/tsconfig.json',
      JSON.stringify({
        compilerOptions: {
          target: 'es2023',
          lib: ['es2023', 'esnext.disposable'],
          module: 'nodenext',
          types: ['node'],
          strict: true,
          skipLibCheck: true,
        },
        include: ['*.ts'],
      }),
    )
  }
  /** Everything said since. */
  const from = (of: Program) => {
    const before = of.stdout.length
    return (pattern: RegExp) =>
      waitFor(`${pattern} in ${of.stdout.slice(before)}`, () => {
        if (of.ended !== undefined) throw new Error(`it ended: ${of.output}`)
        return pattern.exec(of.stdout.slice(before))
      })
  }
  const left = () => readdirSync(folder.at('run'))

  it('runs the nodes of a project, and other commands find it', async () => {
    const working = dev()
    await working.says(/dev {3}corod\.yaml on a standalone host of its own; Ctrl-C ends/)
    await working.says(/dev {3}types are not checked: there is no tsconfig\.json/)
    await working.says(/dev {3}runs 1 node: a/)
    await working.says(/info {2}a: first begins/)
    const sent = await run('send', 'a', 'n', '{"n": 7}')
    assert.deepEqual([sent.code, sent.stderr], [0, ''])
    await working.says(/info {2}a: first 7/)
    assert.equal((await run('nodes', '--json')).json<{ name: string }[]>()[0]!.name, 'a')
    // Nothing moves the cursor where there is no terminal.
    assert.ok(!working.stdout.includes('\x1b'))
    process.kill(-working.pid, 'SIGINT')
    assert.deepEqual(await working.exit, { code: 0, signal: null }, working.output)
    assert.match(working.stdout, /dev {3}stopped\n$/)
    assert.equal(working.stderr, '')
    assert.deepEqual(left(), [])
    assert.equal((await run('nodes')).code, 69)
  })

  it('reloads what changed: modules, what they import, the configuration, new files', async () => {
    const working = dev()
    await working.says(/first begins/)
    let then = from(working)
    folder.write('project/a.ts', node('second'))
    await then(/reloaded in \d+ ms: changed a \(code\)/)
    await then(/second begins/)

    then = from(working)
    mkdirSync(folder.at('project/lib'))
    folder.write('project/lib/word.ts', "export const word: string = 'third'\n")
    folder.write('project/a.ts', node('$' + '{word}', "import { word } from './lib/word.js'"))
    await then(/third begins/)
    then = from(working)
    // As editors do it.
    folder.write('project/lib/word.ts~', "export const word: string = 'fourth'\n")
    renameSync(folder.at('project/lib/word.ts~'), folder.at('project/lib/word.ts'))
    await then(/fourth begins/)

    then = from(working)
    folder.write('project/b.ts', node('new'))
    folder.write('project/corod.yaml', 'nodes:\n  a: { module: ./a.ts, grace: 1s }\n  b: { module: ./b.ts }\n')
    await then(/reloaded in \d+ ms: added b; adjusted a \(grace\)/)
    await then(/new begins/)
    then = from(working)
    folder.write('project/corod.yaml', 'nodes:\n  b: { module: ./b.ts }\n')
    await then(/reloaded in \d+ ms: removed a/)
  })

  it('loses no event over it, whatever is saved', async () => {
    const numbers = folder.write('numbers', '')
    const writes = (version: number) =>
      node(`version ${version}`, "import { appendFileSync } from 'node:fs'").replace(
        /for await.*/,
        `for await (const event of node.inbox) if (event.type === 'n') appendFileSync('${numbers}', event.n + '\\n')`,
      )
    folder.write('project/a.ts', writes(0))
    folder.write('project/corod.yaml', 'nodes:\n  a: { module: ./a.ts, queue: { backlog: 100000, bytes: 64MiB } }\n')
    const working = dev()
    const [, socket] = await working.says(/control socket is open socket=(\S+)/)
    await working.says(/version 0 begins/)
    let going = true
    let sent = 0
    async function* source() {
      while (going) {
        yield `{"type":"n","n":${++sent}}\n`
        await new Promise(resolve => setTimeout(resolve, 1))
      }
    }
    const summary = new ControlClient(socket!).send('a', source())
    for (let version = 1; version <= 5; version++) {
      folder.write('project/a.ts', 'const = 1')
      await working.says(new RegExp(`(1 fault[^]*){${version}}`))
      folder.write('project/a.ts', writes(version))
      await working.says(new RegExp(`version ${version} begins`))
    }
    going = false
    const { accepted, rejected } = await summary
    assert.equal(rejected, 0)
    const got = () => readFileSync(numbers, 'utf8').trimEnd().split('\n').map(Number)
    await waitFor('the last number', () => got().at(-1) === accepted)
    assert.deepEqual(
      got(),
      Array.from({ length: accepted }, (_, i) => i + 1),
    )
  })

  it('shows what is wrong with the line that it is in, and leaves what runs', async () => {
    const working = dev()
    await working.says(/first begins/)
    let then = from(working)
    folder.write('project/a.ts', `${node('second')}\n\tconst = 5\n`)
    await then(
      /dev {3}1 fault; the code that runs stays\na\.ts:12:8: Expected .*\n {4}12 \| \tconst = 5\n {6} \| \t {6}\^\n/,
    )
    assert.equal((await run('send', 'a', 'n', '{"n": 1}')).code, 0)
    await then(/first 1\n/)

    then = from(working)
    folder.write('project/a.ts', `import { x } from './nowhere.js'\n${node('second')}console.log(x)`)
    await then(/a\.ts:1:19: Could not resolve "\.\/nowhere\.js"\n {5}1 \| import/)
    then = from(working)
    // The file that was missing: it need not be known before.
    folder.write('project/nowhere.ts', 'throw new Error("not yet")')
    await then(/nowhere\.ts:1:7: Error: not yet\n {5}1 \| throw new/)
    then = from(working)
    folder.write('project/nowhere.ts', 'export const x = 1')
    await then(/second begins/)

    then = from(working)
    folder.write('project/corod.yaml', 'nodes:\n  a: { module: ./a.ts, grce: 1s }\n')
    await then(/corod\.yaml:2:24: nodes\.a\.grce: unknown key, did you mean 'grace'.*\n {5}2 \| .*\n {6} \| {24}\^\n/)
    assert.equal((await run('send', 'a', 'n', '{"n": 2}')).code, 0)
    await then(/second 2\n/)
    folder.write('project/corod.yaml', 'nodes:\n  a: { module: ./a.ts }\n')
    await then(/dev {3}right again: what is written is what runs\n/)
  })

  it('starts with a bad configuration when it is mended', async () => {
    folder.write('project/corod.yaml', 'nodes: [')
    const working = dev()
    await working.says(/1 fault; nothing runs yet\ncorod\.yaml:1:\d+: not YAML/)
    let then = from(working)
    folder.write('project/corod.yaml', 'nodes: { a: { module: ./elsewhere.ts } }')
    await then(/there is no file \S+elsewhere\.ts/)
    then = from(working)
    folder.write('project/elsewhere.ts', node('found'))
    await then(/runs 1 node: a/)
    await then(/found begins/)
  })

  it('checks the types beside that, and tells when they are right again', async () => {
    withTypes()
    const working = dev()
    await working.says(/dev {3}types: right \(\d+ ms\)/)
    await working.says(/first begins/)
    let then = from(working)
    folder.write('project/a.ts', `${node('second')}\nconst a: number = 'x'\nexport { a }\n`)
    await then(/second begins/)
    await then(
      /types: 1 error\na\.ts:12:7: TS2322: Type 'string' is not assignable to type 'number'\.\n {4}12 \| const/,
    )
    then = from(working)
    // A file that no node uses yet.
    folder.write('project/other.ts', 'export const b: string = 5\n')
    await then(/types: 2 errors/)
    rmSync(folder.at('project/other.ts'))
    folder.write('project/a.ts', node('third'))
    await then(/types: right/)
    await then(/third begins/)
    then = from(working)
    folder.write('project/tsconfig.json', '{ "compilerOptions": { "target": "es1" } }')
    await then(/types: \d+ errors?\n[\s\S]*TS6046/)
  })

  it('says once that there is no TypeScript, or is told to leave the types alone', async () => {
    folder.write('project/tsconfig.json', '{}')
    const working = dev()
    await working.says(/types are not checked: \S+project has no typescript: npm install/)
    await working.kill('SIGINT')
    const quiet = dev('--no-types')
    await quiet.says(/first begins/)
    assert.ok(!quiet.stdout.includes('types'))
  })

  it('starts a daemon again that computes without an end, with the changed code and its queue', async () => {
    const endless =
      "for await (const event of node.inbox) { node.log.info('computes'); while (event.type !== undefined); }"
    folder.write('project/a.ts', node('first').replace(/for await.*/, endless))
    const working = dev()
    await working.says(/first begins/)
    const sent = run('send', 'a', 'n', '{"n": 1}')
    await working.says(/computes/)
    folder.write('project/a.ts', node('second'))
    await working.says(/the daemon does not answer: a node computes without an end; it is started again/)
    await working.says(/second 1\n/)
    await sent
  })

  it('goes on when the daemon has died', async () => {
    const working = dev()
    const [, pid] = await working.says(/corod \S+ starts pid=(\d+)/)
    await working.says(/first begins/)
    process.kill(Number(pid), 'SIGKILL')
    await working.says(/the daemon ended \(SIGKILL\); it is started again when a file changes/)
    folder.write('project/a.ts', node('second'))
    await working.says(/second begins/)
  })

  it('takes its host and its daemon with it, however it ends', async () => {
    const working = dev()
    await working.says(/first begins/)
    const { host } = (await run('status', '--json')).json<{ host: { pid: number; socket: string } }>()
    assert.ok(existsSync(host.socket))
    await working.kill('SIGKILL')
    await waitFor(
      'the end of host and daemon',
      () => !existsSync(host.socket) && !existsSync(`${host.socket}/../control.sock`),
    )
    await waitFor('the end of the daemon', async () => (await run('status')).code === 69)
    // And the next one starts where it left.
    const again = dev()
    await again.says(/first begins/)
    await again.kill('SIGTERM')
    assert.deepEqual(left(), [])
  })

  it('runs once for a configuration', async () => {
    const working = dev()
    await working.says(/first begins/)
    const second = await run('dev')
    assert.equal(second.code, 1)
    assert.match(second.stderr, /corod dev runs already for \S+corod\.yaml: its control socket is /)
    assert.equal((await run('nodes')).code, 0)
  })

  it('uses a host that runs, and writes packets of its own', async () => {
    await using host = await startStandalone(folder)
    const working = dev('--host-socket', host.socket, '--socket', folder.at('c.sock'))
    await working.says(/corod\.yaml on \S+host\.sock/)
    await working.says(/first begins/)
    assert.match(await host.cli('show corod nodes'), /^\d+ +a\b/m)
    await working.kill('SIGINT')
    assert.equal(host.program.ended, undefined)
    const sends = node('first').replace(
      'node.log.info(`first begins',
      "node.enqueue('ip4-lookup', new Uint8Array(60).fill(7))\n node.log.info(`first begins",
    )
    folder.write('project/a.ts', sends)
    const own = dev('--pcap', folder.at('packets.pcap'))
    await own.says(/first begins/)
    await waitFor('the packet', () =>
      packets(folder.at('packets.pcap')).some(packet => packet.includes(Buffer.alloc(60, 7))),
    )
  })

  it('ends with a word of what is missing where there is no project', async () => {
    const nowhere = await corod(['dev'], { cwd: folder.path, env: { TMPDIR: folder.at('run') } })
    assert.equal(nowhere.code, 78)
    assert.match(nowhere.stderr, /there is no \S+\/corod\.yaml: make a project with corod init/)
  })
})
