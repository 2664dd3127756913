// The standalone host as a program: its arguments, its exit statuses, its sockets, its start and end.
import assert from 'node:assert/strict'
import { chmodSync, existsSync, lstatSync, readdirSync, symlinkSync } from 'node:fs'
import { createServer } from 'node:net'
import { describe, it } from 'mocha'
import { Folder } from '../support/folder.js'
import { canBeNobody } from '../support/nobody.js'
import { Program } from '../support/program.js'
import { finished } from '../support/service.js'
import { waitFor } from '../support/wait.js'
import { program, startHost } from './host.js'

/** Runs the program to its end as nobody, who may do little. */
function asNobody(args: readonly string[]) {
  return finished('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', program, ...args])
}

describe('corod-standalone', () => {
  it('explains itself', async () => {
    const help = await finished(program, ['--help'])
    assert.equal(help.code, 0)
    assert.equal(help.stderr, '')
    for (const option of [
      'socket',
      'mode',
      'group',
      'cli',
      'pcap',
      'max-nodes',
      'no-interfaces',
      'with-parent',
      'log-level',
    ])
      assert.match(help.stdout, new RegExp(`^  --${option}\\b`, 'm'))
    const version = await finished(program, ['--version'])
    assert.equal(version.code, 0)
    assert.match(version.stdout, /^corod-standalone \d+\.\d+\.\d+, protocol 1 to 1\n$/)
  })

  it('refuses bad arguments with status 2 and says what would be right', async () => {
    const bad: readonly [readonly string[], RegExp][] = [
      [['--bogus'], /--bogus: no such option/],
      [['--socket'], /--socket: no such option, or its argument is missing/],
      [['--mode', '888'], /--mode 888: must be octal/],
      [['--mode', '01000'], /must be octal, 0 to 0777/],
      [['--mode', ''], /must be octal/],
      [['--max-nodes', '0'], /--max-nodes 0: must be 1 to 4095/],
      [['--max-nodes', '4096'], /must be 1 to 4095/],
      [['--max-nodes', '-1'], /must be 1 to 4095/],
      [['--max-nodes', '5x'], /must be 1 to 4095/],
      [['--log-level', 'loud'], /must be error, warn, info or debug/],
      [['--group', 'no-such-group-here'], /there is no such group/],
      [['show', 'errors'], /a command needs --cli SOCKET/],
    ]
    for (const [args, message] of bad) {
      const ended = await finished(program, args)
      assert.equal(ended.code, 2, `${args}`)
      assert.match(ended.stderr, message)
      assert.match(ended.stderr, /--help/)
      assert.equal(ended.stdout, '')
    }
  })

  it('says when it is ready, stops on SIGTERM, SIGINT and SIGHUP with status 0, and leaves nothing behind', async () => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      using folder = new Folder()
      await using host = await startHost(folder)
      assert.equal(host.program.stdout, `corod-standalone: ready on ${host.socket}\n`)
      assert.deepEqual(await host.program.kill(signal), { code: 0, signal: null })
      assert.deepEqual(readdirSync(folder.path), [])
    }
  })

  it('ends with its parent, if that is wanted, however that ends', async () => {
    using folder = new Folder()
    const args = ['--socket', folder.at('host.sock'), '--no-interfaces', '--with-parent']
    const script = '"$@" & sleep 60'
    await using parent = new Program('sh', ['-c', script, 'sh', program, ...args], { detached: true })
    await parent.says(/ready/)
    process.kill(parent.pid, 'SIGKILL')
    await waitFor('the end of the host', () => !existsSync(folder.at('host.sock')))
    process.kill(-parent.pid, 'SIGKILL')
  })

  it('gives its sockets the mode and group that were asked for', async () => {
    using folder = new Folder()
    const gid = process.getgid?.() ?? 0
    await using _host = await startHost(folder, ['--mode', '0604', '--group', String(gid)])
    for (const name of ['host.sock', 'cli.sock']) {
      const status = lstatSync(folder.at(name))
      assert.ok(status.isSocket())
      assert.equal(status.mode & 0o777, 0o604)
      assert.equal(status.gid, gid)
    }
  })

  it('replaces the sockets of a host that was killed, and takes none of a living one', async () => {
    using folder = new Folder()
    await using first = await startHost(folder)
    const second = await finished(program, ['--socket', first.socket, '--no-interfaces'])
    assert.equal(second.code, 73)
    assert.match(second.stderr, /host\.sock is in use/)
    const third = await finished(program, ['--socket', folder.at('other'), '--cli', first.cli, '--no-interfaces'])
    assert.equal(third.code, 73)
    assert.match(third.stderr, /cli\.sock is in use/)
    assert.ok(!existsSync(folder.at('other')))
    assert.equal((await first.ask('show version')).code, 0)
    await first.program.kill('SIGKILL')
    assert.ok(lstatSync(first.socket).isSocket())
    await using again = await startHost(folder)
    assert.equal((await again.ask('show version')).code, 0)
  })

  it('does not take the socket of another program', async () => {
    using folder = new Folder()
    const server = createServer()
    await new Promise<void>(resolve => server.listen(folder.at('host.sock'), resolve))
    const ended = await finished(program, ['--socket', folder.at('host.sock'), '--no-interfaces'])
    assert.equal(ended.code, 73)
    assert.match(ended.stderr, /another process answers there/)
    assert.ok(server.listening)
    await new Promise(resolve => server.close(resolve))
  })

  it('leaves alone what is not a socket', async () => {
    using folder = new Folder()
    folder.write('file', 'precious')
    symlinkSync('/nowhere', folder.at('link'))
    for (const name of ['file', 'link']) {
      const ended = await finished(program, ['--socket', folder.at(name), '--no-interfaces'])
      assert.equal(ended.code, 73)
      assert.match(ended.stderr, /exists and is not a socket/)
    }
    assert.deepEqual(readdirSync(folder.path).sort(), ['file', 'link'])
  })

  it('says what is wrong with a path', async () => {
    using folder = new Folder()
    const cases: readonly [readonly string[], number, RegExp][] = [
      [['--socket', folder.at('x'.repeat(120))], 73, /socket path of \d+ bytes: must have 1 to 103/],
      [['--socket', folder.at('no/such/folder')], 73, /No such file or directory/],
      [['--socket', folder.at('s'), '--cli', folder.at('no/c')], 73, /No such file or directory/],
      [['--socket', folder.at('s'), '--pcap', folder.at('no/p')], 73, /no\/p: No such file or directory/],
      [['--socket', folder.at('s'), '--pcap', folder.path], 73, /Is a directory/],
    ]
    for (const [args, status, message] of cases) {
      const ended = await finished(program, [...args, '--no-interfaces'])
      assert.equal(ended.code, status, `${args}`)
      assert.match(ended.stderr, message)
    }
    assert.deepEqual(readdirSync(folder.path), [])
  })

  it('runs without privileges, and says 77 where it lacks permission', async function () {
    if (!canBeNobody()) this.skip()
    using folder = new Folder()
    chmodSync(folder.path, 0o755)
    for (const args of [
      ['--socket', folder.at('s')],
      ['--socket', '/tmp/corod-nobody.sock', '--pcap', folder.at('p')],
    ]) {
      const ended = await asNobody([...args, '--no-interfaces'])
      assert.equal(ended.code, 77, ended.stderr)
      assert.match(ended.stderr, /Permission denied/)
    }
    chmodSync(folder.path, 0o777)
    const paths = ['--socket', folder.at('s'), '--cli', folder.at('c'), '--pcap', folder.at('p')]
    await using host = new Program('setpriv', ['--reuid=65534', '--regid=65534', '--clear-groups', program, ...paths])
    await host.says(/ready on/)
    const shown = await finished(program, ['--cli', folder.at('c'), 'show interface'])
    assert.equal(shown.code, 0)
    assert.match(shown.stdout, /^lo /m)
    const denied = await asNobody(['--cli', folder.at('none'), 'help'])
    assert.equal(denied.code, 69)
    chmodSync(folder.at('c'), 0o600)
    const other = await finished(
      'setpriv',
      ['--reuid=65533', '--regid=65533', '--clear-groups', program].concat(['--cli', folder.at('c'), 'help']),
    )
    assert.equal(other.code, 77)
    assert.equal((await host.kill()).code, 0)
  })
})
