// sleeper.ts: how late vm.sleep is, beside setTimeout in the same process and minute; milliseconds, to a file.
import { writeFileSync } from 'node:fs'
import { processNode } from 'corod'

export default processNode({
  messages: {},
  async run(vm, node) {
    const { into, rounds } = node.options as { into: string; rounds: number }
    const ours: number[] = []
    const timers: number[] = []
    for (let i = 0; i < rounds; i++) {
      const wanted = 1 + ((i * 37) % 100)
      let begin = performance.now()
      await vm.sleep(wanted)
      ours.push(performance.now() - begin - wanted)
      begin = performance.now()
      await new Promise(resolve => setTimeout(resolve, wanted))
      timers.push(performance.now() - begin - wanted)
    }
    writeFileSync(into, JSON.stringify({ ours, timers }))
  },
})
