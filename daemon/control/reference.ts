// reference.ts: the problem codes of the control socket as Markdown for docs/control.md. A test proves that the page holds
// exactly this.
import { problems } from './problems.js'

/** A table of every code, by status. */
export function problemReference(): string {
  const rows = [...problems]
    .sort(([a, { status: one }], [b, { status: other }]) => one - other || (a < b ? -1 : 1))
    .map(([code, { status, title }]) => `| \`${code}\` | ${status} | ${title} |`)
  return ['| Code | Status | Meaning |', '|---|---|---|', ...rows].join('\n')
}
