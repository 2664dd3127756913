// numbers.ts: integers, doubles and booleans as fields of a message.

import { Misfit, show } from './errors.js'
import { type Kind, littleEndian } from './kind.js'

const noExtra = () => 0

function integer(
  name: string,
  min: number,
  max: number,
  read: (view: DataView, offset: number) => number,
  write: (view: DataView, offset: number, value: number) => void,
): Kind<number> {
  const bits = Number(name.slice(1))
  return {
    name,
    size: bits / 8,
    open: false,
    schema: { type: 'integer', minimum: min, maximum: max },
    c: field => ({ declaration: `${min < 0 ? 'int' : 'uint'}${bits}_t ${field}` }),
    read,
    prepare(value) {
      if (typeof value !== 'number' || !Number.isInteger(value)) throw new Misfit(`${show(value)} is not an integer`)
      if (value < min || value > max) throw new Misfit(`${value} is out of range: ${name} takes ${min} to ${max}`)
      return value
    },
    extra: noExtra,
    write: (view, offset, value) => write(view, offset, value as number),
  }
}

function wide(name: 'u64' | 'i64', min: bigint, max: bigint): Kind<bigint> {
  const signed = name === 'i64'
  const pattern = signed ? '^(0|-?[1-9][0-9]{0,18})$' : '^(0|[1-9][0-9]{0,19})$'
  const digits = new RegExp(pattern)
  return {
    name,
    size: 8,
    open: false,
    schema: {
      description: `${name}; a decimal string, or a number that JSON keeps exact`,
      oneOf: [
        { type: 'string', pattern },
        { type: 'integer', minimum: signed ? Number.MIN_SAFE_INTEGER : 0, maximum: Number.MAX_SAFE_INTEGER },
      ],
    },
    c: field => ({ declaration: `${signed ? 'int64_t' : 'uint64_t'} ${field}` }),
    read: signed
      ? (view, offset) => view.getBigInt64(offset, littleEndian)
      : (view, offset) => view.getBigUint64(offset, littleEndian),
    prepare(value) {
      let exact: bigint
      if (typeof value === 'bigint') exact = value
      else if (typeof value === 'string' && digits.test(value)) exact = BigInt(value)
      else if (typeof value === 'number' && Number.isSafeInteger(value)) exact = BigInt(value)
      else if (typeof value === 'number' && Number.isInteger(value))
        throw new Misfit(`${value} is not exact in JSON: write it as a decimal string`)
      else throw new Misfit(`${show(value)} is not an integer: write a decimal string`)
      if (exact < min || exact > max) throw new Misfit(`${exact} is out of range: ${name} takes ${min} to ${max}`)
      return exact
    },
    extra: noExtra,
    write(view, offset, value) {
      if (signed) view.setBigInt64(offset, value as bigint, littleEndian)
      else view.setBigUint64(offset, value as bigint, littleEndian)
    },
  }
}

/** Unsigned, 8 bits. */
export const u8: Kind<number> = integer(
  'u8',
  0,
  0xff,
  (view, offset) => view.getUint8(offset),
  (view, offset, value) => view.setUint8(offset, value),
)

/** Unsigned, 16 bits, in the byte order of the machine. */
export const u16: Kind<number> = integer(
  'u16',
  0,
  0xffff,
  (view, offset) => view.getUint16(offset, littleEndian),
  (view, offset, value) => view.setUint16(offset, value, littleEndian),
)

/** Unsigned, 32 bits, in the byte order of the machine. */
export const u32: Kind<number> = integer(
  'u32',
  0,
  0xffff_ffff,
  (view, offset) => view.getUint32(offset, littleEndian),
  (view, offset, value) => view.setUint32(offset, value, littleEndian),
)

/** Unsigned, 64 bits: a bigint. JSON takes a decimal string, or a number up to 2^53 - 1. */
export const u64: Kind<bigint> = wide('u64', 0n, 2n ** 64n - 1n)

/** Signed, 8 bits. */
export const i8: Kind<number> = integer(
  'i8',
  -0x80,
  0x7f,
  (view, offset) => view.getInt8(offset),
  (view, offset, value) => view.setInt8(offset, value),
)

/** Signed, 16 bits, in the byte order of the machine. */
export const i16: Kind<number> = integer(
  'i16',
  -0x8000,
  0x7fff,
  (view, offset) => view.getInt16(offset, littleEndian),
  (view, offset, value) => view.setInt16(offset, value, littleEndian),
)

/** Signed, 32 bits, in the byte order of the machine. */
export const i32: Kind<number> = integer(
  'i32',
  -0x8000_0000,
  0x7fff_ffff,
  (view, offset) => view.getInt32(offset, littleEndian),
  (view, offset, value) => view.setInt32(offset, value, littleEndian),
)

/** Signed, 64 bits: a bigint. JSON takes a decimal string, or a number within ±(2^53 - 1). */
export const i64: Kind<bigint> = wide('i64', -(2n ** 63n), 2n ** 63n - 1n)

/** A double. JSON cannot say NaN or an infinity; C can. */
export const f64: Kind<number> = {
  name: 'f64',
  size: 8,
  open: false,
  schema: { type: 'number' },
  c: field => ({ declaration: `double ${field}` }),
  read: (view, offset) => view.getFloat64(offset, littleEndian),
  prepare(value) {
    if (typeof value !== 'number') throw new Misfit(`${show(value)} is not a number`)
    return value
  },
  extra: noExtra,
  write: (view, offset, value) => view.setFloat64(offset, value as number, littleEndian),
}

/** true or false; one byte, 1 or 0. */
export const bool: Kind<boolean> = {
  name: 'bool',
  size: 1,
  open: false,
  schema: { type: 'boolean' },
  c: field => ({ declaration: `uint8_t ${field}`, remark: '0 or 1' }),
  read(view, offset) {
    const byte = view.getUint8(offset)
    if (byte > 1) throw new Misfit(`${byte} is not a bool: 0 or 1`)
    return byte === 1
  },
  prepare(value) {
    if (typeof value !== 'boolean') throw new Misfit(`${show(value)} is not true or false`)
    return value
  },
  extra: noExtra,
  write: (view, offset, value) => view.setUint8(offset, value === true ? 1 : 0),
}
