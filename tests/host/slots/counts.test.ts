import assert from 'node:assert/strict'
import { countNames, NodeCounts, noCounts, snapshot } from '../../../daemon/host/slots/counts.js'
import { LogCredit } from '../../../daemon/host/threads/executor-protocol.js'
import { ThreadLog } from '../../../daemon/host/threads/thread-log.js'

describe('memory that threads share', () => {
  it('counts of the same memory are the same, name by name', () => {
    const here = new NodeCounts()
    const there = new NodeCounts(here.memory)
    for (const [i, name] of countNames.entries()) for (let n = 0; n <= i; n++) there[name]++
    assert.deepEqual(
      Object.values(snapshot(here)),
      [...countNames.keys()].map(i => i + 1),
    )
    assert.deepEqual(Object.keys(snapshot(here)), [...countNames])
    assert.deepEqual(snapshot(new NodeCounts()), noCounts())
  })

  it('a thread posts log lines as far as the main thread takes them, and says how many are missing', () => {
    const main = new LogCredit()
    const posted: { text?: string; dropped?: number }[] = []
    const logs = {
      level: 'info',
      dropped: 0,
      credit: new LogCredit(main.memory),
      post: (report: object) => void posted.push(report),
    }
    const log = new ThreadLog(7, logs)
    log.debug('below the level')
    assert.equal(posted.length, 0)
    for (let i = 0; i < 5000; i++) log.info(`line ${i}`)
    const first = posted.length
    assert.ok(first > 10 && first < 5000, `${first}`)
    main.take()
    log.warn('after')
    assert.deepEqual([posted.length, posted.at(-1)?.text, posted.at(-1)?.dropped], [first + 1, 'after', 5000 - first])
    logs.level = 'silent-or-unknown'
    main.take()
    log.error('still')
    assert.equal(posted.length, first + 2)
  })
})
