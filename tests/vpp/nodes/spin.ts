// spin.ts: computes for as long as it is told, without ever giving way.
import { message, processNode, u32 } from '../../../daemon/index.js'
import { recorder } from './record.js'

export default processNode({
  messages: { spin: message(1, { ms: u32 }) },
  async run(_vm, node) {
    const record = recorder(node.options)
    for await (const event of node.inbox) {
      if (event.type !== 'spin') continue
      const end = performance.now() + event.ms
      while (performance.now() < end);
      record({ type: 'spun', ms: event.ms })
    }
  },
})
