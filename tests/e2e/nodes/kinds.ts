// kinds.ts: a message with a field of every kind; writes down what it gets, in the JSON that the local socket takes.
import { appendFileSync } from 'node:fs'
import {
  bool,
  bytes,
  choice,
  f64,
  i8,
  i16,
  i32,
  i64,
  ip4,
  ip6,
  json,
  mac,
  message,
  processNode,
  signal,
  text,
  u8,
  u16,
  u32,
  u64,
} from 'corod'

const plain = (_: string, value: unknown) => {
  if (typeof value === 'bigint') return String(value)
  return value instanceof Uint8Array ? Buffer.from(value).toString('base64') : value
}

export default processNode({
  messages: {
    every: message(9, {
      a: u8,
      b: u16,
      c: u32,
      d: u64,
      e: i8,
      f: i16,
      g: i32,
      h: i64,
      i: f64,
      j: bool,
      k: ip4,
      l: ip6,
      m: mac,
      n: text(12),
      o: bytes(6),
      p: choice('red', 'green'),
      q: json,
    }),
    tick: signal(10),
    nothing: message(11),
  },
  async run(_vm, node) {
    const { file } = node.options as { readonly file: string }
    for await (const { seq: _, time: __, redelivered: ___, attempts: ____, ...event } of node.inbox)
      appendFileSync(file, `${JSON.stringify(event, plain)}\n`)
  },
})
