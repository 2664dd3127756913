// diff.ts: what is different between two lists of texts, in the fewest steps (Myers' algorithm). No meaning, no format.

/** One line of a difference: in both lists, only in the first, or only in the second. The indexes are those in them. */
export type Edit =
  | { readonly kind: 'same'; readonly before: number; readonly after: number }
  | { readonly kind: 'removed'; readonly before: number }
  | { readonly kind: 'added'; readonly after: number }

/** More differences than this are not sorted out: everything between the first and the last is removed and added. */
const mostEdits = 1000

/** How to make `after` of `before`. */
export function diffLists(before: readonly string[], after: readonly string[]): Edit[] {
  const shorter = Math.min(before.length, after.length)
  let head = 0
  while (head < shorter && before[head] === after[head]) head++
  let tail = 0
  while (tail < shorter - head && before.at(-1 - tail) === after.at(-1 - tail)) tail++

  const edits: Edit[] = []
  for (let i = 0; i < head; i++) edits.push({ kind: 'same', before: i, after: i })
  const middle = { before: before.slice(head, before.length - tail), after: after.slice(head, after.length - tail) }
  for (const edit of shortest(middle.before, middle.after) ?? replaceAll(middle.before, middle.after)) {
    if (edit.kind === 'same') edits.push({ kind: 'same', before: head + edit.before, after: head + edit.after })
    else if (edit.kind === 'removed') edits.push({ kind: 'removed', before: head + edit.before })
    else edits.push({ kind: 'added', after: head + edit.after })
  }
  for (let i = tail; i > 0; i--) edits.push({ kind: 'same', before: before.length - i, after: after.length - i })
  return edits
}

function replaceAll(before: readonly string[], after: readonly string[]): Edit[] {
  return [
    ...before.map((_, i): Edit => ({ kind: 'removed', before: i })),
    ...after.map((_, i): Edit => ({ kind: 'added', after: i })),
  ]
}

// The furthest place in `before` that is reached on each diagonal, for 0, 1, 2, … edits; undefined: too many.
function shortest(before: readonly string[], after: readonly string[]): Edit[] | undefined {
  const most = Math.min(before.length + after.length, mostEdits)
  const reached: Int32Array[] = []
  let last = new Int32Array([0])
  for (let edits = 0; edits <= most; edits++) {
    // Diagonals -edits to edits; index 0 is diagonal -edits.
    const now = new Int32Array(2 * edits + 1)
    for (let diagonal = -edits; diagonal <= edits; diagonal += 2) {
      let x = edits === 0 ? 0 : stepTo(last, diagonal, edits)
      while (x < before.length && x - diagonal < after.length && before[x] === after[x - diagonal]) x++
      now[diagonal + edits] = x
      if (x < before.length || x - diagonal < after.length) continue
      reached.push(now)
      return walkBack(reached, before.length, after.length)
    }
    reached.push(now)
    last = now
  }
  return undefined
}

// From the diagonals of one edit less: one down (added) or one to the right (removed), whichever leads further.
function stepTo(last: Int32Array, diagonal: number, edits: number): number {
  return comesFromAbove(last, diagonal, edits) ? last[diagonal + edits]! : last[diagonal + edits - 2]! + 1
}

// `last[d + edits - 1]` is diagonal d.
function comesFromAbove(last: Int32Array, diagonal: number, edits: number): boolean {
  if (diagonal === -edits) return true
  if (diagonal === edits) return false
  return last[diagonal + edits - 2]! < last[diagonal + edits]!
}

function walkBack(reached: readonly Int32Array[], width: number, height: number): Edit[] {
  const edits: Edit[] = []
  let x = width
  let y = height
  for (let edit = reached.length - 1; edit > 0; edit--) {
    const last = reached[edit - 1]!
    const diagonal = x - y
    const added = comesFromAbove(last, diagonal, edit)
    const from = added ? diagonal + 1 : diagonal - 1
    const startX = last[from + edit - 1]!
    const startY = startX - from
    const [nextX, nextY] = added ? [startX, startY + 1] : [startX + 1, startY]
    while (x > nextX && y > nextY) edits.push({ kind: 'same', before: --x, after: --y })
    if (added) edits.push({ kind: 'added', after: --y })
    else edits.push({ kind: 'removed', before: --x })
  }
  while (x > 0 && y > 0) edits.push({ kind: 'same', before: --x, after: --y })
  return edits.reverse()
}
