// links.ts: where on the pages a name is, and links to it from whatever text mentions it.
import { receivers } from './topics.js'

/** Where a name is: a file below docs/, and an anchor in it. */
export interface Place {
  readonly file: string
  readonly anchor: string
}

/**
 * The anchor of a heading, as GitHub makes it.
 *
 * @param taken the anchors that the page has so far; the new one is added.
 */
export function anchorOf(heading: string, taken: Map<string, number>): string {
  const plain = heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-')
  const times = taken.get(plain) ?? 0
  taken.set(plain, times + 1)
  return times === 0 ? plain : `${plain}-${times}`
}

/** The name that a text in backticks stands for, in the writing of the pages: `Vm`, `Vm.sleep`, `channel`. */
function nameIn(text: string): string | undefined {
  const [, first, member, called] = /^(?:readonly )?(\w+)(?:\.(\w+))?(\(.*\))?(?:<.*>)?(?:\[\])?$/.exec(text) ?? []
  if (first === undefined) return undefined
  if (member !== undefined) return `${receivers[first] ?? first}.${member}`
  // `signal` may be anything; `signal()` and `Timer` are what they say.
  return called !== undefined || /^[A-Z]/.test(first) ? first : undefined
}

/** Makes links of the names that stand in backticks; of `name` none: that is where the text is. */
export function linked(markdown: string, { file, name }: { file: string; name: string }, places: Places): string {
  return markdown.replace(/(?<![[\w`])`([^`\n]+)`(?![\]`])/g, (code, text: string) => {
    const meant = nameIn(text)
    const place = meant === undefined || meant === name ? undefined : places.get(meant)
    return place === undefined ? code : `[${code}](${place.file === file ? '' : place.file}#${place.anchor})`
  })
}

/** The places of all names, and of all members that have one. */
export type Places = ReadonlyMap<string, Place>
