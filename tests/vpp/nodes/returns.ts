// returns.ts: writes down what it gets, and returns, or throws, when it is told to.
import { message, processNode, u64 } from '../../../daemon/index.js'
import { recorder } from './record.js'

export default processNode({
  messages: { number: message(1, { n: u64 }), end: message(2), fail: message(3) },
  counters: { seen: 'events seen by one that returns' },
  async run(_vm, node) {
    const record = recorder(node.options)
    for await (const event of node.inbox) {
      node.count('seen')
      record(event)
      if (event.type === 'end') return
      if (event.type === 'fail') throw new Error('as asked')
    }
  },
})
