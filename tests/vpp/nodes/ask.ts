// ask.ts: does what it is told: commands, counters, timers; writes down what came of it.
import { message, processNode, text, u32 } from '../../../daemon/index.js'
import { recorder } from './record.js'

export default processNode({
  messages: {
    cli: message(1, { command: text(100) }),
    count: message(2, { by: u32 }),
    sleep: message(3, { ms: u32 }),
    packet: message(4, { bytes: u32 }),
    fail: message(5),
  },
  next: ['error-drop'],
  counters: { asked: 'things asked', said: { text: 'said so', severity: 'warn' } },
  async run(vm, node) {
    const record = recorder(node.options)
    record({ type: 'started' })
    for await (const event of node.inbox) {
      switch (event.type) {
        case 'cli':
          await vm.cli(event.command).then(
            output => record({ type: 'output', output }),
            error => record({ type: 'refused', code: error.code, message: error.message, output: error.output }),
          )
          break
        case 'count':
          node.count('asked', event.by)
          break
        case 'sleep': {
          const from = vm.now()
          await vm.sleep(event.ms)
          record({ type: 'slept', ms: vm.now() - from })
          break
        }
        case 'packet':
          record({ type: 'enqueued', taken: node.enqueue('error-drop', new Uint8Array(event.bytes)) })
          break
        case 'fail':
          throw new Error('told to fail')
        default:
          record(event)
      }
    }
  },
})
