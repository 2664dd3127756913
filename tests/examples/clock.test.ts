// clock.ts in the kit, with a host whose answers are written here.
import assert from 'node:assert/strict'
import { testNode } from '../../daemon/testing/index.js'
import clock from '../../docs/examples/clock.js'

describe('examples: clock', () => {
  it('runs its command every so often, and logs the first line of the answer', async () => {
    await using kit = await testNode(clock, {
      options: { every: 2000, command: 'show version' },
      cli: { 'show version': 'vpp v26.06\nmore\n' },
    })
    await kit.advance(60_000)
    assert.deepEqual(kit.counters, { asked: 30, failed: 0 })
    assert.ok(kit.logs.every(line => line.text === 'vpp v26.06'))
  })

  it('and whenever it is asked, which does not move the next time', async () => {
    await using kit = await testNode(clock, { cli: { 'show version': '' } })
    for (const ms of [300, 600]) kit.after(ms, () => kit.send('ask'))
    await kit.advance(1000)
    const times = kit.commands.filter(command => command.kind === 'cli').map(({ time }) => time - 1_000_000)
    assert.deepEqual(times, [300, 600, 1000])
  })

  it('goes on when a command fails, and says why', async () => {
    await using kit = await testNode(clock)
    kit.onCli('show version', { failed: 'unknown input' })
    await kit.advance(1000)
    kit.onCli('show version', 'v')
    await kit.advance(1000)
    assert.deepEqual(kit.counters, { asked: 1, failed: 1 })
    assert.match(String(kit.logs[0]?.fields.error), /unknown input/)
  })

  it('does not count a command that was under way when it was stopped', async () => {
    await using kit = await testNode(clock, { cli: { 'show version': { text: 'v', after: 5000 } } })
    await kit.advance(1500)
    assert.deepEqual(await kit.destroy(), { how: 'stopped' })
    assert.deepEqual(kit.counters, { asked: 0, failed: 0 })
  })
})
