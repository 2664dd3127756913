import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { type Served, serve } from '../control/plane.js'
import { Folder, root } from '../support/folder.js'
import { waitFor } from '../support/wait.js'
import { corod } from './corod.js'

describe('cli: send', () => {
  let served: Served
  let folder: Folder
  beforeEach(async () => {
    served = await serve()
    folder = new Folder()
  })
  afterEach(async () => {
    folder[Symbol.dispose]()
    await served[Symbol.asyncDispose]()
  })

  const send = (args: readonly string[], input?: string | readonly string[]) =>
    corod(['--socket', served.socket, 'send', ...args], input === undefined ? {} : { input })
  const sent = () => served.plane.sent.map(({ type, value }) => [type, value])

  it('one event from the command line', async () => {
    const { code, stdout, stderr } = await send(['echo', 'ping', '{"x": 1, "y": "z"}'])
    assert.deepEqual([code, stdout, stderr], [0, '1 accepted, last sequence number 1\n', ''])
    assert.deepEqual(sent(), [['ping', { x: 1, y: 'z' }]])
  })

  it('no JSON: an event without fields', async () => {
    assert.equal((await send(['echo', 'ping'])).code, 0)
    assert.deepEqual(sent(), [['ping', {}]])
  })

  it('an array: several events', async () => {
    const { code, stdout } = await send(['echo', 'ping', '[{"x":1},{"x":2},{"type":"pong"}]'])
    assert.deepEqual([code, stdout], [0, '3 accepted, last sequence number 3\n'])
    assert.deepEqual(sent(), [
      ['ping', { x: 1 }],
      ['ping', { x: 2 }],
      ['pong', {}],
    ])
  })

  it('-: lines from standard input, in order; empty ones do not count', async () => {
    const lines = Array.from({ length: 5000 }, (_, x) => `{"x":${x}}\n`).join('')
    const { code, stdout } = await send(['echo', 'ping', '-'], `\n${lines}\n{"x":5000}`)
    assert.deepEqual([code, stdout], [0, '5001 accepted, last sequence number 5001\n'])
    assert.deepEqual(
      sent(),
      Array.from({ length: 5001 }, (_, x) => ['ping', { x }]),
    )
  })

  it('-: lines are sent as they come, not at the end', async () => {
    const args = [join(root, 'bin', 'corod'), '--socket', served.socket, 'send', 'echo', 'ping', '-']
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
    const ended = new Promise(resolve => child.once('close', resolve))
    child.stdin.write('{"x":1}\n{"x":')
    await waitFor('the first event', () => served.plane.sent.length === 1)
    child.stdin.end('2}\n')
    assert.equal(await ended, 0)
    assert.deepEqual(sent(), [
      ['ping', { x: 1 }],
      ['ping', { x: 2 }],
    ])
  })

  it('-: nothing at all is nothing sent', async () => {
    const { code, stdout } = await send(['echo', 'ping', '-'], '')
    assert.deepEqual([code, stdout], [0, '0 accepted\n'])
  })

  it('@file: one object or an array, however it is laid out', async () => {
    const one = folder.write('one.json', '{\n  "x": 1\n}\n')
    const two = folder.write('two.json', '[\n  { "x": 2 },\n  { "x": 3 }\n]\n')
    assert.equal((await send(['echo', 'ping', `@${one}`])).code, 0)
    assert.equal((await send(['echo', 'ping', `@${two}`])).code, 0)
    assert.deepEqual(sent(), [
      ['ping', { x: 1 }],
      ['ping', { x: 2 }],
      ['ping', { x: 3 }],
    ])
  })

  it('@file.ndjson: line by line; a line that is none is told by its number', async () => {
    const file = folder.write('events.ndjson', '{"x":1}\n\nrubbish\n{"x":2}\n')
    const { code, stdout, stderr } = await send(['echo', 'ping', `@${file}`])
    assert.deepEqual([code, stdout], [1, '2 accepted, 1 rejected, last sequence number 2\n'])
    assert.match(stderr, new RegExp(`^corod: ${file}:3: is not JSON: .*\\n$`))
    assert.equal(served.plane.sent.length, 2)
  })

  it('@file that is not there, or not JSON: status 1, the file is named', async () => {
    const none = await send(['echo', 'ping', `@${folder.at('none.json')}`])
    const lines = await send(['echo', 'ping', `@${folder.at('none.ndjson')}`])
    for (const { code, stderr } of [none, lines]) {
      assert.equal(code, 1)
      assert.match(stderr, /^corod: cannot read .*none\.(nd)?json: ENOENT.*\n$/)
    }
    const bad = await send(['echo', 'ping', `@${folder.write('bad.json', '{}\n{}\n')}`])
    assert.equal(bad.code, 1)
    assert.match(
      bad.stderr,
      /not JSON: .*bad.json holds one JSON object or an array; lines of JSON go into a .ndjson file\n$/,
    )
    assert.deepEqual(served.plane.sent, [])
  })

  it('--json: the summary as one object, nothing else', async () => {
    const { code, stdout, stderr } = await send(['--json', 'echo', 'ping', '[{},{}]'])
    assert.deepEqual([code, stderr], [0, ''])
    assert.deepEqual(JSON.parse(stdout), { accepted: 2, dropped: 0, rejected: 0, lastSeq: '2' })
  })

  it('--quiet: nothing', async () => {
    const { code, stdout, stderr } = await send(['-q', 'echo', 'ping'])
    assert.deepEqual([code, stdout, stderr], [0, '', ''])
  })

  it('what the overflow policy dropped is told', async () => {
    const { code, stdout } = await send(['echo', 'dropped'])
    assert.deepEqual(
      [code, stdout],
      [0, "1 accepted, 1 of them dropped by the node's overflow policy, last sequence number 1\n"],
    )
  })

  const refusals: [string, number, RegExp][] = [
    ['unknown', 1, /echo takes no "unknown"\n/],
    ['invalid', 1, /\/dest: must be an IPv4 address; \/port: must be 0 to 65535/],
    ['closed', 1, /closed/],
    ['big', 1, /over 4096 bytes/],
    ['broken', 1, /the daemon could not do that; its log says why/],
    ['full', 75, /the backlog of echo is full/],
    ['away', 69, /the host is away/],
  ]
  for (const [type, status, told] of refusals) {
    it(`an event that is refused (${type}): status ${status}, one line`, async () => {
      const { code, stdout, stderr } = await send(['echo', type, '{"x":1}'])
      assert.deepEqual([code, stdout], [status, ''])
      assert.match(stderr, told)
      assert.match(stderr, /^corod: [^\n]*\n$/)
    })

    it(`a refused line among others (${type}): status ${status}, its line is named`, async () => {
      const { code, stdout, stderr } = await send(['echo', 'ping', '-'], `{"x":1}\n{"type":"${type}"}\n`)
      assert.equal(code, status)
      assert.match(stdout, /^1 accepted, 1 rejected/)
      assert.match(stderr, /^corod: line 2: /)
      assert.match(stderr, told)
    })
  }

  it('a stream that stops for good (the host is away) says how far it came', async () => {
    const { code, stdout, stderr } = await send(['--json', 'echo', 'ping', '-'], '{"x":1}\n{"type":"away"}\n')
    assert.equal(code, 69)
    const summary = JSON.parse(stdout) as { accepted: number; errors: { line: number }[] }
    assert.equal(summary.accepted, 1)
    assert.equal(summary.errors[0]?.line, 2)
    assert.equal(JSON.parse(stderr).error.code, 'HOST_AWAY')
  })

  it('nothing is said of what was put into a line', async () => {
    const { stdout, stderr } = await send(['echo', 'ping', '-'], '{"x":1}\n{"x":1,}\n')
    assert.match(stdout, /^1 accepted, 1 rejected/)
    assert.match(stderr, /^corod: line 2: is not JSON: [^0-9]*\n$/)
  })

  it('an unknown node: status 1', async () => {
    const { code, stderr } = await send(['nobody', 'ping'])
    assert.equal(code, 1)
    assert.match(stderr, /^corod: no such node: there is no node "nobody"\n$/)
  })

  it('a line over the limit: status 1, what came before is counted', async () => {
    const { code, stdout, stderr } = await send(['echo', 'ping', '-'], `{"x":1}\n{"x":"${'y'.repeat(1_000_000)}"}\n`)
    assert.equal(code, 1)
    assert.match(stdout, /^1 accepted/)
    assert.match(stderr, /line 2 is longer than 4096 bytes/)
  })

  it('a quiet input is kept open beyond the patience of the daemon, and lines keep their numbers', async () => {
    await using impatient = await serve({ idleTimeout: 5000 })
    const args = [join(root, 'bin', 'corod'), '--socket', impatient.socket, 'send', 'echo', 'ping', '-']
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    let stderr = ''
    child.stderr.on('data', piece => {
      stderr += piece
    })
    const ended = new Promise(resolve => child.once('close', resolve))
    child.stdin.write('{"x":1}\n')
    await waitFor('the first event', () => impatient.plane.sent.length === 1)
    const began = performance.now()
    // Empty lines go in between: neither text nor JSON may count them.
    await waitFor('a pause longer than the limit', () => performance.now() - began > 6000, { every: 200 })
    child.stdin.end('rubbish\n{"x":2}\n')
    assert.equal(await ended, 1)
    assert.equal(impatient.plane.sent.length, 2)
    assert.match(stderr, /^corod: line 2: /)
  }).timeout(40_000)
})
