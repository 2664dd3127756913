// docs/coming-from-c-and-rust.md: the node that stands there three times does in TypeScript what the page says; and each
// name of the table exists.
import assert from 'node:assert/strict'
import { publicApi } from '../../daemon/reference/page.js'
import { receivers } from '../../daemon/reference/topics.js'
import { testNode } from '../../daemon/testing/index.js'
import { type LooseKit, loadNode, Page } from './page.js'

const page = new Page('docs/coming-from-c-and-rust.md')

describe('docs/coming-from-c-and-rust.md', () => {
  it('the pulse is not restarted by an event, and ends when it is disabled', async () => {
    await using kit: LooseKit = await testNode(await loadNode(page, 'One node, three times'))
    kit.send('enable', {})
    for (const ms of [150, 190]) kit.after(ms, () => kit.send('enable', {}))
    kit.after(350, () => kit.send('disable', {}))
    await kit.advance(10_000)
    const counts = kit.commands.map(command => command.time - 1e6)
    assert.deepEqual(counts, [100, 200, 300])
  })

  it('the node with timers goes on ticking while it waits for other things', async () => {
    await using kit: LooseKit = await testNode(await loadNode(page, 'Timers'))
    kit.send('start', {})
    await kit.advance(50)
    assert.equal(kit.logs[0]?.text, 'deadline has elapsed')
    kit.send('start', {})
    kit.after(10, () => kit.send('stop', {}))
    await kit.advance(10)
    assert.equal(kit.logs[1]?.text, 'stop')
  })

  it('the packet is one that the host takes', async () => {
    await using kit: LooseKit = await testNode(await loadNode(page, 'Packets'))
    await kit.advance(2500)
    assert.deepEqual(kit.counters, { sent: 3, full: 0 })
    assert.equal(kit.packets[0]?.rx, 0)
  })

  it('each name of ours in its table exists', () => {
    const names = new Map(
      publicApi()
        .get('corod')!
        .map(one => [one.name, one]),
    )
    const table = page.text.split('## Row by row')[1]!.split('\n## ')[0]!
    const cells = [...table.matchAll(/^\| .*? \| .*? \| (.*?) \|/gm)].map(match => match[1]!)
    assert.ok(cells.length >= 25, `${cells.length} rows`)
    const unknown: string[] = []
    let known = 0
    for (const [, first = '', member] of cells
      .join('\n')
      .matchAll(/\b(vm|node|timer|[A-Z]\w*[a-z]\w*)\b(?:\.(\w+))?/g)) {
      const owner = names.get(first === 'timer' ? 'Timer' : (receivers[first] ?? first))
      const found = owner !== undefined && (member === undefined || owner.members.some(one => one.name === member))
      if (found) known++
      else unknown.push(`${first}.${member}`)
    }
    assert.deepEqual(unknown, [])
    assert.ok(known > 20, `${known} names`)
  })
})
