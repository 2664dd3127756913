// clock.ts: runs a CLI command of its host every so often, and whenever it is told to.
import { message, processNode } from 'corod'

interface Options {
  /** Milliseconds between two commands. */
  readonly every?: number
  readonly command?: string
}

export default processNode({
  messages: { ask: message(1) },
  counters: { asked: 'commands run', failed: { text: 'commands that failed', severity: 'warn' } },

  async run(vm, node) {
    const { every = 1000, command = 'show version' } = node.options as Options
    using due = vm.timer(every)
    for (;;) {
      const event = await vm.select({ due, message: node.inbox })
      if (event.done) return
      if (event.source === 'due') due.set(every)
      try {
        const answer = await vm.cli(command)
        node.count('asked')
        node.log.info({ command }, answer.trim().split('\n')[0] ?? '')
      } catch (error) {
        if (vm.signal.aborted) throw error
        node.count('failed')
        node.log.warn({ command, error: String(error) }, 'the command failed')
      }
    }
  },
})
