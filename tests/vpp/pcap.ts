// pcap.ts: reads the capture files that VPP's packet generator writes.
import { existsSync, readFileSync } from 'node:fs'

export interface Captured {
  /** Seconds, as VPP counts them. */
  readonly time: number
  readonly bytes: Buffer
}

/** The packets of a file that may still be written: a torn last one is left out. */
export function readCapture(path: string): readonly Captured[] {
  if (!existsSync(path)) return []
  const file = readFileSync(path)
  const packets: Captured[] = []
  for (let at = 24; at + 16 <= file.length; ) {
    const size = file.readUInt32LE(at + 8)
    if (at + 16 + size > file.length) break
    packets.push({
      time: file.readUInt32LE(at) + file.readUInt32LE(at + 4) / 1e6,
      bytes: file.subarray(at + 16, at + 16 + size),
    })
    at += 16 + size
  }
  return packets
}
