// types.ts: what must not compile in a test of a node. Never run: the compiler is the test, and complains of a line
// below that compiles although it says that it must not.
import { bytes, call, interfaceChange, ip4, message, processNode, signal, text, u32, u64 } from '../../daemon/index.js'
import { testNode } from '../../daemon/testing/index.js'

const node = processNode({
  messages: {
    go: message(1, { to: ip4, name: text(8) }),
    stop: message(2),
    datum: signal(3),
    big: message(4, { n: u64, data: bytes(4) }),
  },
  next: ['ip4-lookup'],
  counters: { seen: 'seen' },
  async run() {},
})

export async function compiles(): Promise<void> {
  const kit = await testNode(node)
  kit.send('stop')
  kit.send('stop', {})
  kit.send('datum', { data: 1n }, { attempts: 1 })
  // @ts-expect-error: no such message
  kit.send('nix')
  // @ts-expect-error: a gap is told with gap()
  kit.send('gap', { first: 1n })
  // @ts-expect-error: its fields are missing
  kit.send('go')
  // @ts-expect-error: a field is missing
  kit.send('go', { to: '10.0.0.1' })
  // @ts-expect-error: a field that it does not have
  kit.send('go', { to: '10.0.0.1', name: 'x', more: 1 })
  // @ts-expect-error: it has no fields
  kit.send('stop', { why: 1 })
  // @ts-expect-error: a u64 is a bigint
  kit.send('datum', { data: 1 })
  // @ts-expect-error: no such setting
  kit.send('stop', {}, { attempt: 1 })
  // @ts-expect-error: no such counter
  kit.counters.nix
  // @ts-expect-error: no such next node
  kit.packets[0]?.next === 'ip6-lookup'
  // @ts-expect-error: the node takes no transitions
  kit.transition('eth0', 'link', { link: true })
  // @ts-expect-error: no such option of the kit
  await testNode(node, { clock: 1 })
  const [first] = kit.inHand
  // @ts-expect-error: which message it is must be asked first
  first?.to
  const watch = await testNode(
    processNode({ messages: { link: interfaceChange, add: message(1, { n: u32 }) }, async run() {} }),
  )
  watch.transition('eth0', 'link', { link: true })
  watch.send('add', { n: 1 })
  // @ts-expect-error: sent by the host only
  watch.send('link', {})
  // @ts-expect-error: no such change
  watch.transition('eth0', 'up')
  // @ts-expect-error: no such state
  watch.transition('eth0', 'link', { up: true })

  const asked = await testNode(
    processNode({
      messages: { get: call(1, { key: u32 }, { value: u64 }), put: message(2) },
      peers: { store: { set: call(3, { key: u32 }, { old: u64 }), note: message(4, { n: u32 }) } },
      async run() {},
    }),
  )
  const { answer } = asked.call('get', { key: 1 })
  if (answer?.how === 'replied') answer.value.value satisfies bigint
  // @ts-expect-error: it declares no reply
  asked.call('put')
  // @ts-expect-error: its fields are missing
  asked.call('get')
  asked.onPeer('store', 'set', ({ key }) => ({ reply: { old: BigInt(key) } }))
  asked.onPeer('store', 'note', { undelivered: 'FULL' })
  // @ts-expect-error: no such peer
  asked.onPeer('shop', 'set', { refused: 'x' })
  // @ts-expect-error: no such message of that peer
  asked.onPeer('store', 'get', { refused: 'x' })
  // @ts-expect-error: a u64 is a bigint
  asked.onPeer('store', 'set', { reply: { old: 1 } })
  // @ts-expect-error: no such peer
  asked.peerEvents[0]?.peer === 'shop'
}
