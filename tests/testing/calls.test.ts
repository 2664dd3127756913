import assert from 'node:assert/strict'
import { call, message, processNode, text, u32, u64 } from '../../daemon/index.js'
import { replay, testNode } from '../../daemon/testing/index.js'

const store = processNode({
  messages: {
    get: call(1, { key: u32 }, { value: text(16), version: u64 }),
    put: message(2, { key: u32, value: text(16) }),
    flush: call(3, {}, {}),
  },
  async run(vm, node) {
    const values = new Map<number, string>()
    for await (const event of node.inbox) {
      if (event.type === 'put') values.set(event.key, event.value)
      else if (event.type === 'get') {
        const value = values.get(event.key)
        if (event.key === 99) throw new Error('cursed key')
        if (event.key === 7) continue
        if (value === undefined) event.refuse('no such key')
        else event.reply({ value, version: 2n ** 63n })
      } else if (event.type === 'flush') {
        event.defer()
        vm.sleep(100).then(
          () => event.reply(),
          () => {},
        )
      }
    }
  },
})

describe('testing/kit: calls to the node', () => {
  it('are answered: reply, refusal, nothing; each once, and written down', async () => {
    await using kit = await testNode(store)
    kit.send('put', { key: 1, value: 'one' })
    const [one, two, seven] = [1, 2, 7].map(key => kit.call('get', { key }))
    assert.equal(one?.answer, undefined)
    await kit.settle()
    assert.deepEqual(one?.answer, { how: 'replied', value: { value: 'one', version: 2n ** 63n } })
    assert.deepEqual(two?.answer, { how: 'refused', reason: 'no such key' })
    assert.deepEqual(seven?.answer, { how: 'unanswered' })
    const time = kit.now
    assert.deepEqual(kit.commands, [
      { kind: 'answer', time, seq: 2n, how: 'replied', value: { value: 'one', version: 2n ** 63n } },
      { kind: 'answer', time, seq: 3n, how: 'refused', reason: 'no such key' },
    ])
  })

  it('can be answered later than the next event', async () => {
    await using kit = await testNode(store)
    const flush = kit.call('flush')
    kit.send('put', { key: 1, value: 'x' })
    await kit.advance(99)
    assert.deepEqual([flush.answer, kit.queued], [undefined, 0])
    await kit.advance(1)
    assert.deepEqual(flush.answer, { how: 'replied', value: {} })
  })

  it('die with the node, those in hand and those deferred, and are not asked again', async () => {
    const asked: boolean[] = []
    const fragile = processNode({
      messages: { do: call(1, { n: u32 }, {}) },
      async run(_, node) {
        for await (const event of node.inbox) {
          if (event.type !== 'do') continue
          asked.push(event.asked)
          if (event.n === 0) event.defer()
          else if (event.attempts === 0) throw new Error('died')
        }
      },
    })
    const kit = await testNode(fragile)
    const deferred = kit.call('do', { n: 0 })
    const inHand = kit.call('do', { n: 1 })
    const queued = kit.call('do', { n: 2 })
    await assert.rejects(kit.settle(), /died/)
    assert.deepEqual([deferred.answer, inHand.answer, queued.answer], [{ how: 'died' }, { how: 'died' }, undefined])
    await assert.rejects(kit.restart(), /died/)
    assert.deepEqual(queued.answer, { how: 'died' })
    assert.deepEqual(asked, [true, true, false, true])
  })

  it('a node that returns has answered what it had in hand by that', async () => {
    const short = processNode({
      messages: { do: call(1, {}, {}) },
      async run(_, node) {
        await node.inbox.recv()
      },
    })
    await using kit = await testNode(short)
    const pending = kit.call('do')
    await kit.settle()
    assert.deepEqual([pending.answer, kit.result], [{ how: 'unanswered' }, { how: 'returned' }])
  })

  it('an event of send has nobody who waits', async () => {
    const got: boolean[] = []
    const node = processNode({
      messages: { do: call(1, {}, {}) },
      async run(_, { inbox }) {
        for await (const event of inbox) if (event.type === 'do') got.push(event.asked, event.reply())
      },
    })
    await using kit = await testNode(node)
    kit.send('do')
    kit.call('do')
    await kit.settle()
    assert.deepEqual(got, [false, false, true, true])
  })
})

const client = (keys: readonly number[], saw: (text: string) => void = () => {}) =>
  processNode({
    messages: { go: message(1) },
    peers: { store, other: { note: message(5, { text: text(8) }) } },
    counters: { lost: 'lost' },
    async run(vm, node) {
      for await (const _ of node.inbox) {
        for (const key of keys) {
          const said = await node.peers.store
            .call('get', { key }, { timeout: 1000 })
            .then(reply => `${reply.value} ${reply.version}`)
            .catch(error => `${error.code} ${error.message}`)
          node.log.info(`${said} ${vm.now() - 1_000_000}`)
          saw(said)
          const place = await node.peers.other.send('note', { text: `${key}` }).catch(error => error.status)
          node.log.debug(`${place}`)
          saw(`${place}`)
        }
      }
    },
  })

describe('testing/kit: peers of the node', () => {
  const info = (kit: { logs: readonly { level: string; text: string }[] }, level = 'info') =>
    kit.logs.filter(line => line.level === level).map(line => line.text)

  it('answer from the script, in their time; what is sent is taken, in its order', async () => {
    await using kit = await testNode(client([1, 2, 3, 4, 5, 6]))
    kit.onPeer('store', 'get', ({ key }) => {
      if (key === 1) return { reply: { value: 'one', version: 8n } }
      if (key === 2) return { refused: 'locked', after: 30 }
      if (key === 3) return { unanswered: true }
      if (key === 4) return { died: true }
      if (key === 5) return { undelivered: 'FULL' }
      return { reply: { value: 'late', version: 0n }, after: 5000 }
    })
    kit.send('go')
    await kit.advance(10_000)
    assert.deepEqual(info(kit), [
      'one 8 0',
      'ERR_REFUSED node "store" refused: locked 30',
      'ERR_UNANSWERED node "store" finished with the call and did not answer 30',
      'ERR_PEER_DIED node "store" ended before it answered 30',
      'ERR_UNDELIVERED node "store": it did not get the event (FULL) 30',
      'ERR_TIMEOUT deadline has elapsed 1030',
    ])
    assert.deepEqual(info(kit, 'debug'), ['1', '2', '3', '4', '5', '6'])
    const [first, second] = kit.peerEvents
    const time = 1_000_000
    assert.deepEqual(first, { kind: 'call', time, peer: 'store', type: 'get', fields: { key: 1 } })
    assert.deepEqual(second, { kind: 'send', time, peer: 'other', type: 'note', fields: { text: '1' } })
    assert.equal(kit.peerEvents.length, 12)
  })

  it('without a script a call fails, and says how to give one', async () => {
    await using kit = await testNode(client([1]))
    kit.onPeer('other', 'note', { undelivered: 'CLOSED' })
    kit.send('go')
    await kit.settle()
    assert.match(info(kit)[0] ?? '', /the test has no answer to "get": give one with kit\.onPeer\(\)/)
    assert.deepEqual(info(kit, 'debug'), ['CLOSED'])
  })

  it('a reply that does not fit is refused', async () => {
    await using kit = await testNode(client([1]))
    kit.onPeer('store', 'get', { reply: { value: 'much too long for this', version: 1n } })
    kit.send('go')
    await kit.settle()
    assert.match(info(kit)[0] ?? '', /^ERR_MESSAGE \/value: 22 bytes/)
  })
})

describe('testing/replay: calls and peers', () => {
  const recorder = () => {
    const lines: string[] = []
    return { lines, write: (line: string) => void lines.push(line) }
  }

  it('answers of the node are part of what it does', async () => {
    const record = recorder()
    const kit = await testNode(store, { record })
    kit.send('put', { key: 1, value: 'one' })
    kit.call('get', { key: 1 })
    kit.call('get', { key: 2 })
    kit.call('flush')
    await kit.advance(200)
    await kit.close()
    const text = record.lines.join('')
    assert.match(text, /"answered":"2","reply":\{"value":"one","version":"9223372036854775808"\}/)
    assert.match(text, /"answered":"3","refused":"no such key"/)
    assert.equal((await replay(store, text)).diff, '')
    const silent = processNode({
      messages: store.messages,
      async run(_, node) {
        for await (const event of node.inbox) if (event.type === 'get') event.refuse('closed today')
      },
    })
    const { diff, removed, added } = await replay(silent, text)
    assert.deepEqual([removed, added], [3, 2])
    assert.match(diff, /^- +0\.000 ms {2}#2 reply \{"value":"one"/m)
    assert.match(diff, /^\+ +0\.000 ms {2}#2 refuse closed today$/m)
  })

  it('peers answer as they did: replies, failures, and as slowly', async () => {
    const record = recorder()
    const seen: string[] = []
    const kit = await testNode(
      client([1, 2, 3, 4, 5, 6], said => seen.push(said)),
      { record },
    )
    kit.onPeer('store', 'get', ({ key }) => {
      if (key === 1) return { reply: { value: 'one', version: 8n }, after: 12 }
      if (key === 2) return { refused: 'locked', after: 30 }
      if (key === 3) return { unanswered: true }
      if (key === 4) return { died: true }
      if (key === 5) return { undelivered: 'FULL' }
      return { reply: { value: 'late', version: 0n }, after: 5000 }
    })
    kit.onPeer('other', 'note', ({ text }) =>
      text === '3' ? { undelivered: 'FULL' } : { reply: {} as never, after: 4 },
    )
    kit.send('go')
    await kit.advance(10_000)
    await kit.close()
    const text = record.lines.join('')
    const again: string[] = []
    const same = await replay(
      client([1, 2, 3, 4, 5, 6], said => again.push(said)),
      text,
    )
    assert.equal(same.diff, '')
    assert.deepEqual(again, seen)
    const { diff } = await replay(client([1, 7]), text)
    assert.match(diff, /^\+ .* call store get \{"key":7\}$/m)
  })
})
