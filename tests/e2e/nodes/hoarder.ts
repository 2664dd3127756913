// hoarder.ts: fills its command ring: a packet and a count for each event, and writes down each. Waits by timers of
// Node.js, so that it goes on while the host stands still.
import { appendFileSync, existsSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { message, processNode, u32 } from 'corod'

export default processNode({
  messages: { number: message(1, { n: u32 }) },
  next: ['ip4-lookup'],
  counters: { seen: 'events seen' },
  async run(_vm, node) {
    const { file, gate } = node.options as { readonly file: string; readonly gate: string }
    for await (const event of node.inbox) {
      if (event.type === 'gap') continue
      appendFileSync(file, `${JSON.stringify({ ...event, seq: `${event.seq}` })}\n`)
      while (!existsSync(gate)) await sleep(5)
      node.enqueue('ip4-lookup', new Uint8Array(64))
      node.count('seen')
    }
  },
})
