// docs/writing-a-node.md: each node on the page does what the page says of it, and its tables are complete.
import assert from 'node:assert/strict'
import * as corod from '../../daemon/index.js'
import { errorCodes } from '../../daemon/process/errors.js'
import { type NodeKit, type NodeSetup, testNode } from '../../daemon/testing/index.js'
import { type LooseKit, loadNode, Page } from './page.js'

const page = new Page('docs/writing-a-node.md')
const tested = new Set<string>()

/** The node below a heading, in the kit. */
async function kitOf(heading: string, setup: NodeSetup = {}): Promise<LooseKit> {
  tested.add(heading)
  return testNode(await loadNode(page, heading), setup)
}

describe('docs/writing-a-node.md', () => {
  it('its table has every kind of field', () => {
    const kinds = Object.keys(corod).filter(name => /^([uif]\d+|bool|ip\d|mac|text|bytes|json|choice)$/.test(name))
    const section = page.text.split('### Kinds of fields')[1]!.split('\n###')[0]!
    const listed = [...section.matchAll(/^\| ((?:`[^`]+` ?)+)/gm)].flatMap(
      match => match[1]!.match(/[a-z]\w*(?=[`(])/g)!,
    )
    assert.deepEqual(listed.toSorted(), kinds.toSorted())
  })

  it('its table has every code of an error', () => {
    const rows = [...page.text.matchAll(/^\| `(ERR_\w+)` \| (.*) \|$/gm)].map(([, code, when]) => [code, when])
    assert.deepEqual(rows, Object.entries(errorCodes))
  })

  it('the first node greets', async () => {
    await using kit = await kitOf('The first node')
    kit.send('greet', { name: 'Ada' })
    kit.gap()
    assert.deepEqual(await kit.close(), { how: 'returned' })
    assert.deepEqual(kit.counters, { greeted: 1 })
    assert.equal(kit.logs[0]?.text, 'hello Ada')
  })

  it('interfaces are told with their state', async () => {
    await using kit = await kitOf('Interfaces')
    const links = kit as unknown as NodeKit<{ link: typeof corod.interfaceChange }>
    links.transition('eth0', 'admin', { admin: true })
    links.transition('eth0', 'link', { link: true })
    await kit.settle()
    assert.deepEqual(
      kit.logs.map(line => [line.text, line.fields.up]),
      [
        ['admin', false],
        ['link', true],
      ],
    )
  })

  it('the node with calls answers them', async () => {
    await using kit = await kitOf('Calls')
    kit.send('learn', { dest: '192.0.2.1', via: '10.0.0.1' })
    const [known, unknown] = [kit.call('lookup', { dest: '192.0.2.1' }), kit.call('lookup', { dest: '192.0.2.2' })]
    await kit.settle()
    assert.deepEqual(known.answer, { how: 'replied', value: { via: '10.0.0.1', uses: 1 } })
    assert.deepEqual(unknown.answer, { how: 'refused', reason: 'no route to 192.0.2.2' })
  })

  it('a later answer comes when its command is done, and holds nobody up', async () => {
    await using kit = await kitOf('Later answers')
    kit.onCli('show version', { text: 'v26.06', after: 100 })
    const slow = kit.call('show', { what: 'version' })
    await kit.settle()
    kit.send('show', { what: 'nothing' })
    await kit.settle()
    assert.equal(kit.inHand.length, 0)
    assert.ok(slow.answer === undefined)
    await kit.advance(100)
    assert.deepEqual(
      kit.commands.find(command => command.kind === 'answer'),
      {
        kind: 'answer',
        time: 1_000_100,
        seq: slow.seq,
        how: 'replied',
        value: { output: 'v26.06' },
      },
    )
  })

  it('a node that asks another one does as it is answered', async () => {
    await using kit = await kitOf('Other nodes')
    kit.onPeer('routes', 'lookup', { refused: 'no route' })
    kit.send('seen', { dest: '192.0.2.1' })
    await kit.settle()
    assert.deepEqual(kit.peerEvents.at(-1)?.fields, { dest: '192.0.2.1', via: '192.0.2.254' })
    kit.onPeer('routes', 'lookup', { reply: { via: '10.0.0.1', uses: 1 } })
    kit.send('seen', { dest: '192.0.2.1' })
    await kit.settle()
    assert.equal(kit.logs.at(-1)?.text, '192.0.2.1 goes by 10.0.0.1')
    kit.onPeer('routes', 'lookup', { unanswered: true })
    kit.send('seen', { dest: '192.0.2.1' })
    await assert.rejects(kit.settle(), { code: 'ERR_UNANSWERED' })
  })

  it('calls in a circle are served while others are waited for', async () => {
    await using kit = await kitOf('Circles')
    kit.onPeer('other', 'add', { reply: { sum: 3 }, after: 10 })
    const three = kit.call('add', { n: 3 })
    await kit.settle()
    const zero = kit.call('add', { n: 0 })
    await kit.settle()
    assert.deepEqual(zero.answer, { how: 'replied', value: { sum: 0 } })
    await kit.advance(10)
    assert.deepEqual(three.answer, { how: 'replied', value: { sum: 6 } })
  })

  it('a timer outside of the loop is not restarted by events', async () => {
    tested.add('Timers')
    const node = await loadNode(page, 'Timers')
    await using kit: LooseKit = await testNode(node)
    for (let ms = 30; ms < 350; ms += 30) kit.after(ms, () => kit.gap())
    await kit.advance(350)
    assert.deepEqual(
      kit.logs.map(line => line.time - 1e6),
      [100, 200, 300],
    )
  })

  it('several promises give their results as they come', async () => {
    await using kit = await kitOf('Several promises')
    kit.onCli('first', '1')
    kit.send('ask', { command: 'first' })
    kit.send('ask', { command: 'second' })
    await kit.settle()
    assert.equal(kit.logs[0]?.text, '1')
    assert.match(kit.logs[1]?.text ?? '', /CliError/)
  })

  it('options are checked and typed, data is made for each life', async () => {
    await using kit = await kitOf('Options and data', { options: { every: 50 } })
    await kit.advance(200)
    assert.equal(kit.running, true)
    await assert.rejects(kitOf('Options and data', { options: { every: 1 } }), { code: 'ERR_OPTIONS' })
  })

  it('no node of the page is left out', () => {
    const headings = page.blocks.filter(({ language }) => language === 'ts').map(({ heading }) => heading)
    assert.deepEqual(
      headings.filter(heading => !tested.has(heading)),
      [],
    )
    assert.ok(headings.length >= 9, `${headings}`)
  })
})
