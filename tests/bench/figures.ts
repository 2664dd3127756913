// figures.ts: what a run found: numbers under stable names, and the sentences and tables of the page.

/** One row of a table on the page. */
export type Row = readonly (string | number)[]

/** A section of the page: what was measured, how, the table, and how it stands to its goal. */
export interface Section {
  readonly title: string
  readonly method: string
  readonly head: readonly string[]
  readonly rows: readonly Row[]
  readonly verdict?: string
}

/** What one measure gives. */
export interface Finding {
  readonly section: Section
  readonly figures: Readonly<Record<string, number>>
}

/** How large a run is. */
export interface Size {
  readonly quick: boolean
  /** Alternating rounds of floor and candidate; at least 5 unless quick. */
  readonly rounds: number
}

/** A number with three significant digits, thousands grouped. */
export function show(value: number): string {
  if (!Number.isFinite(value)) return String(value)
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US')
  return String(Number(value.toPrecision(3)))
}

/** A sentence on a goal: met, or missed by how much. `why` is added when it is missed. */
export function judge(
  name: string,
  value: number,
  goal: number,
  unit: string,
  better: 'low' | 'high',
  why = '',
): string {
  const met = better === 'low' ? value <= goal : value >= goal
  const sign = better === 'low' ? '≤' : '≥'
  const by = better === 'low' ? value / goal : goal / value
  if (met) return `Goal ${name} ${sign} ${show(goal)}${unit}: met (${show(value)}${unit}).`
  return `Goal ${name} ${sign} ${show(goal)}${unit}: **missed** by ${show((by - 1) * 100)} % (${show(value)}${unit}). ${why}`.trim()
}
