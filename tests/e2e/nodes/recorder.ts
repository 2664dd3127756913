// recorder.ts: writes down every event that it gets, before it asks for the next; waits with an event in hand while its
// gate is closed.
import { appendFileSync, existsSync } from 'node:fs'
import { bytes, json, message, processNode, text, u32, u64 } from 'corod'

interface Options {
  /** Where to write, a line of JSON for each event. */
  readonly file: string
  /** While this file does not exist, an event stays in hand. Absent: no gate. */
  readonly gate?: string
}

export default processNode({
  messages: {
    number: message(1, { n: u32 }),
    blob: message(2, { data: bytes(3000) }),
    words: message(3, { text: text(32), id: u64, more: json }),
    fail: message(4, {}),
    send: message(5, { text: text(64) }),
  },
  next: ['ip4-lookup'],
  counters: { seen: 'events seen' },
  async run(vm, node) {
    const { file, gate } = node.options as unknown as Options
    for await (const event of node.inbox) {
      const plain = JSON.stringify(event, (_, value) => (typeof value === 'bigint' ? String(value) : value))
      appendFileSync(file, `${plain}\n`)
      node.count('seen')
      while (gate !== undefined && !existsSync(gate)) await vm.sleep(5)
      if (event.type === 'fail') throw new Error('asked to fail')
      if (event.type === 'send') node.enqueue('ip4-lookup', new TextEncoder().encode(event.text))
    }
  },
})
