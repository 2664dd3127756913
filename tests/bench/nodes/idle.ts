// idle.ts: waits for an event that does not come.
import { message, processNode } from 'corod'

export default processNode({
  messages: { ping: message(1) },
  counters: { seen: 'events taken' },
  async run(_vm, node) {
    for await (const event of node.inbox) if (event.type === 'ping') node.count('seen')
  },
})
