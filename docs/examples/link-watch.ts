// link-watch.ts: tells of interfaces that go up and down, and says "down" only when they stay so for a while.
import { interfaceChange, processNode } from 'corod'

interface Options {
  /** Milliseconds that an interface must be down before it counts as down (hold-down). */
  readonly hold?: number
}

export default processNode({
  messages: { change: interfaceChange },
  counters: {
    transitions: 'interface transitions seen',
    up: 'interfaces that came up',
    down: { text: 'interfaces that went down and stayed so', severity: 'warn' },
    flaps: { text: 'interfaces that were up again within the hold time', severity: 'warn' },
    missed: { text: 'transitions lost', severity: 'error' },
  },

  async run(vm, node) {
    const { hold = 200 } = node.options as Options
    const up = new Map<string, boolean>() // what was told last
    const falling = new Map<string, number>() // interfaces that are down, and when that counts
    using due = vm.timer()

    for (;;) {
      const event = await vm.select({ change: node.inbox, due })
      if (event.done) return

      if (event.source === 'change') {
        const change = event.value
        if (change.type === 'gap') {
          // Nothing is wrong for long: every transition tells the whole state of its interface.
          node.count('missed', Number(change.count))
          node.log.warn({ lost: change.count }, 'transitions were lost')
          continue
        }
        node.count('transitions')
        const { name, mtu } = change
        if (change.change === 'removed') {
          up.delete(name)
          falling.delete(name)
          node.log.info({ interface: name }, `${name} is gone`)
        } else if (!change.admin || !change.link) {
          if (up.get(name) !== false && !falling.has(name)) falling.set(name, vm.now() + hold)
        } else if (falling.delete(name) && up.get(name)) {
          node.count('flaps')
          node.log.warn({ interface: name }, `${name} flapped`)
        } else if (!up.get(name)) {
          up.set(name, true)
          node.count('up')
          node.log.info({ interface: name, mtu }, `${name} is up`)
        }
      } else {
        for (const [name, at] of falling) {
          if (at > vm.now()) continue
          falling.delete(name)
          up.set(name, false)
          node.count('down')
          node.log.warn({ interface: name }, `${name} is down`)
        }
      }

      const next = Math.min(...falling.values())
      if (next === Number.POSITIVE_INFINITY) due.clear()
      else due.set(Math.max(0, next - vm.now()))
    }
  },
})
