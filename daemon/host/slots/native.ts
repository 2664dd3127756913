// native.ts: reading the numbers of copied records. They are in the byte order of the machine.
import { endianness } from 'node:os'

/** Whether numbers in shared memory are little-endian: the last argument of DataView's getters. */
export const littleEndian = endianness() === 'LE'
const low = littleEndian ? 0 : 4
const high = 4 - low

/** A u64 as a number; exact up to 2^53. */
export function readU64(view: DataView, at: number): number {
  return view.getUint32(at + high, littleEndian) * 0x1_0000_0000 + view.getUint32(at + low, littleEndian)
}
