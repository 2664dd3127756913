// The timing wheel against a sorted list.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { Alarm, Wheel } from '../../daemon/process/wheel.js'

const owner = { expire() {} }
const hours = 3_600_000

/** A delay of any size: below a tick, across all levels, beyond the horizon of 37 hours. */
const delay = fc.oneof(
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.double({ min: 0, max: 300, noNaN: true }),
  fc.integer({ min: 0, max: 100_000 }),
  fc.integer({ min: 0, max: 100 * hours }),
  fc.integer({ min: 0, max: 16 * 40 }).map(ticks => ticks * 2 + 1 / 16),
)

type Step = {
  readonly set?: number
  readonly clear?: number
  readonly pass?: number
  readonly jump?: boolean
}

const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: delay.map((set): Step => ({ set })) },
    { weight: 1, arbitrary: fc.nat().map((clear): Step => ({ clear })) },
    { weight: 2, arbitrary: delay.map((pass): Step => ({ pass })) },
    { weight: 3, arbitrary: fc.constant<Step>({ jump: true }) },
  ),
  { maxLength: 120 },
)

describe('wheel', () => {
  it('gives every alarm at its time, in order, and knows the nearest one', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e9, noNaN: true }), steps, (start, list) => {
        const wheel = new Wheel()
        const model = new Set<Alarm>()
        const far = new Set<Alarm>()
        let now = start
        for (const step of list) {
          if (step.set !== undefined) {
            const alarm = new Alarm(owner)
            wheel.set(alarm, now + step.set, now)
            model.add(alarm)
            if (step.set > 37 * hours) far.add(alarm)
          } else if (step.clear !== undefined) {
            const alarm = [...model][step.clear % Math.max(1, model.size)]
            if (alarm !== undefined) wheel.clear(alarm)
            if (alarm !== undefined) model.delete(alarm)
          } else {
            now =
              step.jump === true ? Math.max(now, Math.min(wheel.nearest(), Number.MAX_SAFE_INTEGER)) : now + step.pass!
            const due = wheel.advance(now)
            const expected = [...model].filter(alarm => alarm.when <= now)
            assert.deepEqual(new Set(due), new Set(expected))
            for (const alarm of due) model.delete(alarm)
            for (let i = 1; i < due.length; i++) assert.ok(due[i - 1]!.when <= due[i]!.when)
          }
          assert.equal(wheel.size, model.size)
          const nearest = Math.min(...[...model].map(alarm => alarm.when))
          if (![...model].some(alarm => far.has(alarm))) assert.equal(wheel.nearest(), nearest)
          else assert.ok(wheel.nearest() <= nearest)
        }
      }),
      { numRuns: 400 },
    )
  })

  it('finds an alarm beyond the horizon in the end, with few looks', () => {
    const wheel = new Wheel()
    const alarm = new Alarm(owner)
    wheel.set(alarm, 1000 * hours, 0)
    let looks = 0
    for (let now = 0; ; looks++) {
      now = wheel.nearest()
      assert.ok(now <= 1000 * hours)
      if (wheel.advance(now).includes(alarm)) {
        assert.equal(now, 1000 * hours)
        break
      }
    }
    assert.ok(looks < 1000, `${looks} looks`)
  })

  it('of equal times the first set is the first', () => {
    const wheel = new Wheel()
    const alarms = Array.from({ length: 100 }, () => new Alarm(owner))
    for (const alarm of alarms) wheel.set(alarm, 777.5, 0)
    assert.deepEqual(wheel.advance(777.49), [])
    assert.deepEqual(wheel.advance(777.5), alarms)
  })

  it('an alarm in the past is due at once', () => {
    const wheel = new Wheel()
    const alarm = new Alarm(owner)
    wheel.advance(5000)
    wheel.set(alarm, 10, 5000)
    assert.equal(wheel.nearest(), 10)
    assert.deepEqual(wheel.advance(5000), [alarm])
    assert.equal(alarm.due, true)
  })
})
