// values.ts: addresses, text, bytes, JSON and choices as fields of a message.

import { parseIp4, parseIp6, parseMac, readIp4, readIp6, readMac } from './address.js'
import { Misfit, show } from './errors.js'
import { type ChoiceKind, type JsonValue, type Kind, littleEndian, maxEvent } from './kind.js'
import { readText, wellFormed } from './text.js'

const noExtra = () => 0

function address(
  name: 'ip4' | 'ip6' | 'mac',
  size: number,
  example: string,
  format: Readonly<Record<string, string>>,
  read: (view: DataView, offset: number) => string,
  parse: (text: string) => Uint8Array | undefined,
): Kind<string> {
  return {
    name,
    size,
    open: false,
    schema: { type: 'string', ...format },
    c: field => ({
      declaration: `uint8_t ${field}[${size}]`,
      remark: name === 'mac' ? 'as on the wire' : 'network order',
    }),
    read,
    prepare(value) {
      const bytes = typeof value === 'string' ? parse(value) : undefined
      if (bytes === undefined) throw new Misfit(`${show(value)} is not ${name}: write it like "${example}"`)
      return bytes
    },
    extra: noExtra,
    write: (view, offset, bytes) => put(view, offset, bytes as Uint8Array),
  }
}

function put(view: DataView, offset: number, bytes: Uint8Array): void {
  new Uint8Array(view.buffer, view.byteOffset + offset, bytes.length).set(bytes)
}

/** An IPv4 address: text like `10.0.0.1`; four bytes in network order. */
export const ip4: Kind<string> = address('ip4', 4, '10.0.0.1', { format: 'ipv4' }, readIp4, parseIp4)
/** An IPv6 address: text like `2001:db8::1`, always canonical when received; sixteen bytes in network order. */
export const ip6: Kind<string> = address('ip6', 16, '2001:db8::1', { format: 'ipv6' }, readIp6, parseIp6)
/** A MAC address: text like `02:00:5e:10:00:01`, lower case when received; six bytes. */
export const mac: Kind<string> = address(
  'mac',
  6,
  '02:00:5e:10:00:01',
  { pattern: '^[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){5}$' },
  readMac,
  parseMac,
)

function length(what: string, n: number): number {
  if (!Number.isInteger(n) || n < 1 || n > maxEvent) throw new TypeError(`${what}(${n}): 1 to ${maxEvent} bytes`)
  return n
}

/**
 * Text, without NUL. In C `char[n]`, filled with NUL, not terminated when full.
 *
 * @param n bytes of UTF-8 that it has at most: 1 to 4096.
 * @example message(1, { label: text(16) })
 */
export function text(n: number): Kind<string> {
  const size = length('text', n)
  return {
    name: `text(${size})`,
    size,
    open: false,
    schema: { type: 'string', maxLength: size, description: `at most ${size} bytes of UTF-8, no NUL` },
    c: field => ({ declaration: `char ${field}[${size}]`, remark: 'UTF-8, filled with NUL; no NUL when full' }),
    read(view, offset) {
      const value = readText(view, offset, size, true)
      if (value === undefined) throw new Misfit('not UTF-8')
      return value
    },
    prepare(value) {
      if (typeof value !== 'string') throw new Misfit(`${show(value)} is not text`)
      if (value.includes('\0')) throw new Misfit('text cannot contain NUL')
      if (!wellFormed(value)) throw new Misfit('text has half a surrogate pair')
      const bytes = Buffer.from(value, 'utf8')
      if (bytes.length > size) throw new Misfit(`${bytes.length} bytes of UTF-8 are too many: at most ${size}`)
      return bytes
    },
    extra: noExtra,
    write: (view, offset, bytes) => put(view, offset, bytes as Uint8Array),
  }
}

const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/**
 * Bytes: a Uint8Array of its own; base64 in JSON. In C a `uint16_t` length, then `n` bytes.
 *
 * @param n bytes that it has at most: 1 to 4096.
 */
export function bytes(n: number): Kind<Uint8Array> {
  const size = length('bytes', n)
  return {
    name: `bytes(${size})`,
    size: 2 + size,
    open: false,
    schema: { type: 'string', contentEncoding: 'base64', maxLength: 4 * Math.ceil(size / 3) },
    c: field => ({
      declaration: `struct __attribute__((packed)) { uint16_t length; uint8_t data[${size}]; } ${field}`,
      remark: `length: 0 to ${size}`,
    }),
    read(view, offset) {
      const used = view.getUint16(offset, littleEndian)
      if (used > size) throw new Misfit(`length ${used} is more than ${size}`)
      const start = view.byteOffset + offset + 2
      return new Uint8Array(view.buffer.slice(start, start + used) as ArrayBuffer)
    },
    prepare(value) {
      let data: Uint8Array
      if (value instanceof Uint8Array) data = value
      else if (typeof value === 'string' && base64.test(value)) data = Buffer.from(value, 'base64')
      else throw new Misfit(`${show(value)} is not bytes: write base64`)
      if (data.length > size) throw new Misfit(`${data.length} bytes are too many: at most ${size}`)
      return data
    },
    extra: noExtra,
    write(view, offset, data) {
      view.setUint16(offset, (data as Uint8Array).length, littleEndian)
      put(view, offset + 2, data as Uint8Array)
    },
  }
}

/** Levels of arrays and objects in each other: more of them are no data, and would exhaust the stack of who walks them. */
const deepest = 100

function checkDepth(value: unknown, left = deepest): void {
  if (typeof value !== 'object' || value === null) return
  if (left === 0) throw new Misfit(`more than ${deepest} arrays and objects in each other`)
  for (const inner of Object.values(value)) checkDepth(inner, left - 1)
}

/** Any JSON value, nested up to 100 levels deep; only as the last field. In C a `uint32_t` length, then that many bytes of UTF-8. */
export const json: Kind<JsonValue> = {
  name: 'json',
  size: 4,
  open: true,
  schema: {},
  c: field => ({ declaration: `uint32_t ${field}_length; char ${field}[]`, remark: 'JSON in UTF-8, not terminated' }),
  read(view, offset, end) {
    const used = view.getUint32(offset, littleEndian)
    if (used !== end - offset - 4) throw new Misfit(`length ${used} is not the ${end - offset - 4} bytes that follow`)
    const source = readText(view, offset + 4, used, false)
    if (source === undefined) throw new Misfit('not UTF-8')
    let value: JsonValue
    try {
      value = JSON.parse(source) as JsonValue
    } catch {
      throw new Misfit('not JSON')
    }
    checkDepth(value)
    return value
  },
  prepare(value) {
    checkDepth(value)
    let source: string | undefined
    try {
      source = JSON.stringify(value)
    } catch {
      // A cycle or a bigint: reported below like any other thing that JSON cannot say.
    }
    if (source === undefined) throw new Misfit(`${show(value)} is not something that JSON can say`)
    return Buffer.from(source, 'utf8')
  },
  extra: prepared => (prepared as Uint8Array).length,
  write(view, offset, prepared) {
    view.setUint32(offset, (prepared as Uint8Array).length, littleEndian)
    put(view, offset + 4, prepared as Uint8Array)
  },
}

/**
 * One of the given words. One byte, the index of the word.
 *
 * @param words 1 to 256 of them.
 * @example message(1, { state: choice('up', 'down') })
 */
export function choice<const Words extends readonly [string, ...string[]]>(...words: Words): ChoiceKind<Words[number]> {
  if (words.length === 0 || words.length > 256) throw new TypeError(`choice: 1 to 256 words, not ${words.length}`)
  if (new Set(words).size !== words.length) throw new TypeError('choice: a word is there twice')
  const index = new Map<unknown, number>(words.map((word, i) => [word, i]))
  return {
    name: `choice(${words.join(', ')})`,
    size: 1,
    open: false,
    choices: words,
    schema: { enum: [...words] },
    c: field => ({ declaration: `uint8_t ${field}` }),
    read(view, offset) {
      const word = words[view.getUint8(offset)]
      if (word === undefined) throw new Misfit(`${view.getUint8(offset)} is none of the ${words.length} choices`)
      return word
    },
    prepare(value) {
      const at = index.get(value)
      if (at === undefined)
        throw new Misfit(`${show(value)} is not one of ${words.map(word => `"${word}"`).join(', ')}`)
      return at
    },
    extra: noExtra,
    write: (view, offset, at) => view.setUint8(offset, at as number),
  }
}
