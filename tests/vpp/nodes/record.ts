// record.ts: what the test nodes write down: one JSON object a line, in the file that their options name.
import { appendFileSync } from 'node:fs'

/** A function that appends one line. bigints become decimal strings. */
export function recorder(options: unknown): (entry: object) => void {
  const { file } = options as { file: string }
  return entry => appendFileSync(file, `${JSON.stringify(entry, (_, v) => (typeof v === 'bigint' ? `${v}` : v))}\n`)
}
