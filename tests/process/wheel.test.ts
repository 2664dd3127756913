// The timing wheel against a sorted list.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { Wheel } from '../../daemon/process/wheel.js'

/** An alarm as its owner has it. */
class Alarm {
  readonly when: number
  readonly row: number
  expired = 0

  constructor(wheel: Wheel, when: number, now: number) {
    this.when = when
    this.row = wheel.set(this, when, now)
  }

  expire(): void {
    this.expired++
  }
}

/** Lets time pass; the alarms of `all` that have expired, in their order. */
function expired(wheel: Wheel, now: number, all: Iterable<Alarm>): Alarm[] {
  const byRow = new Map(Array.from(all, alarm => [alarm.row, alarm]))
  const due = wheel.advance(now).map(row => byRow.get(row)!)
  for (const alarm of due) {
    assert.equal(alarm.expired, 0)
    wheel.expire(alarm.row)
    assert.equal(alarm.expired, 1)
  }
  return due
}

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
            const alarm = new Alarm(wheel, now + step.set, now)
            assert.ok(wheel.look(alarm.row) <= alarm.when)
            model.add(alarm)
            if (step.set > 37 * hours) far.add(alarm)
          } else if (step.clear !== undefined) {
            const alarm = [...model][step.clear % Math.max(1, model.size)]
            if (alarm !== undefined) wheel.clear(alarm.row)
            if (alarm !== undefined) model.delete(alarm)
          } else {
            now =
              step.jump === true ? Math.max(now, Math.min(wheel.nearest(), Number.MAX_SAFE_INTEGER)) : now + step.pass!
            const due = expired(wheel, now, model)
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
    const alarm = new Alarm(wheel, 1000 * hours, 0)
    let looks = 0
    for (let now = 0; ; looks++) {
      now = wheel.nearest()
      assert.ok(now <= 1000 * hours)
      if (expired(wheel, now, [alarm]).length > 0) {
        assert.equal(now, 1000 * hours)
        break
      }
    }
    assert.ok(looks < 1000, `${looks} looks`)
  })

  it('of equal times the first set is the first', () => {
    const wheel = new Wheel()
    const alarms = Array.from({ length: 100 }, () => new Alarm(wheel, 777.5, 0))
    assert.deepEqual(expired(wheel, 777.49, alarms), [])
    assert.deepEqual(expired(wheel, 777.5, alarms), alarms)
  })

  it('an alarm in the past is due at once', () => {
    const wheel = new Wheel()
    wheel.advance(5000)
    const alarm = new Alarm(wheel, 10, 5000)
    assert.equal(wheel.nearest(), 10)
    assert.deepEqual(expired(wheel, 5000, [alarm]), [alarm])
  })

  it('one that another one’s expiry clears does not expire, and its row is free again', () => {
    const wheel = new Wheel()
    const second = { expire: () => assert.fail('it was cleared') }
    const first = { expire: () => wheel.clear(cleared) }
    const rows = [wheel.set(first, 5, 0), wheel.set(second, 5, 0)]
    const cleared = rows[1]!
    for (const row of wheel.advance(5)) wheel.expire(row)
    assert.equal(wheel.size, 0)
    assert.equal(wheel.nearest(), Number.POSITIVE_INFINITY)
    const again = [new Alarm(wheel, 9, 5), new Alarm(wheel, 8, 5)]
    assert.deepEqual(new Set(again.map(alarm => alarm.row)), new Set(rows))
    assert.deepEqual(expired(wheel, 10, again), [again[1], again[0]])
  })

  it('one that is set while another one expires is due next time, on a row of its own', () => {
    const wheel = new Wheel()
    let later: Alarm | undefined
    const first = {
      expire() {
        later = new Alarm(wheel, 5, 5)
      },
    }
    wheel.set(first, 5, 0)
    const other = new Alarm(wheel, 5, 0)
    for (const row of wheel.advance(5)) wheel.expire(row)
    assert.equal(other.expired, 1)
    assert.equal(later?.expired, 0)
    assert.deepEqual(expired(wheel, 5, [later!]), [later])
  })
})
