// wheel.ts: a hierarchical timing wheel. Setting, clearing and expiring an alarm cost the same with one alarm and with
// a hundred thousand.
//
// Seven levels of 32 slots; a slot of level n spans 32^n ticks of 1/16 ms. An alarm is put into the level whose span
// its distance needs, and moves to finer levels as its time comes nearer. Its exact time is kept: slots only sort, so
// nothing is rounded, and an alarm never expires before its time. Beyond 37 hours an alarm waits in the coarsest level
// and is looked at again from there.

const ticksPerMs = 16
const slotsPerLevel = 32
const levels = 7
/** The furthest distance in ticks that is placed exactly. */
const horizon = 2 ** 31 - 1
const spans = Array.from({ length: levels }, (_, level) => slotsPerLevel ** level)

/** Something that is to happen at a time. Belongs to one wheel at a time. */
export class Alarm {
  readonly #owner: { expire(): void }
  /** When, in milliseconds of the wheel's clock. */
  when = Number.POSITIVE_INFINITY
  /** When the wheel must look at it: earlier than `when` if that is beyond the horizon. */
  look = Number.POSITIVE_INFINITY
  /** Where it is; undefined: not set. Only {@link Wheel} touches this and the links. */
  slot: Slot | undefined
  before: Alarm | undefined
  after: Alarm | undefined
  /** Taken off the wheel because its time has come, and not yet expired. */
  due = false

  constructor(owner: { expire(): void }) {
    this.#owner = owner
  }

  /** Set, and not expired. */
  get armed(): boolean {
    return this.slot !== undefined || this.due
  }

  expire(): void {
    this.due = false
    this.#owner.expire()
  }
}

/** Alarms of about the same time, in the order in which they came. */
class Slot {
  readonly level: number
  readonly index: number
  first: Alarm | undefined
  last: Alarm | undefined
  /** The earliest time the wheel has to look here; NaN: must be looked up again. */
  min = Number.POSITIVE_INFINITY

  constructor(level: number, index: number) {
    this.level = level
    this.index = index
  }

  earliest(): number {
    if (!Number.isNaN(this.min)) return this.min
    let min = Number.POSITIVE_INFINITY
    for (let alarm = this.first; alarm !== undefined; alarm = alarm.after) min = Math.min(min, alarm.look)
    this.min = min
    return min
  }
}

/** All alarms of a node. Times are milliseconds of a clock that never goes back; the wheel has no clock of its own. */
export class Wheel {
  // Levels and slots are made when first used: an idle node has none.
  readonly #slots: (Slot | undefined)[] = []
  // For each level the slots that have alarms, one bit each.
  readonly #used = new Int32Array(levels)
  #tick = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Sets an alarm, which must not be set, for `when`; a time that has passed is as good as `now`. */
  set(alarm: Alarm, when: number, now: number): void {
    if (this.#size === 0) this.#tick = Math.max(this.#tick, Math.floor(now * ticksPerMs))
    alarm.when = when
    this.#size++
    this.#place(alarm)
  }

  /** Clears an alarm, if it is set. */
  clear(alarm: Alarm): void {
    alarm.due = false
    if (alarm.slot === undefined) return
    this.#size--
    this.#unlink(alarm)
  }

  /** The time of the earliest alarm, exactly; Infinity if there is none. Of alarms beyond 37 hours: when to look again. */
  nearest(): number {
    let nearest = Number.POSITIVE_INFINITY
    for (let level = 0; level < levels; level++) {
      if (this.#used[level] === 0) continue
      const slot = this.#slotAt(level, this.#distance(level))
      nearest = Math.min(nearest, slot.earliest())
    }
    return nearest
  }

  /** Takes off all alarms whose time has come by `now`, in the order of their times; the caller expires them. */
  advance(now: number): Alarm[] {
    const target = Math.floor(now * ticksPerMs)
    const due: Alarm[] = []
    while (this.#size > 0) {
      const start = this.#nextStart()
      if (start > target) break
      this.#tick = start
      // Coarse levels first: they fill the finer ones.
      for (let level = levels - 1; level > 0; level--) {
        if (start % spans[level]! === 0 && this.#isUsed(level)) this.#spread(this.#slotAt(level, 0))
      }
      if (this.#isUsed(0)) this.#expire(this.#slotAt(0, 0), now, due)
      // What is left in the slot of the present tick is due later within it.
      if (start === target) break
    }
    this.#tick = Math.max(this.#tick, target)
    if (!ordered(due)) due.sort((a, b) => a.when - b.when)
    return due
  }

  // The tick at which the next used slot of any level begins.
  #nextStart(): number {
    let start = Number.POSITIVE_INFINITY
    for (let level = 0; level < levels; level++) {
      if (this.#used[level] === 0) continue
      const span = spans[level]!
      start = Math.min(start, (Math.floor(this.#tick / span) + this.#distance(level)) * span)
    }
    return start
  }

  // Whether the slot of the present tick has alarms.
  #isUsed(level: number): boolean {
    const current = Math.floor(this.#tick / spans[level]!) & (slotsPerLevel - 1)
    return (this.#used[level]! & (1 << current)) !== 0
  }

  // How many slots ahead the next used slot of a level is. The current slot of a coarse level was spread when it was
  // entered, so what is in it now is one round ahead.
  #distance(level: number): number {
    const current = Math.floor(this.#tick / spans[level]!) & (slotsPerLevel - 1)
    const from = level === 0 ? current : (current + 1) & (slotsPerLevel - 1)
    const bits = this.#used[level]!
    const turned = (bits >>> from) | (from === 0 ? 0 : bits << (slotsPerLevel - from))
    const ahead = 31 - Math.clz32(turned & -turned)
    return level === 0 ? ahead : ahead + 1
  }

  #slotAt(level: number, ahead: number): Slot {
    return this.#slot(level, (Math.floor(this.#tick / spans[level]!) + ahead) & (slotsPerLevel - 1))
  }

  #slot(level: number, index: number): Slot {
    const at = level * slotsPerLevel + index
    while (this.#slots.length <= at) this.#slots.push(undefined)
    let slot = this.#slots[at]
    if (slot === undefined) {
      slot = new Slot(level, index)
      this.#slots[at] = slot
    }
    return slot
  }

  #place(alarm: Alarm): void {
    const wanted = Math.max(0, Math.floor(alarm.when * ticksPerMs) - this.#tick)
    const distance = Math.min(wanted, horizon)
    const level = distance < slotsPerLevel ? 0 : Math.floor((31 - Math.clz32(distance)) / 5)
    const tick = this.#tick + distance
    const slot = this.#slot(level, Math.floor(tick / spans[level]!) & (slotsPerLevel - 1))
    alarm.slot = slot
    alarm.before = slot.last
    alarm.after = undefined
    if (slot.last === undefined) slot.first = alarm
    else slot.last.after = alarm
    slot.last = alarm
    alarm.look = wanted > horizon ? tick / ticksPerMs : alarm.when
    slot.min = Math.min(slot.min, alarm.look)
    this.#used[level]! |= 1 << slot.index
  }

  #unlink(alarm: Alarm): void {
    const slot = alarm.slot!
    if (alarm.before === undefined) slot.first = alarm.after
    else alarm.before.after = alarm.after
    if (alarm.after === undefined) slot.last = alarm.before
    else alarm.after.before = alarm.before
    alarm.slot = undefined
    alarm.before = undefined
    alarm.after = undefined
    if (slot.first === undefined) this.#empty(slot)
    else if (alarm.look <= slot.min) slot.min = Number.NaN
  }

  #empty(slot: Slot): void {
    slot.first = undefined
    slot.last = undefined
    slot.min = Number.POSITIVE_INFINITY
    this.#used[slot.level]! &= ~(1 << slot.index)
  }

  // Places the alarms of a slot anew, nearer: the tick is at the start of the slot.
  #spread(slot: Slot): void {
    let alarm = slot.first
    this.#empty(slot)
    while (alarm !== undefined) {
      const next: Alarm | undefined = alarm.after
      this.#place(alarm)
      alarm = next
    }
  }

  #expire(slot: Slot, now: number, due: Alarm[]): void {
    for (let alarm = slot.first; alarm !== undefined; ) {
      const next: Alarm | undefined = alarm.after
      if (alarm.when <= now) {
        this.#size--
        this.#unlink(alarm)
        alarm.due = true
        due.push(alarm)
      }
      alarm = next
    }
  }
}

function ordered(alarms: readonly Alarm[]): boolean {
  for (let i = 1; i < alarms.length; i++) if (alarms[i - 1]!.when > alarms[i]!.when) return false
  return true
}
