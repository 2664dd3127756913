// suggest.ts: "did you mean". Pure text.

/** Spelling without what people get wrong first: case, `_` and `-`. */
function plain(word: string): string {
  return word.toLowerCase().replace(/[-_ ]/g, '')
}

/** Edits (insert, delete, replace, swap neighbours) from `a` to `b`. */
function distance(a: string, b: string): number {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let best = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, before[j - 2]! + 1)
      row.push(best)
    }
    before = last
    last = row
  }
  return last[b.length]!
}

/** The one of `known` that `word` was probably meant to be, or undefined if none is near. */
export function suggest(word: string, known: Iterable<string>): string | undefined {
  if (word.length > 100) return undefined
  const wanted = plain(word)
  let nearest: string | undefined
  let least = Number.POSITIVE_INFINITY
  for (const candidate of known) {
    const other = plain(candidate)
    const starts = wanted.length >= 3 && other.startsWith(wanted)
    const edits = starts ? 1 : distance(wanted, other)
    if (edits < least && edits <= Math.max(1, Math.floor(Math.max(wanted.length, other.length) * 0.4))) {
      nearest = candidate
      least = edits
    }
  }
  return nearest
}
