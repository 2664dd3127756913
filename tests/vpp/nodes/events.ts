// events.ts: writes down every event it gets, as it gets it.
import { interfaceChange, message, processNode, signal, u64 } from '../../../daemon/index.js'
import { recorder } from './record.js'

export default processNode({
  messages: { number: message(1, { n: u64 }), poke: signal(2), change: interfaceChange },
  counters: { seen: 'events seen' },
  async run(_vm, node) {
    const record = recorder(node.options)
    for await (const event of node.inbox) {
      node.count('seen')
      record(event)
    }
  },
})
