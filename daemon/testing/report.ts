// report.ts: two lives of a node compared, as a text like that of diff -u.

import { diffLists, type Edit } from './diff.js'
import { type Deed, eventText, type Step, stepKey } from './trace.js'

/** Deeds that are shown around a difference although they are the same. */
const context = 2
/** Deeds of one step that are shown at most. */
const shown = 60

/** What is different. */
export interface Difference {
  /** Deeds of the first life that the second lacks, and the other way round. */
  readonly removed: number
  readonly added: number
  /** Empty if nothing is. */
  readonly text: string
}

/**
 * The difference between the steps of a recorded life and of a replayed one. `notes` has remarks on steps by their keys.
 */
export function compare(
  recorded: readonly Step[],
  replayed: readonly Step[],
  notes: ReadonlyMap<string, string>,
): Difference {
  const others = new Map(replayed.map(step => [stepKey(step), step]))
  const parts: string[] = []
  let removed = 0
  let added = 0
  for (const step of recorded) {
    const key = stepKey(step)
    const other = others.get(key)
    const after = other?.deeds ?? []
    const edits = diffLists(
      step.deeds.map(deed => deed.key),
      after.map(deed => deed.key),
    )
    const note = notes.get(key) ?? (other === undefined ? 'was not taken' : undefined)
    removed += edits.filter(edit => edit.kind === 'removed').length
    added += edits.filter(edit => edit.kind === 'added').length
    if (note === undefined && edits.every(edit => edit.kind === 'same')) continue
    parts.push(headOf(step, note), ...body(edits, step.deeds, after))
  }
  if (parts.length > 0) parts.unshift('--- recorded', '+++ replayed')
  return { removed, added, text: parts.join('\n') }
}

function headOf({ event }: Step, note: string | undefined): string {
  const what = event === undefined ? 'before the first event' : eventText(event)
  return `@@ ${time(event?.at ?? 0).trim()} ${what} @@${note === undefined ? '' : ` ${note}`}`
}

function body(edits: readonly Edit[], before: readonly Deed[], after: readonly Deed[]): string[] {
  const near = nearChange(edits)
  const lines: string[] = []
  let left = 0
  let same = 0
  const skipped = () => {
    if (same > 0) lines.push(`  … ${same} the same`)
    same = 0
  }
  for (const [i, edit] of edits.entries()) {
    if (!near[i]) same++
    else if (lines.length >= shown) left++
    else {
      skipped()
      lines.push(lineOf(edit, before, after))
    }
  }
  if (left > 0) lines.push(`  … ${left} more`)
  else skipped()
  return lines
}

function lineOf(edit: Edit, before: readonly Deed[], after: readonly Deed[]): string {
  const { at, text } = edit.kind === 'removed' ? before[edit.before]! : after[edit.after]!
  const mark = edit.kind === 'same' ? ' ' : edit.kind === 'removed' ? '-' : '+'
  return `${mark} ${time(at)}  ${text}`
}

// Which edits are a change, or have one within the context.
function nearChange(edits: readonly Edit[]): boolean[] {
  const near = new Array<boolean>(edits.length).fill(false)
  for (const [i, edit] of edits.entries()) {
    if (edit.kind !== 'same') near.fill(true, Math.max(0, i - context), i + context + 1)
  }
  return near
}

function time(at: number): string {
  return `${at.toFixed(3)} ms`.padStart(14)
}
