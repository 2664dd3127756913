// What must not compile about calls and peers: see types.ts. types.test.ts compiles it; nothing runs it.
import { call, interfaceChange, type MessageOf, message, processNode, text, u64 } from '../../daemon/index.js'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(..._: Equal<A, B> extends true ? [] : ['types differ']): void {}

const store = {
  get: call(1, { key: text(8) }, { value: text(8), size: u64 }),
  touch: call(2, {}, {}),
  put: message(3, { key: text(8) }),
  link: interfaceChange,
} as const

export function calls(event: MessageOf<typeof store>): void {
  if (event.type === 'get') {
    same<typeof event.key, string>()
    same<typeof event.asked, boolean>()
    same<ReturnType<typeof event.reply>, boolean>()
    event.reply({ value: 'x', size: 1n })
    event.refuse('no')
    event.defer()
    // @ts-expect-error: a reply has all fields that were declared
    event.reply({ value: 'x' })
    // @ts-expect-error: of their types
    event.reply({ value: 'x', size: 1 })
    // @ts-expect-error: and no others
    event.reply({ value: 'x', size: 1n, more: 1 })
    // @ts-expect-error: a reply is needed
    event.reply()
    // @ts-expect-error: a reason is text
    event.refuse(5)
  }
  if (event.type === 'touch') event.reply()
  // @ts-expect-error: a message that declares no reply has no answer
  if (event.type === 'put') event.reply({})
}

export const storeNode = processNode({ messages: store, async run() {} })

export const asking = processNode({
  peers: { db: storeNode, table: store },
  async run(_vm, { peers }) {
    for (const peer of [peers.db, peers.table]) {
      const reply = await peer.call('get', { key: 'a' }, { timeout: 100 })
      same<typeof reply.value, string>()
      same<typeof reply.size, bigint>()
      same<Awaited<ReturnType<typeof peer.send>>, bigint>()
      await peer.send('put', { key: 'a' })
      await peer.send('get', { key: 'a' })
      await peer.call('touch')
      await peer.call('touch', {}, { timeout: 5 })
      // @ts-expect-error: no such message
      await peer.send('putt', { key: 'a' })
      // @ts-expect-error: no such field
      await peer.send('put', { kez: 'a' })
      // @ts-expect-error: fields are needed
      await peer.send('put')
      // @ts-expect-error: it declares no reply
      await peer.call('put', { key: 'a' })
      // @ts-expect-error: only a host sends it
      await peer.send('link', {})
      // @ts-expect-error: no such field in the reply
      void reply.valeu
      // @ts-expect-error: a number of milliseconds
      await peer.call('get', { key: 'a' }, { timeout: '5s' })
    }
    // @ts-expect-error: no such peer
    void peers.dc
  },
})

// @ts-expect-error: a reply is a table of kinds
export const wrongReply = call(1, {}, { value: 'text' })

export const wrongPeer = processNode({
  // @ts-expect-error: a peer is a table or a node
  peers: { db: 'store' },
  async run() {},
})
