// check.ts: corod check.
import { loadConfig } from '../config/load.js'
import type { Given } from './commands.js'
import { exits } from './exits.js'
import type { Output } from './output.js'
import { configFile } from './place.js'
import { tellProblems } from './problems.js'

export async function check(_: readonly (string | undefined)[], given: Given, out: Output): Promise<number> {
  const file = configFile({ config: given.config, env: out.streams.env })
  const config = loadConfig(file)
  if (given.environment !== false) {
    const { checkModules } = await import('./run.js')
    const problems = await checkModules(config)
    if (problems.length > 0) return tellProblems(problems, out)
  }
  const nodes = config.nodes.map(node => node.name)
  if (out.manner.json) out.result('', { ok: true, file: config.file, nodes, problems: [] })
  else out.confirm(`${file}: ok, ${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'}`)
  return exits.ok.code
}
