// suggest.ts: what somebody who mistyped a name may have meant.

// Levenshtein distance.
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, change))
    }
    row = next
  }
  return row[b.length]!
}

/** `; did you mean "x"?` with the closest known name, or all known names if none is close. `given` may be hostile. */
export function suggest(given: string, known: readonly string[], what: string): string {
  if (known.length === 0) return `; there are no ${what}`
  const close =
    given.length > 64
      ? []
      : known
          .map(name => ({ name, far: distance(given.toLowerCase(), name.toLowerCase()) }))
          .sort((a, b) => a.far - b.far)
          .filter(({ name, far }) => far <= Math.max(1, Math.floor(name.length / 3)))
  return close[0] === undefined ? `; ${what}: ${known.join(', ')}` : `; did you mean "${close[0].name}"?`
}
