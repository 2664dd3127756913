// records.ts: a daemon with a recorder node, and what the recorder has written down.
import { existsSync, readFileSync } from 'node:fs'
import { parse, stringify } from 'yaml'
import { type Folder, root } from '../support/folder.js'

/** An event as the recorder wrote it. */
export interface Recorded {
  readonly type: string
  readonly seq: string
  readonly redelivered: boolean
  readonly attempts: number
  readonly n?: number
  readonly first?: string
  readonly last?: string
  readonly count?: string
  readonly [field: string]: unknown
}

export const recorder = `${root}/dist/tests/e2e/nodes/recorder.js`

/** YAML of one node `rec` that runs the recorder; `more` are further keys of it. */
export function recorderYaml(folder: Folder, more = ''): string {
  const options = `{ file: ${folder.at('rec.ndjson')}, gate: ${folder.at('gate')} }`
  return `nodes:\n  rec:\n    module: ${recorder}\n    options: ${options}\n${more}`
}

/** Threads on which a node must do the same. */
export const executors = ['main', 'worker'] as const

/** The same configuration with all nodes on `executor`. */
export function placed(executor: (typeof executors)[number], yaml: string): string {
  const config = parse(yaml) as { nodes: Record<string, object> }
  for (const [name, node] of Object.entries(config.nodes)) config.nodes[name] = { ...node, executor }
  return stringify(config)
}

/** Everything written down so far. */
export function recorded(folder: Folder): Recorded[] {
  const file = folder.at('rec.ndjson')
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(line => line.endsWith('}'))
    .map(line => JSON.parse(line) as Recorded)
}

/** Lets the recorder go on. */
export function openGate(folder: Folder): void {
  folder.write('gate', '')
}

/** Numbered events. */
export function numbers(from: number, to: number): { type: 'number'; n: number }[] {
  return Array.from({ length: to - from + 1 }, (_, i) => ({ type: 'number', n: from + i }))
}
