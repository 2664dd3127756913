// pcapng.ts: the packets of a capture file, as far as the tests read such files.
import { readFileSync } from 'node:fs'

const ENHANCED_PACKET = 6

/** The bytes of every complete packet in a little-endian pcapng file; a block that is still being written is left out. */
export function packets(path: string): Buffer[] {
  const file = readFileSync(path)
  const found: Buffer[] = []
  for (let at = 0; at + 12 <= file.length; ) {
    const size = file.readUInt32LE(at + 4)
    if (size < 12 || at + size > file.length) break
    if (file.readUInt32LE(at) === ENHANCED_PACKET) {
      const captured = file.readUInt32LE(at + 20)
      found.push(file.subarray(at + 28, at + 28 + captured))
    }
    at += size
  }
  return found
}
