import assert from 'node:assert/strict'
import { Pulse } from '../../../daemon/host/threads/pulse.js'

describe('pulse', () => {
  function setUp(maxStall = 1000) {
    const seen = { now: 0, asked: 0, stuck: [] as number[] }
    const pulse = new Pulse({
      maxStall,
      ask: () => void seen.asked++,
      stuck: ms => void seen.stuck.push(ms),
      now: () => seen.now,
    })
    const pass = (ms: number) => {
      seen.now += ms
      pulse.tick()
    }
    pulse.start()
    return { pulse, seen, pass }
  }
  const pulses: Pulse[] = []
  afterEach(() => {
    for (const pulse of pulses.splice(0)) pulse.stop()
  })

  it('asks again after each answer, and says nothing of a thread that answers', () => {
    const { pulse, seen, pass } = setUp()
    pulses.push(pulse)
    for (let i = 0; i < 10; i++) {
      pulse.answered()
      pass(250)
    }
    assert.deepEqual([seen.asked, seen.stuck], [11, []])
  })

  it('tells once of a thread that does not answer for so long, and again when it has answered in between', () => {
    const { pulse, seen, pass } = setUp()
    pulses.push(pulse)
    for (let i = 0; i < 3; i++) pass(250)
    assert.deepEqual(seen.stuck, [])
    for (let i = 0; i < 5; i++) pass(250)
    assert.deepEqual(seen.stuck, [1000])
    assert.equal(seen.asked, 1)
    pulse.answered()
    for (let i = 0; i < 5; i++) pass(250)
    assert.equal(seen.stuck.length, 2)
  })

  it('does not take its own delay for the silence of the other', () => {
    const { pulse, seen, pass } = setUp()
    pulses.push(pulse)
    pass(5000)
    assert.deepEqual(seen.stuck, [])
    for (let i = 0; i < 4; i++) pass(250)
    assert.equal(seen.stuck.length, 1)
  })
})
