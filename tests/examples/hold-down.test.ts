// link-watch.ts in the kit: what counts as down, told by transitions on a schedule; and that a replay tells of a change.
import assert from 'node:assert/strict'
import { replay, testNode } from '../../daemon/testing/index.js'
import watch from '../../docs/examples/link-watch.js'

const up = { admin: true, link: true }

describe('examples: link-watch', () => {
  it('a link that is up again within the hold time has flapped', async () => {
    await using kit = await testNode(watch, { options: { hold: 200 } })
    kit.transition('eth0', 'link', up)
    kit.after(1000, () => kit.transition('eth0', 'link', { link: false }))
    kit.after(1199, () => kit.transition('eth0', 'link', { link: true }))
    await kit.advance(60_000)
    assert.deepEqual(kit.counters, { transitions: 3, up: 1, down: 0, flaps: 1, missed: 0 })
  })

  it('one that stays down for the hold time is down, at that very time', async () => {
    await using kit = await testNode(watch, { options: { hold: 200 } })
    kit.transition('eth0', 'link', up)
    kit.after(1000, () => kit.transition('eth0', 'link', { link: false }))
    await kit.until(() => kit.counters.down === 1)
    assert.equal(kit.now, 1_001_200)
  })

  it('interfaces do not hold each other up', async () => {
    await using kit = await testNode(watch, { options: { hold: 200 } })
    for (const name of ['eth0', 'eth1']) kit.transition(name, 'link', up)
    for (const [ms, name] of [
      [1000, 'eth0'],
      [1100, 'eth1'],
    ] as const)
      kit.after(ms, () => kit.transition(name, 'admin', { admin: false }))
    await kit.advance(10_000)
    const down = kit.logs.filter(line => line.text.endsWith('is down')).map(line => [line.time - 1_000_000, line.text])
    assert.deepEqual(down, [
      [1200, 'eth0 is down'],
      [1300, 'eth1 is down'],
    ])
  })

  it('replayed as it is there is no difference, with another hold time there is', async () => {
    let recording = ''
    const write = (line: string) => {
      recording += line
    }
    const kit = await testNode(watch, { options: { hold: 200 }, record: { write } })
    kit.transition('eth0', 'link', up)
    kit.after(1000, () => kit.transition('eth0', 'link', { link: false }))
    kit.after(1150, () => kit.transition('eth0', 'link', { link: true }))
    kit.after(2000, () => kit.transition('eth0', 'removed'))
    await kit.advance(3000)
    assert.equal((await replay(watch, recording)).diff, '')
    const { diff } = await replay(watch, recording, { options: { hold: 100 } })
    assert.match(diff, /^\+ +1100\.000 ms {2}count down 1$/m)
    assert.match(diff, /^- +1150\.000 ms {2}count flaps 1$/m)
    await kit[Symbol.asyncDispose]()
  })
})
