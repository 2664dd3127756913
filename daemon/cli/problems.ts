// problems.ts: the faults of a configuration on the terminal.
import { ConfigError, formatProblem, type Problem } from '../config/problems.js'
import { exits } from './exits.js'
import type { Output } from './output.js'

/** One line a fault on standard error; with --json one object on standard output. Returns the exit status. */
export function tellProblems(problems: readonly Problem[], out: Output): number {
  if (out.manner.json) out.result('', { ok: false, problems })
  else out.errors(problems.map(formatProblem).join('\n'))
  return exits.config.code
}

/** Tells `error` if it is an invalid configuration, and returns the exit status; else undefined. */
export function reportProblems(error: unknown, out: Output): number | undefined {
  return error instanceof ConfigError ? tellProblems(error.problems, out) : undefined
}
