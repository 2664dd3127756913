// batches.ts: takes events by the batch and counts each batch.
import { message, processNode, u32 } from 'corod'

const sample = { a: u32, b: u32, c: u32, d: u32, e: u32, f: u32, g: u32, h: u32 }

export default processNode({
  messages: { ping: message(1, sample) },
  counters: { seen: 'events taken' },
  async run(_vm, node) {
    for await (const events of node.inbox.batches()) node.count('seen', events.length)
  },
})
