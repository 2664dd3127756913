// busy.ts: asks more of its host at once than rings take, and writes down what came of it.
import { appendFileSync } from 'node:fs'
import { message, processNode, text, u32 } from 'corod'

interface Options {
  /** Where to write, a line of JSON for each event. */
  readonly file: string
}

export default processNode({
  messages: {
    flood: message(1, { packets: u32 }),
    ask: message(2, { command: text(200) }),
  },
  next: ['ip4-lookup'],
  counters: { sent: 'busy packets sent', full: 'busy packets without room' },
  async run(vm, node) {
    const { file } = node.options as unknown as Options
    const tell = (line: object) => appendFileSync(file, `${JSON.stringify(line)}\n`)
    for await (const event of node.inbox) {
      if (event.type === 'flood') {
        const told = { sent: 0, full: 0 }
        for (let i = 0; i < event.packets; i++) {
          // Counted one by one, so that the counts have to wait for room as well.
          const how = node.enqueue('ip4-lookup', new Uint8Array(100).fill(0x45)) ? 'sent' : 'full'
          node.count(how)
          told[how]++
        }
        tell(told)
      } else if (event.type === 'ask') {
        const output = await vm.cli(event.command).catch((error: { status: string }) => `refused: ${error.status}`)
        tell({ command: event.command, output })
      }
    }
  },
})
