// The daemon in this process against the real standalone host.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Config, loadConfig } from '../../daemon/config/load.js'
import { Daemon } from '../../daemon/host/daemon.js'
import type { NodeReport, SendErrorCode } from '../../daemon/host/report.js'
import { Folder, root } from '../support/folder.js'
import { Program } from '../support/program.js'
import { waitFor } from '../support/wait.js'
import { Lines } from './fake-config.js'

const standalone = join(root, 'build', 'release', 'corod-standalone')

const collector = `
import { bytes, message, processNode, u32 } from 'corod'
export default processNode({
  messages: { n: message(1, { n: u32 }), blob: message(2, { data: bytes(4000) }), end: message(3), throw: message(4), hold: message(5) },
  next: ['ip4-lookup'],
  counters: { seen: 'events seen' },
  async run(vm, node) {
    ;(globalThis as any)[node.name] ??= []
    const log = (globalThis as any)[node.name] as unknown[]
    for await (const event of node.inbox) {
      log.push(event.redelivered ? [event.type, event.attempts] : event.type === 'n' ? event.n : event.type)
      if (event.type === 'n') node.count('seen')
      if (event.type === 'end') return
      if (event.type === 'throw' && event.attempts === 0) throw new Error('as asked')
      if (event.type === 'hold') await new Promise(resolve => vm.signal.addEventListener('abort', resolve))
    }
    log.push('closed')
  },
})`

const seenBy = (name: string): unknown[] => (globalThis as unknown as Record<string, unknown[]>)[name] ?? []

describe('daemon on the standalone host', function () {
  this.timeout(60_000)
  let folder: Folder
  let hosts: Program[] = []
  let daemons: Daemon[] = []

  beforeEach(() => {
    folder = new Folder()
    folder.write('collector.ts', collector)
  })

  afterEach(async () => {
    for (const daemon of daemons) await daemon.stop()
    for (const host of hosts) await host[Symbol.asyncDispose]()
    daemons = []
    hosts = []
    folder[Symbol.dispose]()
    for (const name of ['a', 'b', 'c']) delete (globalThis as unknown as Record<string, unknown>)[name]
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

  function config(nodes: string, host = ''): Config {
    const yaml = `host: { socket: ./host.sock, reconnect: { min: 10ms, max: 50ms }${host} }\ncontrol: { socket: ./c.sock }\nstate: ./state\nnodes:\n${nodes}`
    return loadConfig(folder.write('corod.yaml', yaml))
  }

  async function startDaemon(of: Config, log = new Lines()): Promise<Daemon> {
    const daemon = new Daemon(of, log)
    daemons.push(daemon)
    await daemon.start()
    return daemon
  }

  const node = (daemon: Daemon, name = 'a'): NodeReport => daemon.nodes().find(one => one.name === name)!
  const running = (daemon: Daemon, name = 'a') =>
    waitFor(
      `${name} to run`,
      () => node(daemon, name).state === 'running' && daemon.status().host.state === 'connected',
    )
  const seen = (what: unknown[], name = 'a') =>
    waitFor(`${JSON.stringify(what)} at ${name}`, () => {
      assert.deepEqual(seenBy(name), what)
      return true
    })

  async function refused(code: SendErrorCode, sending: Promise<unknown>, pattern = /./): Promise<void> {
    await assert.rejects(sending, (error: Error & { code?: string }) => {
      assert.deepEqual([error.name, error.code], ['SendError', code])
      assert.match(error.message, pattern)
      return true
    })
  }

  it('takes events in order, with the sequence of their node, and counts in the host', async () => {
    await startHost()
    const daemon = await startDaemon(config('  a: { module: ./collector.ts }\n  b: { module: ./collector.ts }'))
    await running(daemon)
    const sends = Array.from({ length: 500 }, (_, n) => daemon.send('a', 'n', { n }))
    sends.push(daemon.send('b', 'n', { n: 7 }))
    const seqs = (await Promise.all(sends)).map(({ seq }) => seq)
    assert.deepEqual(seqs, [...Array.from({ length: 500 }, (_, n) => BigInt(n + 1)), 1n])
    await seen(Array.from({ length: 500 }, (_, n) => n))
    await seen([7], 'b')
    assert.deepEqual([node(daemon).received, daemon.status().sent, daemon.status().received], [500, 501, 501])
    await waitFor('the counter', async () => /500 +a +/.test(await cli('show errors')))
    const { name, pid } = daemon.status().host
    assert.deepEqual([name, pid], ['standalone', hosts[0]!.pid])
  })

  it('refuses what cannot be sent, and says why', async () => {
    await startHost()
    const daemon = await startDaemon(config('  a: { module: ./collector.ts }'))
    await running(daemon)
    await refused('NODE_UNKNOWN', daemon.send('nobody', 'n', {}), /no node nobody/)
    await refused('TYPE_UNKNOWN', daemon.send('a', 'blub', {}), /"blub": did you mean blob/)
    await refused('TYPE_UNKNOWN', daemon.send('a', 'gap', {}))
    await assert.rejects(daemon.send('a', 'n', { n: -1, something: 1 }), {
      code: 'INVALID',
      faults: [
        { pointer: '/n', message: '-1 is out of range: u32 takes 0 to 4294967295' },
        { pointer: '/something', message: 'unknown field; fields: n' },
      ],
    })
    await refused('TYPE_UNKNOWN', daemon.sendEncoded('a', 99, new Uint8Array(0)))
    await refused('TOO_BIG', daemon.sendEncoded('a', 1, new Uint8Array(4000)))
    assert.equal(daemon.status().sent, 0)
  })

  it('says when a node is full, and takes more when it is not', async () => {
    await startHost()
    const of = config('  a: { module: ./collector.ts, queue: { backlog: 2, ring: 4KiB }, grace: 1ms }')
    const daemon = await startDaemon(of)
    await running(daemon)
    await daemon.send('a', 'hold', {})
    await seen(['hold'])
    let accepted = 0
    await refused(
      'FULL',
      (async () => {
        for (;;) {
          await daemon.send('a', 'blob', { data: new Uint8Array(10) })
          accepted++
        }
      })(),
      /full/,
    )
    assert.ok(accepted > 0 && accepted < 10, `${accepted}`)
  })

  it('closes a node that returned to its senders, and leaves the others alone', async () => {
    await startHost()
    const daemon = await startDaemon(config('  a: { module: ./collector.ts }\n  b: { module: ./collector.ts }'))
    await running(daemon)
    await daemon.send('a', 'end', {})
    await waitFor('a to end', () => node(daemon).state === 'idle')
    await refused('CLOSED', daemon.send('a', 'n', { n: 1 }), /has ended/)
    await daemon.send('b', 'n', { n: 1 })
    await seen([1], 'b')
    await waitFor('the host to park it', async () => /\ba +parked/.test(await cli('show corod nodes')))
  })

  it('starts a failed node again and gives it the event once more', async () => {
    await startHost()
    const daemon = await startDaemon(config('  a: { module: ./collector.ts, restart: { min: 1ms } }'))
    await running(daemon)
    await Promise.all([daemon.send('a', 'n', { n: 1 }), daemon.send('a', 'throw', {}), daemon.send('a', 'n', { n: 2 })])
    await seen([1, 'throw', ['throw', 1], 2])
    const { restarts, redelivered, lastError } = node(daemon)
    assert.deepEqual([restarts, redelivered, lastError], [1, 1, 'as asked'])
  })

  it('leaves with the host what was not handled, for the next daemon', async () => {
    await startHost()
    const of = config('  a: { module: ./collector.ts, grace: 10ms }')
    const first = await startDaemon(of)
    await running(first)
    await first.send('a', 'hold', {})
    await seen(['hold'])
    await first.send('a', 'n', { n: 1 })
    await first.send('a', 'n', { n: 2 })
    await first.stop()
    delete (globalThis as unknown as Record<string, unknown>).a
    const log = new Lines()
    const second = await startDaemon(of, log)
    await running(second)
    // It had `hold` in hand when it was stopped; what came behind it is as if nothing had happened.
    await waitFor('the redelivered event', () => seenBy('a').length > 0)
    assert.deepEqual(seenBy('a')[0], ['hold', 1])
    assert.ok(
      log.lines.some(line => /3 events were waiting/.test(line)),
      log.lines.join('\n'),
    )
  })

  it('stops its nodes when the host dies, and starts them on the next one', async () => {
    const host = await startHost()
    const daemon = await startDaemon(config('  a: { module: ./collector.ts }'))
    await running(daemon)
    await daemon.send('a', 'n', { n: 1 })
    await seen([1])
    await host.kill('SIGKILL')
    await waitFor('the loss', () => daemon.status().host.state === 'connecting')
    await refused('HOST_AWAY', daemon.send('a', 'n', { n: 2 }), /away/)
    await seen([1, 'closed'])
    assert.equal(node(daemon).state, 'waiting-for-host')
    await startHost()
    await running(daemon)
    await daemon.send('a', 'n', { n: 3 })
    await seen([1, 'closed', 3])
    assert.deepEqual([daemon.status().host.attachments, node(daemon).restarts], [2, 1])
  })

  it('fails sends at once when the host is stalled, and goes on when it is not', async () => {
    const host = await startHost()
    const daemon = await startDaemon(
      config('  a: { module: ./collector.ts }', ', ping-interval: 10ms, ping-timeout: 50ms'),
    )
    await running(daemon)
    host.child.kill('SIGSTOP')
    await waitFor('the stall', () => daemon.status().host.state === 'stalled')
    await refused('HOST_AWAY', daemon.send('a', 'n', { n: 1 }), /does not answer/)
    host.child.kill('SIGCONT')
    await waitFor('the recovery', () => daemon.status().host.state === 'connected')
    await daemon.send('a', 'n', { n: 2 })
    await seen([2])
  })

  it('as the second daemon is refused, disturbs nobody, and follows when the first has gone', async () => {
    await startHost()
    const of = config('  a: { module: ./collector.ts }')
    const first = await startDaemon(of)
    await running(first)
    const second = await startDaemon(of)
    await waitFor('the refusal', () => second.status().host.state === 'refused')
    assert.match(second.status().host.lastError!, new RegExp(`process ${process.pid}`))
    assert.equal(first.status().host.attachments, 1)
    await first.stop()
    await running(second)
  })

  it('says what the host does not accept about a node, and runs the others', async () => {
    await startHost()
    folder.write('lost.ts', collector.replace('ip4-lookup', 'nowhere-at-all'))
    const daemon = await startDaemon(config('  a: { module: ./lost.ts }\n  b: { module: ./collector.ts }'))
    await running(daemon, 'b')
    await waitFor('the refusal', () => node(daemon).lastError !== undefined)
    assert.match(node(daemon).lastError!, /NEXT_UNKNOWN.*nowhere-at-all/)
    await refused('UNREGISTERED', daemon.send('a', 'n', { n: 1 }), /nowhere-at-all/)
    assert.equal(daemon.status().nodes.failed, 1)
  })

  it('runs a thousand nodes', async () => {
    await startHost()
    const lines = Array.from({ length: 1000 }, (_, i) => `  n${i}: { module: ./collector.ts }`)
    const daemon = await startDaemon(config(lines.join('\n')))
    await waitFor('all to run', () => daemon.status().nodes.running === 1000)
    await Promise.all(daemon.nodes().map(({ name }) => daemon.send(name, 'n', { n: 1 })))
    await waitFor('all events', () => daemon.status().received === 1000)
  })

  it('gives everything back when it stops', async () => {
    await startHost()
    const of = config('  a: { module: ./collector.ts }')
    const one = await startDaemon(of)
    await running(one)
    await one.stop()
    assert.equal(node(one).state, 'stopped')
    assert.ok(existsSync(folder.at('host.sock')))
    await waitFor('the host to see it', async () => /not attached|no daemon/i.test(await cli('show corod attachment')))
  })
})
