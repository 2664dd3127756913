// signaller.ts: signals process nodes of the host when it is asked to, and says what came of it; takes signals itself.
import { call, choice, processNode, signal, text, u64 } from 'corod'

export default processNode({
  messages: {
    tick: signal(7),
    seen: call(1, {}, { data: u64 }),
    go: call(2, { to: choice('a', 'b', 'nobody'), data: u64 }, { said: text(64) }),
  },
  signals: ['a', 'b', 'nobody'],
  async run(_vm, node) {
    let data = 0n
    for await (const event of node.inbox) {
      if (event.type === 'tick') data = event.data
      else if (event.type === 'seen') event.reply({ data })
      else if (event.type === 'go') {
        const said = await node.signal(event.to, 7, event.data).then(
          () => 'done',
          error => `${error.code} ${error.status}`,
        )
        event.reply({ said })
      }
    }
  },
})
