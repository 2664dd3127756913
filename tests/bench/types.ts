// types.ts: how long the compiler takes for a project of 50 nodes, beside the same modules without corod's types.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Finding, judge, type Size, show } from './figures.js'
import { root } from './peers.js'
import { alternate, median, ratio } from './rounds.js'
import { writeProjects } from './types-project.js'

const nodes = 50
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')

interface Check {
  /** Of the whole run of the compiler. */
  readonly seconds: number
  /** Types that were made. */
  readonly types: number
  readonly instantiations: number
}

/** Type-checks the project in `folder`. Throws if it does not compile. */
function check(folder: string): Check {
  const start = performance.now()
  const run = spawnSync(process.execPath, [tsc, '-p', folder, '--extendedDiagnostics'], { encoding: 'utf8' })
  const seconds = (performance.now() - start) / 1000
  if (run.status !== 0) throw new Error(`tsc -p ${folder}\n${run.stdout}${run.stderr}`)
  const figure = (name: string) => Number(new RegExp(`^${name}:\\s+([\\d.]+)`, 'm').exec(run.stdout)?.[1] ?? Number.NaN)
  return { seconds, types: figure('Types'), instantiations: figure('Instantiations') }
}

/** Both projects, in turn. */
export async function typeChecking(size: Size): Promise<Finding> {
  const folder = mkdtempSync(join(tmpdir(), 'corod-bench-'))
  try {
    const { corod, plain } = writeProjects(folder, root, nodes)
    const [ours, theirs] = [check(corod), check(plain)]
    const rounds = await alternate(
      size.rounds,
      async () => check(plain).seconds,
      async () => check(corod).seconds,
    )
    const seconds = median(rounds.candidate)
    const row = (name: string, values: readonly number[], { types, instantiations }: Check) => [
      name,
      show(median(values)),
      show(types),
      show(instantiations),
    ]
    return {
      figures: { 'types.project50_s': seconds, 'types.project50_ratio': ratio(rounds) },
      section: {
        title: 'Type checking of 50 nodes',
        method: `A generated project of ${nodes} node modules: nine messages, seven counters, two typed peers, a select and a call each; beside it the same work with types written by hand and no library. \`tsc --noEmit\`, the whole run; ${size.rounds} alternating rounds.`,
        head: ['', 'seconds', 'types', 'instantiations'],
        rows: [row('plain functions (floor)', rounds.floor, theirs), row('corod', rounds.candidate, ours)],
        verdict: judge('against plain functions', ratio(rounds), 2, ' ×', 'low'),
      },
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}
