import assert from 'node:assert/strict'
import fc from 'fast-check'
import { diffLists } from '../../daemon/testing/diff.js'

const shown = (before: string, after: string) => {
  const a = [...before]
  const b = [...after]
  return diffLists(a, b)
    .map(edit => {
      if (edit.kind === 'same') return ` ${a[edit.before]}`
      return edit.kind === 'removed' ? `-${a[edit.before]}` : `+${b[edit.after]}`
    })
    .join('')
}

/** Length of the longest common subsequence: what a shortest difference leaves. */
function common(a: readonly string[], b: readonly string[]): number {
  let row = new Array<number>(b.length + 1).fill(0)
  for (const one of a) {
    const next = [0]
    for (let j = 0; j < b.length; j++) next.push(one === b[j] ? row[j]! + 1 : Math.max(row[j + 1]!, next[j]!))
    row = next
  }
  return row[b.length]!
}

describe('testing/diff', () => {
  it('shows what was removed and added, and what is the same', () => {
    assert.equal(shown('', ''), '')
    assert.equal(shown('abc', 'abc'), ' a b c')
    assert.equal(shown('', 'ab'), '+a+b')
    assert.equal(shown('ab', ''), '-a-b')
    assert.equal(shown('abc', 'axc'), ' a-b+x c')
    assert.equal(shown('abcd', 'acde'), ' a-b c d+e')
  })

  it('leads from one to the other, by the fewest edits', () => {
    const list = fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 30 })
    fc.assert(
      fc.property(list, list, (a, b) => {
        const edits = diffLists(a, b)
        const before = edits.flatMap(edit => (edit.kind === 'added' ? [] : [edit.before]))
        const after = edits.flatMap(edit => (edit.kind === 'removed' ? [] : [edit.after]))
        assert.deepEqual(before, [...a.keys()])
        assert.deepEqual(after, [...b.keys()])
        const same = edits.filter(edit => edit.kind === 'same')
        for (const edit of same) assert.equal(a[edit.before], b[edit.after])
        assert.equal(same.length, common(a, b))
      }),
    )
  })

  it('gives up on finding the fewest when there are too many, and is still right', () => {
    const a = Array.from({ length: 5000 }, (_, i) => `a${i}`)
    const b = Array.from({ length: 5000 }, (_, i) => `b${i}`)
    const edits = diffLists(['x', ...a, 'y'], ['x', ...b, 'y'])
    assert.equal(edits.length, 10_002)
    assert.deepEqual(
      [edits[0]?.kind, edits[1]?.kind, edits.at(-2)?.kind, edits.at(-1)?.kind],
      ['same', 'removed', 'added', 'same'],
    )
  })
})
