// api.test.ts: the binary API, by VPP's own Python client (PAPI), and what it says of interface flips beside us.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { codes } from '../../shm/ring.js'
import { root } from '../support/folder.js'
import { Program } from '../support/program.js'
import { waitFor } from '../support/wait.js'
import { Peer } from './peer.js'
import { findVpp, needVpp, Vpp } from './vpp.js'

/** A PAPI client as a line server: tests/vpp/papi.py. */
class Papi implements AsyncDisposable {
  readonly #program: Program
  #answers = 1 // the first line says that it is ready

  constructor(vpp: Vpp) {
    const env = { ...process.env, PYTHONPATH: pythonPath() }
    const args = [join(root, 'tests', 'vpp', 'papi.py'), vpp.api]
    this.#program = new Program('/usr/bin/python3', args, { env, stdio: ['pipe', 'pipe', 'pipe'] })
  }

  /** Sends one request and gives its answer. */
  async ask<T>(request: object): Promise<T> {
    const place = this.#answers++
    this.#program.child.stdin?.write(`${JSON.stringify(request)}\n`)
    const line = await waitFor('an answer of PAPI', () => {
      if (this.#program.ended) return this.#program.output
      const lines = this.#program.stdout.split('\n')
      return lines.length > place + 1 ? lines[place] : undefined
    })
    assert.equal(this.#program.ended, undefined, line)
    return JSON.parse(line) as T
  }

  call<T>(name: string, args: object = {}): Promise<T> {
    return this.ask({ call: name, args })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]()
  }
}

function pythonPath(): string {
  const lib = join(findVpp() as string, 'lib', 'python3', 'dist-packages')
  return existsSync(lib) ? lib : ''
}

function needPapi(suite: Mocha.Context): void {
  needVpp(suite)
  const env = { ...process.env, PYTHONPATH: pythonPath() }
  if (spawnSync('/usr/bin/python3', ['-c', 'import vpp_papi'], { env }).status === 0) return
  process.stderr.write('  skipped: no vpp_papi for /usr/bin/python3 (Debian package of FD.io: python3-vpp-api)\n')
  suite.skip()
}

describe('vpp: binary API', function () {
  this.timeout(120_000)
  let vpp: Vpp
  let papi: Papi
  before(async function () {
    needPapi(this)
    vpp = await Vpp.start()
    papi = new Papi(vpp)
  })
  after(async () => {
    await papi?.[Symbol.asyncDispose]()
    await vpp?.[Symbol.asyncDispose]()
  })
  afterEach(() => assert.ok(vpp.running, vpp.output))

  it('sends events and says what is wrong with them', async () => {
    using peer = await Peer.attach(vpp.socket)
    const node = await peer.node('api', { codes: [{ code: 1, maxSize: 4 }] })
    await peer.ready()
    const send = (to: string, code: number, data: string) =>
      papi.call<{ retval: number; status: number; seq: number; text: string }>('corod_send', { node: to, code, data })
    const sent = await send('api', 1, '01020304')
    assert.deepEqual([sent.retval, sent.status, sent.seq], [0, 0, 1])
    assert.equal((await node.got(1))[0]?.payload.toString('hex'), '01020304')
    const wrong = await Promise.all([send('api', 1, '0102030405'), send('api', 2, ''), send('nobody', 1, '')])
    assert.deepEqual(
      wrong.map(answer => [answer.retval < 0, answer.status]),
      [
        [true, 11],
        [true, 10],
        [true, 9],
      ],
    )
    assert.equal(wrong[2]?.text, 'no such node')
  })

  it('lists nodes and tells of the attachment', async () => {
    assert.match((await papi.call<{ text: string }>('corod_attachment_get')).text, /no daemon is attached/)
    using peer = await Peer.attach(vpp.socket)
    const one = await peer.node('one', { next: ['ip4-lookup', 'error-drop'] })
    await peer.node('two')
    await peer.ready()
    type Details = { name: string; node_index: number; next: number }
    const all = await papi.call<Details[]>('corod_node_dump', { node: '' })
    assert.deepEqual(all.map(node => node.name).sort(), ['one', 'two'])
    const [details] = await papi.call<Details[]>('corod_node_dump', { node: 'one' })
    assert.deepEqual([details?.node_index, details?.next], [one.index, 2])
    assert.deepEqual(await papi.call('corod_node_dump', { node: 'nobody' }), [])
    const attachment = await papi.call<{ nodes: number; socket: string; text: string }>('corod_attachment_get')
    assert.deepEqual([attachment.nodes, attachment.socket], [2, vpp.socket])
    assert.match(attachment.text, new RegExp(`daemon attached: process ${process.pid}`))
  })

  it('a node sees each of 1,000 flips, where VPP’s own event tells less', async () => {
    using peer = await Peer.attach(vpp.socket)
    const node = await peer.node('flips', { codes: [{ code: codes.interfaceChange, maxSize: 99 }] })
    await peer.ready()
    const { sw_if_index: index } = await papi.call<{ sw_if_index: number }>('create_loopback')
    await papi.call('want_interface_events', { enable_disable: 1, pid: process.pid })
    await papi.ask({ flips: 1000, interface: index })
    const flips = () => node.events.filter(e => e.payload.readUInt8(4) === 1)
    await waitFor('1,000 admin transitions', () => flips().length === 1000)
    assert.ok(flips().every((e, i) => e.payload.readUInt8(5) === (i + 1) % 2))
    assert.equal(flips().at(-1)?.payload.readUInt8(5), 0)
    // VPP's event comes from a process that looks later: nothing more comes once the count rests.
    let own: [number, number][] = []
    await waitFor(
      "VPP's own events to end",
      async () => {
        const before = own.length
        own = await papi.ask<[number, number][]>({ events: 1 })
        return own.length > 0 && own.length === before
      },
      { every: 300 },
    )
    // Recorded, not asserted: how many VPP merges depends on how fast it is asked. docs/vpp.md tells a run's numbers.
    console.log(`      VPP's own sw_interface_event: ${own.length} events for 1,000 flips, the last ${own.at(-1)}`)
  })
})
