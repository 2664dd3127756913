// A daemon in this process that loads its configuration again, against the real standalone host.
import assert from 'node:assert/strict'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Config, loadConfig } from '../../daemon/config/load.js'
import { ConfigError } from '../../daemon/config/problems.js'
import { Daemon } from '../../daemon/host/daemon.js'
import { type NodeReport, type ReloadReport, StoppingError } from '../../daemon/host/report.js'
import { Folder, root } from '../support/folder.js'
import { Program } from '../support/program.js'
import { waitFor } from '../support/wait.js'
import { Lines } from './fake-config.js'

const standalone = join(root, 'build', 'release', 'corod-standalone')

interface Told {
  readonly lives: number
  readonly log: unknown[]
}
const store = globalThis as unknown as Record<string, Told | undefined>

/** A node that writes down its lives and what it got. `with`: what its table and its loop have beside that. */
const collector = ({ version = 1, messages = '', loop = '', more = '' } = {}) => `
import { message, processNode, u32 } from 'corod'
export default processNode({
  messages: { n: message(1, { n: u32 }), hold: message(2), end: message(3), ${messages} },
  ${more}
  async run(vm, node) {
    const all = globalThis as any
    const told = (all[node.name] ??= { lives: 0, log: [] })
    told.lives++
    for await (const event of node.inbox) {
      if (event.type === 'n') told.log.push(event.redelivered ? [event.n, 'again'] : event.n)
      else told.log.push(event.redelivered ? [event.type, 'again'] : event.type)
      if (event.type === 'end') return
      if (event.type === 'hold' && !event.redelivered)
        await new Promise(resolve => vm.signal.addEventListener('abort', resolve))
      ${loop}
    }
    told.log.push('closed ${version}')
  },
})`

describe('daemon, reloaded', function () {
  this.timeout(60_000)
  const { TMPDIR } = process.env
  let folder: Folder
  let hosts: Program[] = []
  let daemons: Daemon[] = []

  beforeEach(() => {
    folder = new Folder()
    mkdirSync(folder.at('tmp'))
    process.env.TMPDIR = folder.at('tmp')
    folder.write('a.ts', collector())
    folder.write('b.ts', collector())
  })

  afterEach(async () => {
    for (const daemon of daemons) await daemon.stop()
    for (const host of hosts) await host[Symbol.asyncDispose]()
    daemons = []
    hosts = []
    if (TMPDIR === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = TMPDIR
    folder[Symbol.dispose]()
    for (const name of ['a', 'b', 'c']) delete store[name]
  })

  async function startHost(): Promise<Program> {
    const args = ['--socket', folder.at('host.sock'), '--cli', folder.at('cli.sock'), '--no-interfaces']
    const host = new Program(standalone, args)
    hosts.push(host)
    await host.says(/ready/)
    return host
  }

  async function cli(command: string): Promise<string> {
    const asked = new Program(standalone, ['--cli', folder.at('cli.sock'), ...command.split(' ')])
    await asked.exit
    return asked.stdout
  }

  function write(nodes: string, more = ''): Config {
    const yaml = `host: { socket: ./host.sock, reconnect: { min: 10ms, max: 50ms } }\n${more.includes('control:') ? '' : 'control: { socket: ./c.sock }\n'}${more}nodes:\n${nodes}\n`
    return loadConfig(folder.write('corod.yaml', yaml))
  }

  const both = '  a: { module: ./a.ts, grace: 5s }\n  b: { module: ./b.ts }'

  async function start(nodes = both, log = new Lines()): Promise<Daemon> {
    const daemon = new Daemon(write(nodes), log)
    daemons.push(daemon)
    await daemon.start()
    return daemon
  }

  const node = (daemon: Daemon, name: string): NodeReport => daemon.nodes().find(one => one.name === name)!
  const running = (daemon: Daemon, ...names: string[]) =>
    waitFor(`${names} to run`, () => names.every(name => node(daemon, name)?.state === 'running'))
  const seen = (name: string, what: readonly unknown[]) =>
    waitFor(`${JSON.stringify(what)} at ${name}`, () => {
      assert.deepEqual(store[name]?.log, what)
      return true
    })
  const outline = ({ added, removed, changed, adjusted, unchanged }: ReloadReport) => ({
    added,
    removed,
    changed: changed.map(({ name, why }) => `${name}: ${why}`),
    adjusted: adjusted.map(({ name, why }) => `${name}: ${why}`),
    unchanged,
  })
  const nothing = { added: [], removed: [], changed: [], adjusted: [], unchanged: [] }

  async function refused(daemon: Daemon, ...patterns: RegExp[]): Promise<void> {
    const before = JSON.stringify([daemon.nodes(), daemon.status().loaded, daemon.status().reloads])
    await assert.rejects(daemon.reload(), (error: unknown) => {
      assert.ok(error instanceof ConfigError, String(error))
      assert.equal(error.problems.length, patterns.length, error.message)
      for (const [i, pattern] of patterns.entries()) assert.match(error.message.split('\n')[i]!, pattern)
      return true
    })
    assert.equal(JSON.stringify([daemon.nodes(), daemon.status().loaded, daemon.status().reloads]), before)
  }

  it('does nothing when nothing changed', async () => {
    await startHost()
    const daemon = await start()
    await running(daemon, 'a', 'b')
    assert.deepEqual(outline(await daemon.reload()), { ...nothing, unchanged: ['a', 'b'] })
    assert.deepEqual([store.a!.lives, store.b!.lives, daemon.status().reloads], [1, 1, 1])
  })

  it('starts changed code with the queue of the old, and leaves the others alone', async () => {
    await startHost()
    const daemon = await start()
    await running(daemon, 'a', 'b')
    const slots = daemon.nodes().map(one => [one.slot, one.index])
    for (const n of [1, 2, 3]) await daemon.send('a', 'n', { n })
    await seen('a', [1, 2, 3])
    folder.write('a.ts', collector({ version: 2, messages: 'other: message(4),' }))
    const report = await daemon.reload()
    assert.deepEqual(outline(report), { ...nothing, changed: ['a: code'], unchanged: ['b'] })
    assert.deepEqual([report.settings, report.needsRestart], [[], []])
    await daemon.send('a', 'other', {})
    await seen('a', [1, 2, 3, 'closed 1', 'other'])
    assert.deepEqual([store.a!.lives, store.b!.lives], [2, 1])
    assert.deepEqual(
      daemon.nodes().map(one => [one.slot, one.index]),
      slots,
    )
    assert.deepEqual([node(daemon, 'a').received, node(daemon, 'a').restarts], [4, 0])
  })

  it('takes events all the time while a node is changed; what was in hand comes again, marked, the rest as it is', async () => {
    await startHost()
    const daemon = await start('  a: { module: ./a.ts, grace: 300ms, queue: { backlog: 1000000, bytes: 1GiB } }')
    await running(daemon, 'a')
    await daemon.send('a', 'n', { n: 1 })
    await daemon.send('a', 'hold', {})
    await seen('a', [1, 'hold'])
    await daemon.send('a', 'n', { n: 2 })
    folder.write('a.ts', collector({ version: 2 }))
    let over = false
    const reloaded = daemon.reload().finally(() => {
      over = true
    })
    let n = 2
    while (!over) await daemon.send('a', 'n', { n: ++n })
    await reloaded
    const rest = Array.from({ length: n - 1 }, (_, i) => i + 2)
    await seen('a', [1, 'hold', ['hold', 'again'], ...rest])
    assert.equal(store.a!.lives, 2)
  })

  it('adds and removes nodes, and keeps the order of the file', async () => {
    await startHost()
    const daemon = await start()
    await running(daemon, 'a', 'b')
    write('  c: { module: ./a.ts }\n  b: { module: ./b.ts }')
    assert.deepEqual(outline(await daemon.reload()), { ...nothing, added: ['c'], removed: ['a'], unchanged: ['b'] })
    assert.deepEqual(
      daemon.nodes().map(one => [one.name, one.state]),
      [
        ['c', 'running'],
        ['b', 'running'],
      ],
    )
    await daemon.send('c', 'n', { n: 1 })
    await seen('c', [1])
    await assert.rejects(daemon.send('a', 'n', { n: 1 }), { code: 'NODE_UNKNOWN' })
    await waitFor('the host to forget it', async () => !/^a\b/m.test(await cli('show corod nodes')))
  })

  it('lets a removed node finish what is queued, and closes it to its senders', async () => {
    await startHost()
    // It takes its time for each event.
    folder.write('a.ts', collector({ loop: 'await vm.sleep(5)' }))
    const daemon = await start(
      '  a: { module: ./a.ts, grace: 20s, queue: { backlog: 10000 } }\n  b: { module: ./b.ts }',
    )
    await running(daemon, 'a', 'b')
    const sent = Array.from({ length: 50 }, (_, n) => daemon.send('a', 'n', { n }))
    await Promise.all(sent)
    write('  b: { module: ./b.ts }')
    const reloaded = daemon.reload()
    const refusal = await waitFor('the end of sending', () =>
      daemon.send('a', 'n', { n: 1000 }).then(
        () => undefined,
        (error: { code: string }) => error.code,
      ),
    )
    assert.equal(refusal, 'CLOSED')
    assert.equal(node(daemon, 'a').state, 'stopping')
    await reloaded
    const { log } = store.a!
    assert.deepEqual(
      log.filter(one => one !== 1000),
      [...Array.from({ length: 50 }, (_, n) => n), 'closed 1'],
    )
    assert.equal(store.a!.lives, 1)
  })

  it('ends a removed node that does not finish, and counts what was left', async () => {
    await startHost()
    const log = new Lines()
    const daemon = await start('  a: { module: ./a.ts, grace: 10ms }\n  b: { module: ./b.ts }', log)
    await running(daemon, 'a', 'b')
    await daemon.send('a', 'hold', {})
    await seen('a', ['hold'])
    for (const n of [1, 2, 3]) await daemon.send('a', 'n', { n })
    write('  b: { module: ./b.ts }')
    await daemon.reload()
    assert.ok(log.lines.includes('warn: removed; 4 events were still queued'), log.lines.join('\n'))
  })

  it('applies what is read when it is needed to coroutines that run', async () => {
    await startHost()
    const log = new Lines()
    const levels: string[] = []
    write(both)
    const of = loadConfig(folder.at('corod.yaml'))
    const daemon = new Daemon(of, log, { adjust: config => levels.push(config.log.level) })
    daemons.push(daemon)
    await daemon.start()
    await running(daemon, 'a', 'b')
    await daemon.send('a', 'hold', {})
    await seen('a', ['hold'])
    write(
      '  a: { module: ./a.ts, grace: 10ms }\n  b: { module: ./b.ts, restart: never }',
      'log: { level: debug }\nsignals: [x]\ncontrol: { socket: ./d.sock }\n',
    )
    const report = await daemon.reload()
    assert.deepEqual(outline(report), { ...nothing, adjusted: ['a: grace', 'b: restart.policy'] })
    assert.deepEqual(
      [report.settings, report.needsRestart, levels],
      [['log.level', 'signals'], ['control.socket'], ['debug']],
    )
    assert.deepEqual([store.a!.lives, store.b!.lives], [1, 1])
    // It compares with what runs: what takes a restart is told again.
    const again = await daemon.reload()
    assert.deepEqual([again.settings, again.needsRestart], [[], ['control.socket']])
    await daemon.stop()
    assert.ok(log.lines.some(line => /did not finish within 10 ms/.test(line)))
  })

  const bad: readonly [string, () => void, readonly RegExp[]][] = [
    ['YAML that is none', () => void folder.write('corod.yaml', 'nodes: [\n'), [/corod\.yaml:2:1: not YAML/]],
    [
      'an unknown key',
      () => void folder.write('corod.yaml', 'nodes:\n  a: { module: ./a.ts, grce: 1s }'),
      [/:2:24: nodes\.a\.grce: unknown key, did you mean 'grace'/],
    ],
    ['a module that is not there', () => void write(`${both}\n  c: { module: ./c.ts }`), [/:6:16: .*no file \S+c\.ts/]],
    [
      'a module that throws',
      () => void folder.write('a.ts', '\nthrow new Error("at the top")'),
      [/:4:16: nodes\.a\.module: \S+a\.ts:2:7: Error: at the top/],
    ],
    [
      'two modules that are none',
      () => {
        folder.write('a.ts', 'const = 1')
        folder.write('b.ts', 'export const x = 1')
      },
      [/:4:16: nodes\.a\.module: \S+a\.ts:1:7: /, /:5:16: nodes\.b\.module: .*no default export/],
    ],
    [
      'options that the node does not take',
      () =>
        void folder.write(
          'a.ts',
          collector({
            more: `options: { '~standard': { version: 1, vendor: 'test', validate: () => ({ issues: [{ message: 'wants more', path: ['x'] }] }) } },`,
          }),
        ),
      [/nodes\.a\.options\.x: wants more/],
    ],
    [
      'a peer that is not there',
      () =>
        void folder.write(
          'a.ts',
          collector({ more: `peers: { to: { n: message(1, { n: u32 }) } },` }).replace(
            'processNode({',
            'processNode({',
          ),
        ),
      [/its peer "to" is a node "to", and there is none/],
    ],
    [
      'no place to write to',
      () => {
        folder.write('a.ts', collector({ version: 2 }))
        rmSync(folder.at('tmp'), { recursive: true })
      },
      [/:1:1: what is made of the modules cannot be written: .*tmp/],
    ],
    [
      'a folder in the place of the file',
      () => {
        rmSync(folder.at('corod.yaml'))
        mkdirSync(folder.at('corod.yaml'))
      },
      [/corod\.yaml:1:1: this is a folder/],
    ],
    ['a file that is gone', () => rmSync(folder.at('corod.yaml')), [/corod\.yaml:1:1: no such file/]],
  ]
  for (const [what, spoil, patterns] of bad) {
    it(`changes nothing for ${what}, and says so`, async () => {
      await startHost()
      const daemon = await start()
      await running(daemon, 'a', 'b')
      spoil()
      await refused(daemon, ...patterns)
      for (const name of ['a', 'b']) await daemon.send(name, 'n', { n: 7 })
      await seen('a', [7])
      await seen('b', [7])
      assert.deepEqual([store.a!.lives, store.b!.lives], [1, 1])
      // And a good one works after it.
      mkdirSync(folder.at('tmp'), { recursive: true })
      rmSync(folder.at('corod.yaml'), { recursive: true, force: true })
      folder.write('a.ts', collector({ version: 2 }))
      folder.write('b.ts', collector())
      write(both)
      assert.deepEqual(outline(await daemon.reload()), { ...nothing, changed: ['a: code'], unchanged: ['b'] })
    })
  }

  it('works while the host is away', async () => {
    const daemon = await start()
    folder.write('a.ts', collector({ version: 2 }))
    write('  a: { module: ./a.ts }\n  c: { module: ./b.ts }')
    const report = await daemon.reload()
    assert.deepEqual(outline(report), { ...nothing, added: ['c'], removed: ['b'], changed: ['a: code'] })
    await startHost()
    await running(daemon, 'a', 'c')
    await daemon.send('a', 'n', { n: 1 })
    await seen('a', [1])
  })

  it('keeps the queue when the host is lost and found in the middle of a change', async () => {
    await startHost()
    const daemon = await start('  a: { module: ./a.ts, grace: 500ms }')
    await running(daemon, 'a')
    await daemon.send('a', 'hold', {})
    await seen('a', ['hold'])
    folder.write('a.ts', collector({ version: 2 }))
    const reloaded = daemon.reload()
    await waitFor('the stop', () => node(daemon, 'a').state === 'stopping')
    await hosts[0]!.kill('SIGKILL')
    await startHost()
    await reloaded
    await running(daemon, 'a')
    await daemon.send('a', 'n', { n: 5 })
    await waitFor('the event', () => store.a!.log.at(-1) === 5)
    assert.equal(store.a!.lives, 2)
  })

  it('does one after the other, each complete', async () => {
    await startHost()
    const daemon = await start()
    await running(daemon, 'a', 'b')
    const reports: Promise<ReloadReport>[] = []
    for (let version = 2; version <= 6; version++) {
      folder.write('a.ts', collector({ version }))
      reports.push(daemon.reload())
    }
    const all = await Promise.all(reports)
    // Each reads what is there when its turn comes.
    assert.deepEqual(
      all.map(report => report.changed.length),
      [1, 0, 0, 0, 0],
    )
    assert.deepEqual([store.a!.lives, store.b!.lives], [2, 1])
  })

  it('is refused while the daemon stops, and does not hold it up', async () => {
    await startHost()
    const daemon = await start('  a: { module: ./a.ts, grace: 200ms }')
    await running(daemon, 'a')
    await daemon.send('a', 'hold', {})
    await seen('a', ['hold'])
    folder.write('a.ts', collector({ version: 2 }))
    const under = daemon.reload()
    await waitFor('the stop', () => node(daemon, 'a').state === 'stopping')
    const late = daemon.reload()
    await Promise.all([daemon.stop(), assert.rejects(late, StoppingError), under])
    assert.equal(store.a!.lives, 1)
    await assert.rejects(daemon.reload(), StoppingError)
  })

  it('starts what a node returned from again only if it changed', async () => {
    await startHost()
    const daemon = await start()
    await running(daemon, 'a', 'b')
    await daemon.send('a', 'end', {})
    await daemon.send('b', 'end', {})
    await waitFor('both to end', () => daemon.nodes().every(one => one.state === 'idle'))
    folder.write('b.ts', collector({ version: 2 }))
    await daemon.reload()
    await running(daemon, 'b')
    assert.deepEqual([node(daemon, 'a').state, store.a!.lives, store.b!.lives], ['idle', 1, 2])
    await daemon.send('b', 'n', { n: 1 })
    await seen('b', ['end', 1])
  })

  it('can mend a node that the host refused', async () => {
    await startHost()
    folder.write('a.ts', collector({ more: "next: ['nowhere-at-all']," }))
    const daemon = await start()
    await running(daemon, 'b')
    await waitFor('the refusal', () => /NEXT_UNKNOWN/.test(node(daemon, 'a').lastError ?? ''))
    folder.write('a.ts', collector({ more: "next: ['ip4-lookup']," }))
    await daemon.reload()
    await running(daemon, 'a')
    await daemon.send('a', 'n', { n: 1 })
    await seen('a', [1])
  })

  it('keeps the queue of a node that the host refuses to change, for the next change', async () => {
    await startHost()
    folder.write('a.ts', collector({ more: "next: ['ip4-lookup']," }))
    const daemon = await start('  a: { module: ./a.ts, grace: 10ms }')
    await running(daemon, 'a')
    await daemon.send('a', 'hold', {})
    await seen('a', ['hold'])
    await daemon.send('a', 'n', { n: 1 })
    folder.write('a.ts', collector({ more: "next: ['nowhere-at-all']," }))
    await daemon.reload()
    assert.match(node(daemon, 'a').lastError!, /NEXT_UNKNOWN/)
    await assert.rejects(daemon.send('a', 'n', { n: 9 }), { code: 'UNREGISTERED' })
    folder.write('a.ts', collector({ more: "next: ['ip4-lookup', 'ip6-lookup']," }))
    await daemon.reload()
    await seen('a', ['hold', ['hold', 'again'], 1])
  })
})
