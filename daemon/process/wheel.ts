// wheel.ts: a hierarchical timing wheel. Setting, clearing and expiring an alarm cost the same with one alarm and with
// a hundred thousand.
//
// Seven levels of 32 slots; a slot of level n spans 32^n ticks of 1/16 ms. An alarm is put into the level whose span
// its distance needs, and moves to finer levels as its time comes nearer. Its exact time is kept: slots only sort, so
// nothing is rounded, and an alarm never expires before its time. Beyond 37 hours an alarm waits in the coarsest level
// and is looked at again from there.
//
// An alarm is a row of a few arrays of numbers and no object: a hundred thousand of them are nothing for the garbage
// collector to visit or move, and those that move to a finer level together are near each other in memory.

const ticksPerMs = 16
const slotsPerLevel = 32
const levels = 7
/** The furthest distance in ticks that is placed exactly. */
const horizon = 2 ** 31 - 1
const spans = Array.from({ length: levels }, (_, level) => slotsPerLevel ** level)

/** Who has an alarm set. */
export interface Alarmed {
  /** Its time has come; the row is not its own any more. */
  expire(): void
}

/** A row that is no row: the end of a list, or an alarm that is not set. */
export const noRow = -1
// What `#slot` says of a row that is in no slot: its time has come and it has not expired; or it was cleared then.
const isDue = -1
const wasCleared = -2

/** All alarms of a node. Times are milliseconds of a clock that never goes back; the wheel has no clock of its own. */
export class Wheel {
  // The rows. Free ones are a list through `#after`.
  readonly #owner: (Alarmed | undefined)[] = []
  readonly #when: number[] = []
  /** When the wheel must look at it: earlier than `#when` if that is beyond the horizon. */
  readonly #look: number[] = []
  readonly #slot: number[] = []
  readonly #before: number[] = []
  readonly #after: number[] = []
  #free = noRow

  // The slots: alarms of about the same time, in the order in which they came. Their arrays are as long as was needed
  // yet: an idle node has none.
  readonly #first: number[] = []
  readonly #last: number[] = []
  /** The earliest time the wheel has to look there; NaN: must be looked up again. */
  readonly #min: number[] = []
  // For each level the slots that have alarms, one bit each.
  readonly #used = new Int32Array(levels)
  #tick = 0
  #size = 0

  /** Alarms that are set and whose time has not come. */
  get size(): number {
    return this.#size
  }

  /** Sets an alarm for `when`; a time that has passed is as good as `now`. The row is its owner's until it expires. */
  set(owner: Alarmed, when: number, now: number): number {
    if (this.#size === 0) this.#tick = Math.max(this.#tick, Math.floor(now * ticksPerMs))
    const row = this.#take()
    this.#owner[row] = owner
    this.#when[row] = when
    this.#size++
    this.#place(row)
    return row
  }

  /** Clears an alarm that is set, also one whose time has come and which has not expired. */
  clear(row: number): void {
    const slot = this.#slot[row]!
    if (slot === isDue) {
      this.#slot[row] = wasCleared
      return
    }
    this.#size--
    this.#unlink(row, slot)
    this.#release(row)
  }

  /** When the wheel must look at an alarm that is set: its time, exactly, or earlier if that is beyond 37 hours. */
  look(row: number): number {
    return this.#look[row]!
  }

  /** The time of the earliest alarm, exactly; Infinity if there is none. Of alarms beyond 37 hours: when to look again. */
  nearest(): number {
    let nearest = Number.POSITIVE_INFINITY
    for (let level = 0; level < levels; level++) {
      if (this.#used[level] === 0) continue
      nearest = Math.min(nearest, this.#earliest(this.#slotAt(level, this.#distance(level))))
    }
    return nearest
  }

  /** Takes off all alarms whose time has come by `now`: their rows in the order of their times, for {@link expire}. */
  advance(now: number): number[] {
    const target = Math.floor(now * ticksPerMs)
    const due: number[] = []
    while (this.#size > 0) {
      const start = this.#nextStart()
      if (start > target) break
      this.#tick = start
      // Coarse levels first: they fill the finer ones.
      for (let level = levels - 1; level > 0; level--) {
        if (start % spans[level]! === 0 && this.#isUsed(level)) this.#spread(this.#slotAt(level, 0))
      }
      if (this.#isUsed(0)) this.#collect(this.#slotAt(0, 0), now, due)
      // What is left in the slot of the present tick is due later within it.
      if (start === target) break
    }
    this.#tick = Math.max(this.#tick, target)
    const when = this.#when
    if (!ordered(due, when)) due.sort((a, b) => when[a]! - when[b]!)
    return due
  }

  /** Expires a row that {@link advance} gave, each once, unless it was cleared meanwhile. */
  expire(row: number): void {
    const owner = this.#slot[row] === isDue ? this.#owner[row] : undefined
    this.#release(row)
    owner?.expire()
  }

  // ---- rows

  #take(): number {
    const row = this.#free
    if (row !== noRow) {
      this.#free = this.#after[row]!
      return row
    }
    this.#before.push(noRow)
    this.#after.push(noRow)
    this.#slot.push(wasCleared)
    this.#look.push(0)
    this.#owner.push(undefined)
    return this.#when.push(0) - 1
  }

  #release(row: number): void {
    this.#owner[row] = undefined
    this.#after[row] = this.#free
    this.#free = row
  }

  #place(row: number): void {
    const when = this.#when[row]!
    const wanted = Math.max(0, Math.floor(when * ticksPerMs) - this.#tick)
    const distance = Math.min(wanted, horizon)
    const level = distance < slotsPerLevel ? 0 : Math.floor((31 - Math.clz32(distance)) / 5)
    const tick = this.#tick + distance
    const index = Math.floor(tick / spans[level]!) & (slotsPerLevel - 1)
    const slot = this.#slotOf(level, index)
    const look = wanted > horizon ? tick / ticksPerMs : when
    const last = this.#last[slot]!
    this.#slot[row] = slot
    this.#before[row] = last
    this.#after[row] = noRow
    this.#look[row] = look
    if (last === noRow) this.#first[slot] = row
    else this.#after[last] = row
    this.#last[slot] = row
    this.#min[slot] = Math.min(this.#min[slot]!, look)
    this.#used[level]! |= 1 << index
  }

  #unlink(row: number, slot: number): void {
    const before = this.#before[row]!
    const after = this.#after[row]!
    if (before === noRow) this.#first[slot] = after
    else this.#after[before] = after
    if (after === noRow) this.#last[slot] = before
    else this.#before[after] = before
    if (this.#first[slot] === noRow) this.#empty(slot)
    else if (this.#look[row]! <= this.#min[slot]!) this.#min[slot] = Number.NaN
  }

  // ---- slots

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

  #slotAt(level: number, ahead: number): number {
    return this.#slotOf(level, (Math.floor(this.#tick / spans[level]!) + ahead) & (slotsPerLevel - 1))
  }

  #slotOf(level: number, index: number): number {
    const slot = level * slotsPerLevel + index
    while (this.#first.length <= slot) {
      this.#first.push(noRow)
      this.#last.push(noRow)
      this.#min.push(Number.POSITIVE_INFINITY)
    }
    return slot
  }

  #earliest(slot: number): number {
    let min = this.#min[slot]!
    if (!Number.isNaN(min)) return min
    min = Number.POSITIVE_INFINITY
    for (let row = this.#first[slot]!; row !== noRow; row = this.#after[row]!) min = Math.min(min, this.#look[row]!)
    this.#min[slot] = min
    return min
  }

  #empty(slot: number): void {
    this.#first[slot] = noRow
    this.#last[slot] = noRow
    this.#min[slot] = Number.POSITIVE_INFINITY
    this.#used[Math.floor(slot / slotsPerLevel)]! &= ~(1 << (slot & (slotsPerLevel - 1)))
  }

  // Places the alarms of a slot anew, nearer: the tick is at the start of the slot.
  #spread(slot: number): void {
    let row = this.#first[slot]!
    this.#empty(slot)
    while (row !== noRow) {
      const next = this.#after[row]!
      this.#place(row)
      row = next
    }
  }

  #collect(slot: number, now: number, due: number[]): void {
    for (let row = this.#first[slot]!; row !== noRow; ) {
      const next = this.#after[row]!
      if (this.#when[row]! <= now) {
        this.#size--
        this.#unlink(row, slot)
        this.#slot[row] = isDue
        due.push(row)
      }
      row = next
    }
  }
}

function ordered(rows: readonly number[], when: readonly number[]): boolean {
  for (let i = 1; i < rows.length; i++) if (when[rows[i - 1]!]! > when[rows[i]!]!) return false
  return true
}
