// spinner.ts: never lets go of its thread, a little after its start.
import { processNode } from 'corod'

export default processNode({
  async run(vm) {
    await vm.sleep(100)
    for (let turns = 0; ; turns = (turns + 1) | 0);
  },
})
