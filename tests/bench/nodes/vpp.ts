// vpp.ts: takes every event and every signal by `for await` and counts it, as peer.c does.
import { message, processNode, signal, u32 } from 'corod'

const sample = { a: u32, b: u32, c: u32, d: u32, e: u32, f: u32, g: u32, h: u32 }

export default processNode({
  messages: { ping: message(1, sample), poke: signal(2) },
  counters: { seen: 'events taken' },
  async run(_vm, node) {
    for await (const event of node.inbox) if (event.type === 'ping' || event.type === 'poke') node.count('seen')
  },
})
