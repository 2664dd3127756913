// header.ts: corod header NODE.
import { loadConfig } from '../config/load.js'
import { printable } from '../config/problems.js'
import { suggest } from '../config/suggest.js'
import type { Given } from './commands.js'
import { CliError, exits } from './exits.js'
import type { Output } from './output.js'
import { configFile } from './place.js'

export async function header([name = '']: readonly (string | undefined)[], given: Given, out: Output): Promise<number> {
  const config = loadConfig(configFile({ config: given.config, env: out.streams.env }))
  const names = config.nodes.map(node => node.name)
  if (!names.includes(name)) {
    const near = suggest(name, names)
    const hint = near === undefined ? `it has ${names.join(', ') || 'none'}` : `did you mean ${near}?`
    throw new CliError('failed', 'NODE_UNKNOWN', `${config.file} has no node '${printable(name)}': ${hint}`)
  }
  const { nodeHeader } = await import('./run.js')
  const text = await nodeHeader(config, name)
  out.result(text, { node: name, header: text })
  return exits.ok.code
}
