import assert from 'node:assert/strict'
import { Backoff } from '../../daemon/host/backoff.js'
import { RestartPolicy } from '../../daemon/host/restart.js'

const config = { min: 100, max: 1000, crashLoop: { count: 4, window: 60_000 } }

describe('back-off', () => {
  it('doubles from min to max and starts again after a reset', () => {
    const backoff = new Backoff({ min: 100, max: 1000 })
    assert.deepEqual(
      Array.from({ length: 6 }, () => backoff.next()),
      [100, 200, 400, 800, 1000, 1000],
    )
    backoff.reset()
    assert.equal(backoff.next(), 100)
  })

  it('leaves the given share of each wait to chance', () => {
    const waits = Array.from({ length: 200 }, () => new Backoff({ min: 100, max: 100 }, 0.5).next())
    assert.ok(waits.every(wait => wait > 50 && wait <= 100))
    assert.ok(new Set(waits).size > 1)
  })
})

describe('restart policy', () => {
  it('never: not again, however it ended', () => {
    const policy = new RestartPolicy({ ...config, policy: 'never' })
    assert.deepEqual(policy.ended(true, 0, 10), { again: false })
    assert.deepEqual(policy.ended(false, 0, 10), { again: false })
  })

  it('on-failure: again after a failure only', () => {
    const policy = new RestartPolicy({ ...config, policy: 'on-failure' })
    assert.deepEqual(policy.ended(false, 0, 10), { again: false })
    assert.deepEqual(policy.ended(true, 0, 10), { again: true, wait: 100, crashLoop: false })
  })

  it('always: again also after a return, which is no failure', () => {
    const policy = new RestartPolicy({ ...config, policy: 'always' })
    for (let i = 0; i < 20; i++) {
      const decision = policy.ended(false, i, 10)
      assert.ok(decision.again && !decision.crashLoop)
    }
  })

  it('waits longer with each failure, and the longest in a crash loop', () => {
    const policy = new RestartPolicy({ ...config, policy: 'on-failure' })
    const ends = [0, 10, 20, 30, 40].map(now => policy.ended(true, now, 1))
    assert.deepEqual(ends, [
      { again: true, wait: 100, crashLoop: false },
      { again: true, wait: 200, crashLoop: false },
      { again: true, wait: 400, crashLoop: false },
      { again: true, wait: 1000, crashLoop: true },
      { again: true, wait: 1000, crashLoop: true },
    ])
  })

  it('forgets failures that are older than the window', () => {
    const policy = new RestartPolicy({ ...config, policy: 'on-failure' })
    for (const now of [0, 10, 20]) policy.ended(true, now, 1)
    assert.deepEqual(policy.ended(true, 70_000, 65_000), { again: true, wait: 100, crashLoop: false })
  })
})
