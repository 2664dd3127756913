// beacon.ts: while it is enabled, sends a small UDP packet to one destination at a steady pace.
import { ip4, message, processNode } from 'corod'

interface Options {
  /** IPv4 address that the packets come from. */
  readonly from?: string
  /** UDP port, source and destination. */
  readonly port?: number
  /** Milliseconds between two packets. */
  readonly every?: number
}

export default processNode({
  messages: {
    enable: message(1, { dest: ip4 }),
    disable: message(2),
  },
  next: ['ip4-lookup'],
  counters: {
    sent: 'beacons sent',
    full: { text: 'command ring full, beacon skipped', severity: 'warn' },
    missed: { text: 'requests lost because the queue was full', severity: 'error' },
  },

  async run(vm, node) {
    const { from = '192.0.2.1', port = 9999, every = 100 } = node.options as Options
    using due = vm.timer() // outside the loop: a message does not restart it
    let dest: string | undefined
    let count = 0

    for (;;) {
      const event = await vm.select({ due, message: node.inbox })
      if (event.done) return

      if (event.source === 'due') {
        if (dest === undefined) continue
        const sent = node.enqueue('ip4-lookup', beacon({ from, to: dest, port, count: count++ }))
        node.count(sent ? 'sent' : 'full')
        due.set(every)
        continue
      }

      const request = event.value
      switch (request.type) {
        case 'enable':
          dest = request.dest
          node.log.info({ dest }, 'enabled')
          due.set(0) // the first packet at once, also when only the destination changed
          break
        case 'disable':
          dest = undefined
          node.log.info({ sent: count }, 'disabled')
          due.clear()
          break
        case 'gap':
          // An enable or a disable is among the lost ones: which, nobody can say. Be quiet until told again.
          node.count('missed', Number(request.count))
          node.log.warn({ lost: request.count }, 'requests were lost: disabled')
          dest = undefined
          due.clear()
          break
      }
    }
  },
})

interface Beacon {
  readonly from: string
  readonly to: string
  readonly port: number
  /** Goes into the payload. */
  readonly count: number
}

const ipHeader = 20
const udpHeader = 8

/** An IPv4 packet as `ip4-lookup` takes it: no Ethernet header, checksums in place. */
export function beacon({ from, to, port, count }: Beacon): Uint8Array {
  const payload = new TextEncoder().encode(`corod beacon ${count}`)
  const packet = new Uint8Array(ipHeader + udpHeader + payload.length)
  const view = new DataView(packet.buffer)

  view.setUint8(0, 0x45) // version 4, header of 5 words
  view.setUint16(2, packet.length)
  view.setUint16(4, count & 0xffff) // identification
  view.setUint16(6, 0x4000) // do not fragment
  view.setUint8(8, 64) // TTL
  view.setUint8(9, 17) // UDP
  packet.set(from.split('.').map(Number), 12)
  packet.set(to.split('.').map(Number), 16)
  view.setUint16(10, checksum(view, 0, ipHeader))

  view.setUint16(20, port)
  view.setUint16(22, port)
  view.setUint16(24, udpHeader + payload.length)
  packet.set(payload, ipHeader + udpHeader)
  // The pseudo header: addresses, protocol and length once more. A UDP checksum of 0 would mean "none".
  const pseudo = sum(view, 12, 8) + 17 + udpHeader + payload.length
  view.setUint16(26, fold(pseudo + sum(view, ipHeader, packet.length - ipHeader)) ^ 0xffff || 0xffff)
  return packet
}

/** The Internet checksum (RFC 1071) of `length` bytes. */
function checksum(view: DataView, offset: number, length: number): number {
  return fold(sum(view, offset, length)) ^ 0xffff
}

function sum(view: DataView, offset: number, length: number): number {
  let total = 0
  for (let i = 0; i + 1 < length; i += 2) total += view.getUint16(offset + i)
  return length % 2 === 0 ? total : total + view.getUint8(offset + length - 1) * 256
}

function fold(total: number): number {
  let folded = total
  while (folded > 0xffff) folded = (folded & 0xffff) + Math.floor(folded / 0x10000)
  return folded
}
