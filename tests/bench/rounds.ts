// rounds.ts: the method. Floor and candidate alternate within one run; the figure is the median of the round ratios.

/** What one comparison gave: a value of the floor and of the candidate per round, in the measure's unit. */
export interface Rounds {
  readonly floor: readonly number[]
  readonly candidate: readonly number[]
}

/** The middle value; for an even count the mean of the two in the middle. Throws RangeError on an empty list. */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('median of nothing')
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** The value that `share` (0…1) of the sorted values do not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!
}

/** Median over the rounds of candidate divided by floor. */
export function ratio(rounds: Rounds): number {
  return median(rounds.candidate.map((value, i) => value / rounds.floor[i]!))
}

/** Runs floor and candidate in turn, `count` times; the order flips every round so that neither always goes first. */
export async function alternate(
  count: number,
  floor: () => Promise<number>,
  candidate: () => Promise<number>,
): Promise<Rounds> {
  const rounds = { floor: [] as number[], candidate: [] as number[] }
  for (let i = 0; i < count; i++) {
    if (i % 2 === 0) rounds.floor.push(await floor())
    rounds.candidate.push(await candidate())
    if (i % 2 === 1) rounds.floor.push(await floor())
  }
  return rounds
}
