// corod run as a process: signals, exit statuses, sockets, errors that nobody caught.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { Folder, root } from '../support/folder.js'
import { Program } from '../support/program.js'
import { waitFor } from '../support/wait.js'

const standalone = join(root, 'build', 'release', 'corod-standalone')
const corod = join(root, 'bin', 'corod')

const nodeThat = (body: string) => `
import { message, processNode } from 'corod'
export default processNode({ messages: { go: message(1) }, async run(vm, node) { ${body} } })
`
const waits = nodeThat('for await (const _ of node.inbox);')

// Node has no datagram Unix sockets; python3 does.
const listener = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('listening')
while True: print(s.recv(65536).decode())
`

interface Line {
  readonly level: string
  readonly msg: string
  readonly node?: string
  readonly err?: { readonly stack: string }
}

describe('corod run', function () {
  this.timeout(60_000)
  let folder: Folder
  let programs: Program[] = []

  beforeEach(() => {
    folder = new Folder()
  })

  afterEach(async () => {
    for (const program of programs) await program[Symbol.asyncDispose]()
    programs = []
    folder[Symbol.dispose]()
  })

  function start(program: string, ...args: string[]): Program {
    return started(new Program(program, args))
  }

  function started(program: Program): Program {
    programs.push(program)
    return program
  }

  function run(module: string, more = '', args: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Program {
    folder.write('node.ts', module)
    const yaml = `host: { socket: ./host.sock, reconnect: { min: 5ms, max: 20ms } }\ncontrol: { socket: ./control.sock }\nstate: ./state\nnodes: { n: { module: ./node.ts, grace: 100ms${more} } }\n`
    const all = [corod, 'run', '-c', folder.write('corod.yaml', yaml), ...args]
    return started(new Program(process.execPath, all, { env: { ...process.env, ...env } }))
  }

  async function host(): Promise<Program> {
    const args = ['--socket', folder.at('host.sock'), '--cli', folder.at('cli.sock'), '--no-interfaces']
    const started = start(standalone, ...args)
    await started.says(/ready/)
    return started
  }

  const lines = ({ stdout }: Program): Line[] =>
    stdout
      .split('\n')
      .filter(line => line.startsWith('{'))
      .map(line => JSON.parse(line) as Line)
  const says = (program: Program, msg: RegExp) =>
    waitFor(`${msg} in the log`, () => lines(program).find(line => msg.test(line.msg)) ?? program.ended)
  const send = (type: string) => start(process.execPath, corod, '-c', folder.at('corod.yaml'), 'send', 'n', type).exit

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`ends with status 0 after ${signal}, with and without a host, and leaves no file`, async () => {
      const away = run(waits)
      await says(away, /^started/)
      assert.deepEqual(await away.kill(signal), { code: 0, signal: null })
      await host()
      const attached = run(waits)
      await says(attached, /^attached/)
      assert.deepEqual(await attached.kill(signal), { code: 0, signal: null })
      assert.equal(existsSync(folder.at('control.sock')), false)
      assert.deepEqual(lines(attached).at(-1)?.msg, 'stopped')
    })
  }

  it('lets coroutines finish within their grace time', async () => {
    await host()
    const body = "for await (const _ of node.inbox); await vm.sleep(20); node.log.info('finished in peace')"
    const program = run(nodeThat(body))
    await says(program, /^attached/)
    await program.kill()
    assert.ok(lines(program).some(line => line.msg === 'finished in peace' && line.node === 'n'))
  })

  it('ends a coroutine that does not finish, and says so', async () => {
    await host()
    const program = run(nodeThat("try { await vm.sleep(Infinity) } finally { node.log.info('cleaned up') }"))
    await says(program, /^attached/)
    assert.deepEqual(await program.kill(), { code: 0, signal: null })
    const told = lines(program).map(line => line.msg)
    assert.ok(
      told.some(text => /did not finish within 100 ms/.test(text)),
      told.join('\n'),
    )
    assert.ok(told.includes('cleaned up'))
  })

  it('ends at once after a second signal', async () => {
    await host()
    const program = run(nodeThat('await new Promise(() => {})'))
    await says(program, /^attached/)
    program.child.kill('SIGTERM')
    await says(program, /^stopping$/)
    assert.deepEqual(await program.kill('SIGINT'), { code: 130, signal: null }, program.output)
  })

  it('can be stopped while a module still loads', async () => {
    const program = run('await new Promise(resolve => setTimeout(resolve, 60_000))\nexport default 1')
    await says(program, /starts$/)
    assert.deepEqual(await program.kill(), { code: 0, signal: null })
  })

  it('ends with status 78 for a configuration or a module that is wrong, with its place', async () => {
    const wrong = run('export default 1')
    assert.equal((await wrong.exit).code, 78)
    assert.match(wrong.stderr, /corod\.yaml:4:\d+: nodes\.n\.module: the default export of .* is no process node/)
    const yaml = start(process.execPath, corod, 'run', '-c', folder.write('bad.yaml', 'nodse: {}'))
    assert.equal((await yaml.exit).code, 78)
    assert.match(yaml.stderr, /bad\.yaml:1:1: nodse/)
  })

  it('ends with status 78 and the place for a socket whose folder or group is not there', async () => {
    folder.write('node.ts', waits)
    const cases: [string, RegExp][] = [
      ['socket: ./none/c.sock', /corod\.yaml:1:20: control\.socket: .*none: no such folder: make it/],
      ['socket: ./c.sock, group: no-such-group', /corod\.yaml:1:37: control\.group: there is no group "no-such-group"/],
      ['socket: ./node.ts', /corod\.yaml:1:20: control\.socket: .*node\.ts: there is a file that is no socket/],
    ]
    for (const [control, text] of cases) {
      const yaml = `control: { ${control} }\nhost: { socket: ./host.sock }\nnodes: { n: { module: ./node.ts } }\n`
      const program = start(process.execPath, corod, 'run', '-c', folder.write('corod.yaml', yaml))
      assert.equal((await program.exit).code, 78, program.output)
      assert.match(program.stderr, text)
    }
    const named = run(waits, '', ['--socket', folder.at('none/c.sock')])
    assert.equal((await named.exit).code, 78)
    assert.match(named.stderr, /^corod: .*none: no such folder/)
  })

  it('does not take over the control socket of a living daemon, nor its host', async () => {
    await host()
    const first = run(waits)
    await says(first, /^attached/)
    const second = start(process.execPath, corod, 'run', '-c', folder.at('corod.yaml'))
    assert.equal((await second.exit).code, 1)
    assert.match(second.stderr, new RegExp(`control\\.sock.*process ${first.pid}`))
    assert.equal((await send('go')).code, 0)
  })

  it('takes its sockets from the command line', async () => {
    const args = ['--host-socket', folder.at('other-host.sock'), '--socket', folder.at('other.sock')]
    const program = run(waits, '', args)
    await says(program, /^started/)
    const socket = connect(folder.at('other.sock'))
    await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject))
    socket.destroy()
    await says(program, /other-host\.sock/)
  })

  it('after SIGHUP applies what changed; what is wrong it tells, and goes on', async () => {
    await host()
    const program = run(nodeThat("node.log.info('version 1'); for await (const _ of node.inbox);"))
    await says(program, /^version 1$/)
    await says(program, /^started/)
    folder.write('node.ts', nodeThat("node.log.info('version 2'); for await (const _ of node.inbox);"))
    program.child.kill('SIGHUP')
    await says(program, /^version 2$/)
    const told = (await says(program, /corod\.yaml was reloaded/)) as Line & { changed: string[]; unchanged: number }
    assert.deepEqual([told.changed, told.unchanged], [['n'], 0])
    const before = folder.at('corod.yaml')
    const sockets = readFileSync(before, 'utf8').replace(/nodes: .*/, '')
    folder.write('corod.yaml', `${sockets}nodes: { n: { module: ./node.ts, grace: soon } }`)
    program.child.kill('SIGHUP')
    await says(program, /corod\.yaml:5:\d+: nodes\.n\.grace: /)
    await says(program, /goes on with what it has/)
    assert.equal((await send('go')).code, 0)
    assert.equal(program.ended, undefined, program.output)
  })

  it('takes another level of the log from the file, and says what takes a restart', async () => {
    await host()
    const program = run(
      nodeThat("for await (const _ of node.inbox) { node.log.debug('in detail'); node.log.warn('told') }"),
    )
    await says(program, /^attached/)
    await send('go')
    await says(program, /^told$/)
    const yaml = readFileSync(folder.at('corod.yaml'), 'utf8')
    folder.write('corod.yaml', `log: { level: debug }\n${yaml.replace('./host.sock', './elsewhere.sock')}`)
    assert.equal((await start(process.execPath, corod, '-c', folder.at('corod.yaml'), 'reload').exit).code, 0)
    await says(program, /take a restart/)
    await send('go')
    await says(program, /^in detail$/)
    assert.equal(lines(program).filter(line => line.msg === 'in detail').length, 1)
  })

  it('tells systemd when a reload begins, and when it is over', async function () {
    if (spawnSync('python3', ['--version']).status !== 0) this.skip()
    const notices = start('python3', '-u', '-c', listener, folder.at('notify'))
    await notices.says(/listening/)
    const program = run(waits, '', [], { NOTIFY_SOCKET: folder.at('notify') })
    await notices.says(/READY=1/)
    for (const yaml of [readFileSync(folder.at('corod.yaml'), 'utf8'), 'nodes: []']) {
      const before = notices.stdout.length
      folder.write('corod.yaml', yaml)
      const earliest = process.hrtime.bigint() / 1000n
      program.child.kill('SIGHUP')
      const [, usec] = await waitFor('both notices', () =>
        /RELOADING=1\nMONOTONIC_USEC=(\d+)\n(?:.*\n)*READY=1\n/.exec(notices.stdout.slice(before)),
      )
      assert.ok(BigInt(usec!) >= earliest && BigInt(usec!) <= process.hrtime.bigint() / 1000n, usec)
    }
  })

  it('makes a node fail, and no other, for an error that nobody caught in its code', async () => {
    await host()
    const program = run(
      nodeThat(
        "for await (const e of node.inbox) if (e.attempts === 0) setTimeout(() => { throw new Error('out of the blue') })",
      ),
      ', restart: { min: 1ms }',
    )
    await says(program, /^attached/)
    await send('go')
    const line = (await says(program, /^failed: out of the blue/)) as Line
    assert.equal(line.node, 'n')
    assert.match(line.err!.stack, /node\.ts:3:\d+/)
    assert.equal((await send('go')).code, 0)
  })

  it('does the same for a rejection that nobody handled', async () => {
    await host()
    const program = run(
      nodeThat(
        "for await (const e of node.inbox) if (e.attempts === 0) void (async () => { throw new Error('unhandled') })()",
      ),
      ', restart: { min: 1ms }',
    )
    await says(program, /^attached/)
    await send('go')
    assert.equal(((await says(program, /^failed: unhandled/)) as Line).node, 'n')
  })

  it('an error that may be of several nodes: they start again, and the daemon goes on', async () => {
    await host()
    // On Node 24 the context tells, and it is one node that fails.
    const helper = `import { Socket } from 'node:net'
      export const trouble = {
        helper: () => setTimeout(() => { throw new Error('of a helper') }),
        socket: () => { new Socket().connect('/nowhere/at-all') },
        nothing: () => setTimeout(() => { throw null }),
      }\n`
    folder.write('helper.ts', helper)
    const body =
      "node.log.info('lives'); for await (const e of node.inbox) if (e.attempts === 0) trouble[node.options.how as 'helper']()"
    const module = `import { trouble } from './helper.js'\n${nodeThat(body)}`
    const one = (how: string) => `{ module: ./node.ts, options: { how: ${how} }, restart: { min: 1ms } }`
    const program = run(
      module,
      ` }, helper: ${one('helper')}, socket: ${one('socket')}, nothing: ${one('nothing')}, idle: { module: ./node.ts`,
    )
    await says(program, /^attached/)
    for (const node of ['helper', 'socket', 'nothing']) {
      const lives = () => lines(program).filter(line => line.node === node && line.msg === 'lives').length
      await waitFor('its start', () => lives() > 0)
      const before = lives()
      assert.equal(
        (await start(process.execPath, corod, '-c', folder.at('corod.yaml'), 'send', node, 'go').exit).code,
        0,
      )
      await waitFor('its next life', () => lives() > before)
    }
    assert.equal(program.ended, undefined, program.output)
    const suspected = lines(program).filter(line => /of one of these nodes/.test(line.msg))
    if (Number.parseInt(process.versions.node, 10) < 24) assert.equal(suspected.length, 3, program.stdout)
  })

  it('ends with status 70, and a line, when code of a node on main calls process.exit(0)', async () => {
    await host()
    const program = run(nodeThat('for await (const _ of node.inbox) process.exit(0)'))
    await says(program, /^attached/)
    await send('go')
    assert.equal((await program.exit).code, 70, program.output)
    const line = lines(program).find(({ msg }) => msg === 'code of a node called process.exit(0): the daemon ends')
    assert.equal(line?.node, 'n', program.stdout)
    assert.match(line!.err!.stack, /node\.ts:3:\d+/)
  })

  it('ends with status 70 for an error that nobody caught and that is no node of its own', async () => {
    const program = run(
      `setTimeout(() => { throw Object.assign(new Error('nobody'), { stack: 'nowhere' }) }, 200)\n${waits}`,
    )
    assert.equal((await program.exit).code, 70)
    assert.ok(lines(program).some(line => /nobody caught/.test(line.msg)))
  })
})
