// daemon.test.ts: coroutines in a real VPP: packets byte by byte, the origin's scenario, a hundred deaths.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { beacon } from '../../docs/examples/beacon.js'
import { Folder, root } from '../support/folder.js'
import { waitFor } from '../support/wait.js'
import { Daemon } from './daemon.js'
import { needPapi, Papi } from './papi.js'
import { readCapture } from './pcap.js'
import { needVpp, sanitized, Vpp } from './vpp.js'

const beaconModule = join(root, 'dist', 'docs', 'examples', 'beacon.js')

describe('vpp: beacon', function () {
  this.timeout(120_000)
  const folder = new Folder()
  let vpp: Vpp
  let daemon: Daemon
  before(async function () {
    needVpp(this)
    vpp = await Vpp.start()
    await vpp.script([
      'create packet-generator interface pg0',
      'set interface mac address pg0 02:00:00:00:00:01',
      'set interface ip address pg0 10.9.0.1/24',
      'set interface state pg0 up',
      'set ip neighbor pg0 10.9.0.2 02:00:00:00:00:02',
    ])
    daemon = new Daemon(vpp.socket, { beacon: { module: beaconModule, options: { from: '10.9.0.1', every: 100 } } })
    await daemon.running()
  })
  after(async () => {
    await daemon?.[Symbol.asyncDispose]()
    await vpp?.[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
  })

  it('sends UDP through ip4-lookup, every byte as it should be, 100 ms apart', async () => {
    const file = folder.at('out.pcap')
    await vpp.cli(`packet-generator capture pg0 pcap ${file} count 10`)
    await daemon.send('beacon', 'enable', { dest: '10.9.0.2' })
    const packets = await waitFor('ten packets', () => {
      const all = readCapture(file)
      return all.length >= 10 ? all : undefined
    })
    await daemon.send('beacon', 'disable')
    const ethernet = Buffer.from('0200000000020200000000010800', 'hex')
    packets.forEach(({ bytes }, count) => {
      const ip = Buffer.from(beacon({ from: '10.9.0.1', to: '10.9.0.2', port: 9999, count }))
      ip[8] = 63 // one hop
      ip.writeUInt16BE(ip.readUInt16BE(10) + 0x100, 10) // and its checksum (RFC 1624)
      assert.equal(bytes.toString('hex'), Buffer.concat([ethernet, ip]).toString('hex'))
    })
    // Never early: how late is the bench's matter, but half of them are nearer to 100 ms than to any other rhythm. The
    // first may itself be late: count from the second.
    const took = (packets.at(-1)?.time ?? 0) - (packets[1]?.time ?? 0)
    assert.ok(took >= 0.7, `eight intervals took ${took} s`)
    const intervals = packets.slice(1).map(({ time }, i) => time - (packets[i]?.time ?? 0))
    const middle = intervals.sort((a, b) => a - b)[4] as number
    assert.ok(middle > 0.08 && middle < 0.15, `intervals of ${intervals} s`)
    assert.match(await vpp.cli('show errors'), /beacon +beacons sent/)
  })

  it('the origin’s scenario: enabled by API, two packets seen, disabled', async function () {
    needPapi(this)
    await using papi = new Papi(vpp)
    const send = (code: number, data: string) =>
      papi.call<{ status: number }>('corod_send', { node: 'beacon', code, data })
    const file = folder.at('two.pcap')
    const sent = async () => Number(/(\d+) +beacon +beacons sent/.exec(await vpp.cli('show errors'))?.[1] ?? 0)
    await vpp.cli(`packet-generator capture pg0 disable`)
    await vpp.cli(`packet-generator capture pg0 pcap ${file} count 2`)
    assert.equal((await send(1, '0a090002')).status, 0)
    await waitFor('two packets', () => readCapture(file).length >= 2)
    assert.equal((await send(2, '')).status, 0)
    await waitFor('the node to take it', async () => /waiting 0 of/.test(await vpp.cli('show corod node beacon')))
    const before = await sent()
    await waitFor('nothing for three intervals', async () => {
      await new Promise(resolve => setTimeout(resolve, 300))
      return (await sent()) <= before + 1
    })
  })
})

describe('vpp: the daemon dies', function () {
  this.timeout(300_000)
  let vpp: Vpp
  before(async function () {
    needVpp(this)
    vpp = await Vpp.start()
  })
  after(async () => {
    await vpp?.[Symbol.asyncDispose]()
  })

  it('100 times under load: VPP stays, loses nothing, and has its memory and descriptors back', async () => {
    await using daemon = new Daemon(vpp.socket, { events: { module: 'events.js', queue: { backlog: 200_000 } } })
    await daemon.running()
    let sent = 0
    const settled = () =>
      waitFor('the last event', () => daemon.lines<{ data: string }>('events').at(-1)?.data === `${sent - 1}`)
    const load = async () => {
      await vpp.cli(`corod-test signal events 2 ${sent} 500`)
      sent += 500
    }
    const round = async () => {
      await load()
      await waitFor('the attachment', async () => {
        if (daemon.ended) throw new Error(`it ended: ${daemon.output}`)
        return /daemon attached/.test(await vpp.cli('show corod attachment'))
      })
      await load()
      await daemon.restart()
    }
    for (let i = 0; i < 10; i++) await round()
    await load()
    await settled()
    const memory = vpp.resident()
    const descriptors = vpp.descriptors()
    for (let i = 0; i < 90; i++) await round()
    await load()
    await settled()
    assert.ok(vpp.running, vpp.output)
    assert.equal(vpp.descriptors(), descriptors)
    // The sanitizer keeps what is freed for a while.
    if (!sanitized) assert.ok(vpp.resident() < memory + (4 << 20), `${memory} bytes grew to ${vpp.resident()}`)

    // Every signal arrived; those that were in the hands of a dead daemon perhaps again, and marked.
    const seen = new Set<string>()
    for (const { data, redelivered } of daemon.lines<{ data: string; redelivered: boolean }>('events')) {
      assert.ok(redelivered || !seen.has(data), `${data} came twice and is not marked`)
      seen.add(data)
    }
    assert.equal(seen.size, sent)
  })
})
