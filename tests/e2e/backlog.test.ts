// A node that does not come along: each overflow policy, and the notice of what is missing.
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import type { Summary } from '../../daemon/control/client.js'
import { Folder } from '../support/folder.js'
import { corod, startDaemon, startStandalone } from '../support/service.js'
import { waitFor } from '../support/wait.js'
import { numbers, openGate, type Recorded, recorded, recorderYaml } from './records.js'

const sent = 3000

/** Sends more than there is room for to a node whose coroutine stands still, then lets it go on. */
async function overflow(policy: string): Promise<{ summary: Summary; events: Recorded[]; again: number }> {
  using folder = new Folder()
  await using _host = await startStandalone(folder)
  const queue = `    queue: { backlog: 100, overflow: ${policy}, ring: 4KiB }\n`
  await using daemon = startDaemon(folder, recorderYaml(folder, queue))
  await daemon.running()
  await daemon.client.send('rec', { type: 'number', n: 0 })
  await waitFor('an event in hand', () => recorded(folder).length === 1)
  const summary = await daemon.client.send('rec', numbers(1, sent))
  const again = await corod(['--socket', daemon.socket, 'send', 'rec', 'number', `{"n": ${sent + 1}}`])
  openGate(folder)
  const last = await waitFor('room', async () => {
    const told = await daemon.client.send('rec', { type: 'number', n: 4_000_000_000 }).catch(() => undefined)
    return told?.dropped === 0 ? told : undefined
  })
  const events = await waitFor('the last event', () => {
    const all = recorded(folder)
    return all.at(-1)?.seq === last.lastSeq ? all : undefined
  })
  const report = await daemon.client.node('rec')
  assert.equal(report.gaps, events.filter(event => event.type === 'gap').length)
  return { summary, events, again: again.code ?? -1 }
}

/** Sequences that came, and those that gap notices tell of; together they must be all. */
function checkOrder(events: readonly Recorded[]): { delivered: number; missed: number } {
  let before = 0n
  let missed = 0n
  for (const event of events) {
    if (event.type === 'gap') {
      assert.equal(BigInt(event.first ?? 0), before + 1n)
      assert.equal(BigInt(event.count ?? 0), BigInt(event.last ?? 0) - BigInt(event.first ?? 0) + 1n)
      missed += BigInt(event.count ?? 0)
      before = BigInt(event.last ?? 0)
    } else {
      assert.equal(BigInt(event.seq), before + 1n)
      before++
    }
  }
  return { delivered: events.filter(event => event.type !== 'gap').length, missed: Number(missed) }
}

describe('end to end: a full backlog', function () {
  this.timeout(60_000)

  it('reject: the sender is told, and nothing is missing', async () => {
    const { summary, events, again } = await overflow('reject')
    assert.ok(summary.rejected > 0 && summary.accepted >= 100)
    assert.equal(summary.accepted + summary.rejected, sent)
    assert.ok(summary.errors?.every(failure => failure.code === 'FULL'))
    assert.equal(again, 75)
    const { missed } = checkOrder(events)
    assert.equal(missed, 0)
    // What was accepted are the first ones: the rest found no room.
    const values = events.slice(1, 1 + summary.accepted).map(event => event.n)
    assert.deepEqual(
      values,
      Array.from({ length: summary.accepted }, (_, i) => i + 1),
    )
  })

  it('drop-oldest: the newest are there, and the node knows what is not', async () => {
    const { summary, events, again } = await overflow('drop-oldest')
    assert.deepEqual([summary.accepted, summary.dropped, summary.rejected, again], [sent, 0, 0, 0])
    const { missed } = checkOrder(events)
    assert.ok(missed > 0)
    const values = events.map(event => event.n)
    assert.ok(values.includes(sent) && values.includes(sent + 1) && values.includes(0))
  })

  it('drop-newest: the oldest are there, and the node and the sender know what is not', async () => {
    const { summary, events, again } = await overflow('drop-newest')
    assert.equal(summary.accepted, sent)
    assert.equal(summary.rejected, 0)
    assert.ok(summary.dropped > 0)
    assert.equal(again, 0)
    const { missed } = checkOrder(events)
    // And the one that the command sent.
    assert.ok(missed >= summary.dropped + 1)
    const values = events.map(event => event.n)
    assert.ok(values.includes(1) && !values.includes(sent))
  })
})
