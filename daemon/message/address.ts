// address.ts: IPv4, IPv6 and MAC addresses between text and bytes in network order.

const decimal = Array.from({ length: 256 }, (_, value) => `${value}`)
const hex = Array.from({ length: 256 }, (_, value) => value.toString(16).padStart(2, '0'))

/** `10.0.0.1` of the four bytes at `offset`. */
export function readIp4(view: DataView, offset: number): string {
  const a = decimal[view.getUint8(offset)]
  const b = decimal[view.getUint8(offset + 1)]
  const c = decimal[view.getUint8(offset + 2)]
  return `${a}.${b}.${c}.${decimal[view.getUint8(offset + 3)]}`
}

/** The four bytes of dotted decimal text, or undefined if it is none. Leading zeros are refused: some read them as octal. */
export function parseIp4(text: string): Uint8Array | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text)
  if (match === null) return undefined
  const bytes = new Uint8Array(4)
  for (let i = 0; i < 4; i++) {
    const part = match[i + 1]!
    if (Number(part) > 255 || (part.length > 1 && part.startsWith('0'))) return undefined
    bytes[i] = Number(part)
  }
  return bytes
}

/** The canonical text (RFC 5952) of the sixteen bytes at `offset`; IPv4-mapped ones as `::ffff:10.0.0.1`. */
export function readIp6(view: DataView, offset: number): string {
  const groups: number[] = []
  for (let i = 0; i < 16; i += 2) groups.push(view.getUint16(offset + i))
  const mapped = groups[5] === 0xffff && groups.slice(0, 5).every(group => group === 0)
  if (mapped) return `::ffff:${readIp4(view, offset + 12)}`

  // The longest run of at least two zero groups becomes `::`; of equals, the first.
  let start = -1
  let length = 1
  for (let i = 0; i < 8; i++) {
    let end = i
    while (end < 8 && groups[end] === 0) end++
    if (end - i > length) {
      start = i
      length = end - i
    }
    i = end
  }
  const text = (from: number, to: number) =>
    groups
      .slice(from, to)
      .map(group => group.toString(16))
      .join(':')
  return start < 0 ? text(0, 8) : `${text(0, start)}::${text(start + length, 8)}`
}

/** The sixteen bytes of IPv6 text, or undefined if it is none. No zone (`%eth0`): it means nothing in a packet. */
export function parseIp6(text: string): Uint8Array | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = groupsOf(halves[0]!, halves.length === 1)
  const tail = halves.length === 2 ? groupsOf(halves[1]!, true) : []
  if (head === undefined || tail === undefined) return undefined
  const zeros = 8 - head.length - tail.length
  if (halves.length === 1 ? zeros !== 0 : zeros < 1) return undefined
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  for (const [i, group] of [...head, ...Array<number>(zeros).fill(0), ...tail].entries()) view.setUint16(2 * i, group)
  return bytes
}

// The 16-bit groups of one side of `::`. Only the end of the whole text may be dotted decimal.
function groupsOf(text: string, last: boolean): number[] | undefined {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (const [i, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16))
      continue
    }
    const dotted = last && i === parts.length - 1 ? parseIp4(part) : undefined
    if (dotted === undefined) return undefined
    groups.push((dotted[0]! << 8) | dotted[1]!, (dotted[2]! << 8) | dotted[3]!)
  }
  return groups
}

/** `aa:bb:cc:dd:ee:ff` of the six bytes at `offset`. */
export function readMac(view: DataView, offset: number): string {
  let text = hex[view.getUint8(offset)]!
  for (let i = 1; i < 6; i++) text += `:${hex[view.getUint8(offset + i)]}`
  return text
}

/** The six bytes of colon-separated text, upper or lower case, or undefined if it is none. */
export function parseMac(text: string): Uint8Array | undefined {
  if (!/^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$/.test(text)) return undefined
  return Uint8Array.from(text.split(':'), part => Number.parseInt(part, 16))
}
