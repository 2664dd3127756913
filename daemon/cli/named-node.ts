// named-node.ts: the node of the configuration that a command names, and the messages it takes.
import { type Config, loadConfig, type NodeConfig } from '../config/load.js'
import { printable } from '../config/problems.js'
import { suggest } from '../config/suggest.js'
import type { Given } from './commands.js'
import { CliError } from './exits.js'
import type { Output } from './output.js'
import { configFile } from './place.js'

/** @throws CliError if the configuration has no node of that name; ConfigError */
export function namedNode(name: string, given: Given, out: Output): { config: Config; node: NodeConfig } {
  const config = loadConfig(configFile({ config: given.config, env: out.streams.env }))
  const node = config.nodes.find(one => one.name === name)
  if (node !== undefined) return { config, node }
  const names = config.nodes.map(one => one.name)
  const near = suggest(name, names)
  const hint = near === undefined ? `it has ${names.join(', ') || 'none'}` : `did you mean ${near}?`
  throw new CliError('failed', 'NODE_UNKNOWN', `${config.file} has no node '${printable(name)}': ${hint}`)
}
