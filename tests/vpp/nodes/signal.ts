// signal.ts: signals process nodes of VPP that are not corod's, and says what came of it.
import { call, choice, processNode, text, u64 } from 'corod'

export default processNode({
  messages: {
    go: call(1, { to: choice('corod-test-native', 'ip4-lookup'), code: u64, data: u64 }, { said: text(64) }),
  },
  signals: ['corod-test-native', 'ip4-lookup'],
  async run(_vm, node) {
    for await (const event of node.inbox) {
      if (event.type !== 'go') continue
      const said = await node.signal(event.to, event.code, event.data).then(
        () => 'done',
        error => `${error.status}`,
      )
      event.reply({ said })
    }
  },
})
