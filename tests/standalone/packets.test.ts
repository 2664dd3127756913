// Packets that nodes send: counted per next node, written to a pcapng file that tshark reads, even on a full disk.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'mocha'
import { Folder } from '../support/folder.js'
import { packets } from '../support/pcapng.js'
import { Program } from '../support/program.js'
import { finished } from '../support/service.js'
import { waitFor } from '../support/wait.js'
import { Peer } from '../vpp/peer.js'
import { hostOf, program, startHost } from './host.js'

const next = ['ip4-lookup', 'ip6-lookup', 'interface-output', 'error-drop']

/** 192.0.2.1 -> 192.0.2.2, UDP 1234 -> 5678, `text`. */
function udp4(text: string): Buffer {
  const packet = Buffer.alloc(28 + text.length)
  packet.writeUInt8(0x45)
  packet.writeUInt16BE(packet.length, 2)
  packet.writeUInt8(64, 8)
  packet.writeUInt8(17, 9)
  Buffer.from([192, 0, 2, 1, 192, 0, 2, 2]).copy(packet, 12)
  packet.writeUInt16BE(1234, 20)
  packet.writeUInt16BE(5678, 22)
  packet.writeUInt16BE(8 + text.length, 24)
  packet.write(text, 28)
  return packet
}

function udp6(text: string): Buffer {
  const packet = Buffer.alloc(48 + text.length)
  packet.writeUInt32BE(0x60000000)
  packet.writeUInt16BE(8 + text.length, 4)
  packet.writeUInt8(17, 6)
  packet.writeUInt8(64, 7)
  packet.writeUInt8(0xfd, 8)
  packet.writeUInt8(0xfd, 24)
  packet.writeUInt16BE(8 + text.length, 44)
  return packet
}

const ethernet = (payload: Buffer) =>
  Buffer.concat([Buffer.from([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x08, 0x00]), payload])

describe('corod-standalone: packets', () => {
  it('writes them to a file that tshark reads, each with the node it went to', async function () {
    if (spawnSync('tshark', ['--version']).error) this.skip()
    using folder = new Folder()
    const pcap = folder.at('out.pcap')
    await using host = await startHost(folder, ['--no-interfaces', '--pcap', pcap])
    const empty = await finished('tshark', ['-r', pcap])
    assert.equal(empty.code, 0, empty.stderr)
    using peer = await Peer.attach(host.socket)
    const node = await peer.node('beacon', { next, commandRing: 65536 })
    assert.equal((await node.enqueue(0, udp4('hello'))).status, 'OK')
    assert.equal((await node.enqueue(1, udp6('hello six'))).status, 'OK')
    assert.equal((await node.enqueue(2, ethernet(udp4('framed')), 0xffffffff, 1)).status, 'OK')
    assert.equal((await node.enqueue(3, udp4('dropped'))).status, 'OK')
    assert.equal((await node.enqueue(0, Buffer.alloc(9216, 0x45))).status, 'OK')
    assert.deepEqual(packets(pcap).slice(0, 2), [udp4('hello'), udp6('hello six')])
    const fields = ['frame.interface_name', 'frame.len', 'ip.src', 'ip.ttl', 'ipv6.dst', 'udp.dstport', 'frame.comment']
    const args = ['-r', pcap, '-T', 'fields', '-E', 'separator=,', ...fields.flatMap(field => ['-e', field])]
    const read = await finished('tshark', args)
    assert.equal(read.code, 0, read.stderr)
    const lines = read.stdout.trimEnd().split('\n')
    assert.deepEqual(lines.slice(0, 3), [
      'ip4-lookup,33,192.0.2.1,64,,5678,from beacon rx -1 tx -1',
      'ip6-lookup,57,,,fd00::,0,from beacon rx -1 tx -1',
      'interface-output,48,192.0.2.1,64,,5678,from beacon rx -1 tx 1',
    ])
    assert.equal(lines.length, 4)
    assert.match(lines[3] ?? '', /^ip4-lookup,9216,/)
    const errors = await host.show('show errors')
    assert.match(errors, /^ +2 ip4-lookup /m)
    assert.match(errors, /^ +1 error-drop +packets dropped/m)
    assert.match(await host.show('show packets'), /4 packets written, 0 lost\n$/)
  })

  it('refuses flags, interfaces and sizes it does not take', async () => {
    using folder = new Folder()
    await using host = await startHost(folder, [])
    using peer = await Peer.attach(host.socket)
    const node = await peer.node('n', { next, commandRing: 65536 })
    const packet = udp4('x')
    assert.equal((await node.enqueue(0, packet, 0xffffffff, 0xffffffff, 1)).status, 'UNSUPPORTED')
    assert.equal((await node.enqueue(0, packet, 0xffffffff, 0xffffffff, 1 << 25)).status, 'OK')
    assert.equal((await node.enqueue(0, packet, 999_999)).status, 'INTERFACE_UNKNOWN')
    assert.equal((await node.enqueue(2, packet)).status, 'UNSUPPORTED')
    assert.equal((await node.enqueue(2, packet, 0, 999_999)).status, 'INTERFACE_UNKNOWN')
    assert.equal((await node.enqueue(2, packet, 0, 1)).status, 'OK')
    assert.equal((await node.enqueue(4, packet)).status, 'NEXT_UNKNOWN')
    assert.match(await host.show('show corod node n'), /commands 7, refused 5,/)
  })

  it('survives a full disk: says so once, counts what is lost, and the file stays readable', async function () {
    const probe = spawnSync('unshare', ['-Urm', 'mount', '-t', 'tmpfs', 'none', '/mnt'])
    if (probe.error || probe.status !== 0) this.skip()
    using folder = new Folder()
    const [socket, cli] = [folder.at('host.sock'), folder.at('cli.sock')]
    // A disk of 64 KiB in a mount namespace of its own, which the test reaches through the host's entry in /proc.
    const script = `mount -t tmpfs -o size=64k none /mnt && exec "$0" --pcap /mnt/out.pcap "$@"`
    const args = ['-Urm', 'sh', '-c', script, program, '--socket', socket, '--cli', cli, '--no-interfaces']
    await using host = await hostOf(new Program('unshare', args), socket, cli)
    const pcap = join('/proc', `${host.program.pid}`, 'root', 'mnt', 'out.pcap')
    using peer = await Peer.attach(host.socket)
    const node = await peer.node('n', { next, commandRing: 65536 })
    for (let i = 0; i < 50; i++) assert.equal((await node.enqueue(0, udp4('x'.repeat(4000)))).status, 'OK')
    const shown = /(\d+) packets written, (\d+) lost; the file cannot be written now/.exec(
      await host.show('show packets'),
    )
    const [written, lost] = [Number(shown?.[1]), Number(shown?.[2])]
    assert.equal(written + lost, 50)
    assert.ok(written > 5 && lost > 30)
    assert.equal(host.program.stderr.match(/cannot be written: No space left on device/g)?.length, 1)
    assert.equal(packets(pcap).length, written)
    let size = statSync(pcap).size
    assert.equal((await host.ask('show version')).code, 0)
    // Smaller ones still find room; and when there is room again, writing goes on and is said.
    while (statSync(pcap).size === size) await node.enqueue(0, udp4(''))
    await waitFor('the report', () => /can be written again; \d+ packets were lost/.test(host.program.stderr))
    size = packets(pcap).length
    assert.ok(size > written)
  })

  it('goes on when not even the head of the file can be written', async () => {
    using folder = new Folder()
    await using host = await startHost(folder, ['--no-interfaces', '--pcap', '/dev/full'])
    using peer = await Peer.attach(host.socket)
    const node = await peer.node('n', { next })
    for (let i = 0; i < 5; i++) assert.equal((await node.enqueue(0, udp4('x'))).status, 'OK')
    assert.match(await host.show('show packets'), /0 packets written, 5 lost; the file cannot be written now/)
    assert.equal(host.program.stderr.match(/cannot be written/g)?.length, 1)
    assert.match(await host.show('show errors'), /^ +5 ip4-lookup /m)
    assert.equal((await host.program.kill()).code, 0)
  })
})
