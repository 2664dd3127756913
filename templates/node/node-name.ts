// node-name.ts: greets whom it is told to, and says now and then how many there were.
import { message, processNode, text } from 'corod'
import { z } from 'zod'

// What corod.yaml may have under `options`; checked before the node starts.
const options = z.strictObject({
  /** Milliseconds between two reports. */
  every: z.number().min(100).default(60_000),
})

export default processNode({
  messages: { greet: message(1, { name: text(32) }) },
  counters: {
    greeted: 'greetings',
    missed: { text: 'greetings lost because the queue was full', severity: 'warn' },
  },

  options,

  async run(vm, node) {
    const { every } = node.options
    using due = vm.timer(every) // outside the loop: an event does not restart it
    let greeted = 0

    for (;;) {
      const event = await vm.select({ due, message: node.inbox })
      if (event.done) return // the node is to stop, and has handled every event

      if (event.source === 'due') {
        node.log.info({ greeted }, 'so far')
        due.set(every)
      } else if (event.value.type === 'greet') {
        greeted++
        node.count('greeted')
        node.log.info(`hello ${event.value.name}`)
      } else {
        node.count('missed', Number(event.value.count))
      }
    }
  },
})
