// reload.ts: corod reload.
import { type Problem, printable } from '../config/problems.js'
import { ControlClient, ControlError } from '../control/client.js'
import type { ReloadReport } from '../host/report.js'
import type { Given } from './commands.js'
import { exits } from './exits.js'
import type { Output } from './output.js'
import { controlSocket } from './place.js'
import { tellProblems } from './problems.js'

export async function reload(_: readonly (string | undefined)[], given: Given, out: Output): Promise<number> {
  const client = new ControlClient(await controlSocket({ ...given, env: out.streams.env }))
  const report = await client.reload().catch((error: unknown) => {
    if (error instanceof ControlError && error.body?.problems !== undefined) return error.body.problems
    throw error
  })
  if (isProblems(report)) {
    const exit = tellProblems(report, out)
    if (!out.manner.json) out.errors('corod: nothing was changed')
    return exit
  }
  if (out.manner.json) out.result('', report)
  else out.confirm(lines(report).join('\n'))
  if (!out.manner.json)
    for (const { name, error } of report.failed) out.errors(`corod: node ${name} does not run: ${printable(error)}`)
  return report.failed.length > 0 ? exits.failed.code : exits.ok.code
}

function isProblems(report: ReloadReport | readonly Problem[]): report is readonly Problem[] {
  return Array.isArray(report)
}

/** What was done, for people. */
export function lines({ added, removed, changed, adjusted, unchanged, ...rest }: ReloadReport): string[] {
  const { settings, needsRestart } = rest
  const why = (nodes: typeof changed) => nodes.map(({ name, why }) => `${name} (${why.join(', ')})`)
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ['changed', why(changed)],
    ['added', added],
    ['removed', removed],
    ['adjusted', why(adjusted)],
    ['settings', settings],
  ]
  const told = rows.filter(([, names]) => names.length > 0).map(([what, names]) => `${what}: ${names.join(', ')}`)
  const count = unchanged.length === 1 ? '1 node' : `${unchanged.length} nodes`
  const left = needsRestart.length > 0 ? [`not applied, for a restart of the daemon: ${needsRestart.join(', ')}`] : []
  return told.length === 0 ? [`nothing changed: ${count}`, ...left] : [...told, `unchanged: ${count}`, ...left]
}
