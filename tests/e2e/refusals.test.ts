// What a daemon or its host does not take, with the real programs: who asked is told why, nobody else is disturbed.
import assert from 'node:assert/strict'
import { chmodSync, chownSync, existsSync } from 'node:fs'
import { describe, it } from 'mocha'
import { Folder } from '../support/folder.js'
import { canBeNobody, nobody } from '../support/nobody.js'
import { Raw } from '../support/raw.js'
import { corod, startDaemon, startStandalone } from '../support/service.js'
import { waitFor } from '../support/wait.js'
import { openGate, recorded, recorder, recorderYaml } from './records.js'

const events = '/v1/nodes/rec/events'
const ndjson = { 'Content-Type': 'application/x-ndjson', 'Transfer-Encoding': 'chunked' }
const json = { 'Content-Type': 'application/json' }

describe('end to end: refusals', function () {
  this.timeout(60_000)

  it('lines without end, long bodies and too many clients meet the limits of the configuration', async () => {
    using folder = new Folder()
    openGate(folder)
    await using _host = await startStandalone(folder)
    const limits = 'control: { limits: { line: 256B, body: 1KiB, connections: 4 } }\n'
    await using daemon = startDaemon(folder, `${limits}${recorderYaml(folder)}`)
    await daemon.running()
    const before = (await daemon.client.status()).rss
    {
      using raw = new Raw(daemon.socket)
      raw.request('POST', events, ndjson).chunk('{"type":"number","n":1}\n')
      const piece = Buffer.alloc(1 << 20, 0x78)
      for (let i = 0; i < 64; i++) raw.chunk(piece)
      const answer = await raw.answer()
      const { code, accepted, detail } = answer.json()
      assert.deepEqual([answer.status, code, accepted], [413, 'LINE_TOO_BIG', 1])
      assert.equal(detail, 'line 2 is longer than 256 bytes')
      await raw.gone()
    }
    {
      using raw = new Raw(daemon.socket)
      const answer = await raw.request('POST', events, json, `[${' '.repeat(1024)}]`).answer()
      assert.deepEqual([answer.status, answer.json().code], [413, 'BODY_TOO_BIG'])
    }
    {
      using rubbish = new Raw(daemon.socket)
      const lines = Buffer.concat([Buffer.from([0, 1, 0xff, 0xfe, 10]), Buffer.from('{"type":"number","n":2}\n[1]\n')])
      const answer = await rubbish.request('POST', events, ndjson).chunk(lines).chunk('').answer()
      assert.equal(answer.status, 202)
      const { accepted, rejected, errors } = answer.json<{ accepted: number; rejected: number; errors: object[] }>()
      assert.deepEqual([accepted, rejected], [1, 2])
      assert.deepEqual(
        errors.map(({ line, code }: { line?: number; code?: string }) => [line, code]),
        [
          [1, 'JSON_MALFORMED'],
          [3, 'INVALID'],
        ],
      )
    }
    const clients = [1, 2, 3, 4].map(() => new Raw(daemon.socket))
    try {
      for (const client of clients) assert.equal((await client.request('GET', '/v1/nodes').answer()).status, 200)
      const refused = await corod(['--socket', daemon.socket, 'status'])
      assert.equal(refused.code, 75)
      assert.equal(refused.stderr, 'corod: too many clients: all 4 connections are taken; try again\n')
    } finally {
      for (const client of clients) client[Symbol.dispose]()
    }
    const after = await waitFor('a free connection', () => daemon.client.status())
    assert.ok(after.rss - before < 64 << 20, `${before} to ${after.rss} bytes`)
    await waitFor('the events', () => recorded(folder).length === 2)
    assert.deepEqual(
      recorded(folder).map(event => event.n),
      [1, 2],
    )
  })

  it('a node that the host does not take says why, also to its senders; the others run', async () => {
    using folder = new Folder()
    openGate(folder)
    await using host = await startStandalone(folder)
    const lost = folder.write(
      'lost.ts',
      `import { message, processNode } from 'corod'
       export default processNode({ messages: { go: message(1) }, next: ['no-such-next'], async run() {} })`,
    )
    const more = `  ip4-lookup: { module: ${recorder}, options: { file: /dev/null } }\n  lost: { module: ${lost} }\n`
    await using daemon = startDaemon(folder, `${recorderYaml(folder)}${more}`)
    await waitFor('both refusals', async () => (await daemon.client.status()).nodes.failed === 2)
    const table = await corod(['--socket', daemon.socket, 'nodes'])
    assert.match(table.stdout, /^rec +running /m)
    assert.match(table.stdout, /^ip4-lookup +backing-off .* NAME_TAKEN: ip4-lookup: /m)
    assert.match(table.stdout, /^lost +backing-off .* NEXT_UNKNOWN: no next node no-such-next; there are ip4-lookup, /m)
    for (const [node, type] of [
      ['ip4-lookup', 'fail'],
      ['lost', 'go'],
    ] as const) {
      const refused = await corod(['--socket', daemon.socket, 'send', node, type])
      assert.equal(refused.code, 75)
      assert.match(refused.stderr, new RegExp(`^corod: the node is not registered with the host: node ${node} cannot `))
    }
    const answer = await daemon.client.send('lost', { type: 'go' }).catch(error => error)
    assert.deepEqual([answer.status, answer.code], [503, 'UNREGISTERED'])
    assert.equal((await daemon.client.send('rec', { type: 'number', n: 1 })).accepted, 1)
    await waitFor('the event', () => recorded(folder).length === 1)
    assert.doesNotMatch(await host.cli('show corod nodes'), /lost|ip4-lookup/)
  })

  it('names that VPP would choke on never get to the host', async () => {
    using folder = new Folder()
    const names = ['a%s', 'a/b', 'a b', 'x'.repeat(64), '-a', '""']
    const file = folder.write(
      'bad.yaml',
      `nodes:\n${names.map(name => `  ${name}: { module: ${recorder} }\n`).join('')}`,
    )
    for (const args of [['check'], ['run', '--host-socket', folder.at('h'), '--socket', folder.at('c')]]) {
      const refused = await corod([...args, '-c', file])
      assert.deepEqual([refused.code, refused.stdout], [78, ''])
      const lines = refused.stderr.trimEnd().split('\n')
      assert.equal(lines.length, names.length, refused.stderr)
      for (const [i, line] of lines.entries()) {
        assert.match(line, new RegExp(`^${file}:${i + 2}:3: nodes: .*(is no name for a node|a node's name )`))
      }
    }
    const twice = folder.write('twice.yaml', `nodes:\n  a: { module: ${recorder} }\n  a: { module: ${recorder} }\n`)
    const refused = await corod(['check', '-c', twice])
    assert.equal(refused.code, 78)
    assert.equal(refused.stderr, `${twice}:3:3: nodes.a: the key 'a' is here twice (first in line 2): keep one\n`)
  })

  it('without permission on the socket of its host, the daemon says so and goes on; with it, it attaches', async function () {
    if (!canBeNobody()) this.skip()
    using folder = new Folder()
    openGate(folder)
    await using host = await startStandalone(folder, ['--mode', '0600'])
    chownSync(folder.path, nobody, nobody)
    const yaml = `host: { reconnect: { min: 10ms, max: 50ms } }\n${recorderYaml(folder)}`
    await using daemon = startDaemon(folder, yaml, { uid: nobody })
    const away = await waitFor('the reason', async () => {
      const { host } = await daemon.client.status()
      return host.lastError === undefined ? undefined : host
    })
    assert.equal(away.state, 'connecting')
    assert.equal(away.lastError, `no permission to use ${host.socket}: add this user to its group (gid 0)`)
    const refused = await corod(['--socket', daemon.socket, 'send', 'rec', 'number', '{"n": 1}'])
    assert.equal(refused.code, 69)
    assert.match(refused.stderr, /^corod: the host is away: .*no permission to use/)
    chmodSync(host.socket, 0o666)
    await daemon.running()
    assert.equal((await daemon.client.send('rec', { type: 'number', n: 1 })).accepted, 1)
    await waitFor('the event', () => recorded(folder).length === 1)
  })

  it('without permission where its own socket is to be, the daemon ends with 77 and says where', async function () {
    if (!canBeNobody()) this.skip()
    using folder = new Folder()
    await using host = await startStandalone(folder)
    chmodSync(folder.path, 0o755)
    await using daemon = startDaemon(folder, recorderYaml(folder), { uid: nobody })
    assert.deepEqual(await daemon.program.exit, { code: 77, signal: null })
    assert.match(daemon.program.stderr, /^corod: .*daemon\.sock.*: .*(permission|no access)/)
    assert.ok(!existsSync(daemon.socket))
    assert.match(await host.cli('show corod'), /no daemon|not attached|waiting/i)
  })
})
