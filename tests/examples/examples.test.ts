// The examples of docs/, run as users run them: by `corod run` with demo.yaml, on the standalone host.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadConfig } from '../../daemon/config/load.js'
import { Daemon } from '../../daemon/host/daemon.js'
import { loadNodes } from '../../daemon/host/modules/loader.js'
import { Lines } from '../host/fake-config.js'
import { Folder, root } from '../support/folder.js'
import { Program } from '../support/program.js'
import { waitFor } from '../support/wait.js'

const examples = join(root, 'docs', 'examples')
const standalone = join(root, 'build', 'release', 'corod-standalone')

/** The packets of a pcapng file: the data of its enhanced packet blocks. */
function packetsOf(file: string): Buffer[] {
  const bytes = readFileSync(file)
  const packets: Buffer[] = []
  for (let at = 0; at + 12 <= bytes.length; ) {
    const type = bytes.readUInt32LE(at)
    const length = bytes.readUInt32LE(at + 4)
    if (length < 12 || at + length > bytes.length) break
    if (type === 6) packets.push(bytes.subarray(at + 28, at + 28 + bytes.readUInt32LE(at + 20)))
    at += length
  }
  return packets
}

/** The ones' complement sum, which is 0xffff over a header with a right checksum. */
function sum(bytes: Uint8Array, start = 0): number {
  let total = start
  for (let i = 0; i < bytes.length; i += 2) total += (bytes[i]! << 8) | (bytes[i + 1] ?? 0)
  while (total > 0xffff) total = (total & 0xffff) + (total >>> 16)
  return total
}

describe('examples', function () {
  this.timeout(60_000)
  let folder: Folder
  let host: Program
  let daemon: Daemon
  let log: Lines

  beforeEach(async () => {
    folder = new Folder()
    const places = ['--socket', folder.at('host.sock'), '--cli', folder.at('cli.sock'), '--pcap', folder.at('out.pcap')]
    host = new Program(standalone, [...places, '--no-interfaces'])
    await host.says(/ready/)
    const demo = loadConfig(join(examples, 'demo.yaml'))
    log = new Lines()
    daemon = new Daemon({ ...demo, host: { ...demo.host, socket: folder.at('host.sock') } }, log)
    await daemon.start()
    await waitFor('the nodes', () => daemon.status().nodes.running === 3)
  })

  afterEach(async () => {
    await daemon.stop()
    await host[Symbol.asyncDispose]()
    folder[Symbol.dispose]()
  })

  async function counter(name: string): Promise<number> {
    const asked = new Program(standalone, ['--cli', folder.at('cli.sock'), 'show', 'errors'])
    await asked.exit
    const line = asked.stdout.split('\n').find(one => one.includes(name))
    return Number(/^\s*(\d+)/.exec(line ?? '')?.[1] ?? 0)
  }

  it('beacon sends packets to where it was told, and stops', async () => {
    await daemon.send('beacon', 'enable', { dest: '198.51.100.7' })
    await waitFor('three packets', () => packetsOf(folder.at('out.pcap')).length >= 3)
    await daemon.send('beacon', 'disable', {})
    await waitFor('the end', () => log.lines.includes('info: disabled'))
    const packets = packetsOf(folder.at('out.pcap'))
    for (const [count, packet] of packets.entries()) {
      const header = packet.subarray(0, 20)
      assert.equal(header[0], 0x45)
      assert.equal(header.readUInt16BE(2), packet.length)
      assert.equal(header[8], 64)
      assert.equal(sum(header), 0xffff, 'IPv4 checksum')
      assert.deepEqual([...header.subarray(12)], [192, 0, 2, 1, 198, 51, 100, 7])
      const udp = packet.subarray(20)
      assert.deepEqual([udp.readUInt16BE(0), udp.readUInt16BE(2), udp.readUInt16BE(4)], [9999, 9999, udp.length])
      assert.equal(sum(udp, sum(header.subarray(12), 17 + udp.length)), 0xffff, 'UDP checksum')
      assert.equal(udp.subarray(8).toString(), `corod beacon ${count}`)
    }
    await waitFor('the counter', async () => (await counter('beacons sent')) === packets.length)
  })

  it('beacon goes to a new destination', async () => {
    await daemon.send('beacon', 'enable', { dest: '198.51.100.7' })
    await daemon.send('beacon', 'enable', { dest: '198.51.100.8' })
    const last = () => packetsOf(folder.at('out.pcap')).at(-1)?.[19]
    await waitFor('a packet to the second', () => last() === 8)
  })

  it('clock runs a command of its host, also when asked', async () => {
    await daemon.send('clock', 'ask', {})
    await waitFor('the answer', () => log.lines.some(line => /^info: corod-standalone/.test(line)))
  })

  it('are all in demo.yaml, and load', async () => {
    const nodes = await loadNodes(loadConfig(join(examples, 'demo.yaml')))
    assert.deepEqual(
      nodes.map(({ config, table }) => [config.name, table.names]),
      [
        ['beacon', ['enable', 'disable']],
        ['link-watch', ['change']],
        ['clock', ['ask']],
      ],
    )
  })
})
