// store.ts: answers in every way there is.
import { existsSync } from 'node:fs'
import { processNode, type Vm } from 'corod'
import { store } from './messages.js'

interface Options {
  /** While this file does not exist, `hold` is not answered. */
  readonly gate: string
}

async function later(vm: Vm, ms: number, reply: (value: { ms: number }) => boolean): Promise<void> {
  await vm.sleep(ms)
  reply({ ms })
}

export default processNode({
  messages: store,
  async run(vm, node) {
    const { gate } = node.options as unknown as Options
    const values = new Map<string, string>()
    for await (const event of node.inbox) {
      switch (event.type) {
        case 'put':
          values.set(event.key, event.value)
          break
        case 'get': {
          const value = values.get(event.key)
          if (value === undefined) event.refuse(`no key "${event.key}"`)
          else event.reply({ value, size: 2n ** 64n - BigInt(value.length), raw: Buffer.from(value).subarray(0, 8) })
          break
        }
        case 'slow':
          event.defer()
          void later(vm, event.ms, value => event.reply(value))
          break
        case 'hold':
          node.log.info(`holds ${event.n} ${event.asked} ${event.redelivered}`)
          while (!existsSync(gate)) await vm.sleep(5)
          event.reply({ n: event.n })
          break
        case 'fail':
          if (event.redelivered) break
          throw new Error('asked to fail')
        case 'wreck':
          event.defer()
          // Nobody awaits it: what it rejects with ends the node, and not through its function.
          void vm.timeout(event.ms, () => new Promise(() => {}))
          break
      }
    }
  },
})
