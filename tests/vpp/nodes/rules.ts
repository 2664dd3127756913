// rules.ts: the rules of time of the module that corod ports, tried inside a host.
import { processNode, TimeoutError } from '../../../daemon/index.js'
import { recorder } from './record.js'

export default processNode({
  async run(vm, node) {
    const record = recorder(node.options)
    using none = vm.timer(0)
    await vm.sleep(0)
    record({ rule: 'sleep(0) ends', elapsed: none.elapsed })
    try {
      await vm.timeout(0, () => vm.sleep(Number.POSITIVE_INFINITY))
    } catch (error) {
      record({ rule: 'timeout(0)', is: error instanceof TimeoutError, message: (error as Error).message })
    }
    using timer = vm.timer(20)
    const [send, receive] = vm.channel<number>()
    // Events in between do not restart the timer: it comes while they still do.
    let events = 0
    send.send(0)
    for (;;) {
      const won = await vm.select({ timer, receive })
      if (won.source === 'timer') break
      events++
      send.send(events)
      await vm.yield()
    }
    record({ rule: 'the timer came', events: events > 0 })
  },
})
