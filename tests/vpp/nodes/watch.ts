// watch.ts: the node that the plugin in docs/vpp.md sends to.
import { message, processNode, text, u16 } from '../../../daemon/index.js'
import { recorder } from './record.js'

export default processNode({
  messages: { alarm: message(1, { port: u16, text: text(32) }) },
  async run(_vm, node) {
    const record = recorder(node.options)
    for await (const event of node.inbox) record(event)
  },
})
