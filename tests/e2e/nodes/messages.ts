// messages.ts: the message tables of nodes that know each other. A file of its own, because nodes that import each other
// in a circle would not load.
import { bytes, call, message, text, u32, u64 } from 'corod'

export const store = {
  put: message(1, { key: text(16), value: text(16) }),
  get: call(2, { key: text(16) }, { value: text(16), size: u64, raw: bytes(8) }),
  slow: call(3, { ms: u32 }, { ms: u32 }),
  ignore: call(4, {}, {}),
  hold: call(5, { n: u32 }, { n: u32 }),
  fail: call(6, {}, {}),
  wreck: call(7, { ms: u32 }, {}),
}

export const asker = {
  ask: call(1, { what: text(16), key: text(16), ms: u32 }, { said: text(128) }),
  flood: call(3, { from: u32, to: u32 }, { full: u32 }),
  ball: message(4, { hops: u32 }),
  balls: call(5, {}, { seen: u32, full: u32 }),
  circle: call(6, { depth: u32 }, { said: text(64) }),
}

export const counted = { number: message(1, { n: u32 }) }
