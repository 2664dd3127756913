// schema.ts: corod schema [NODE].
import { jsonSchema } from '../config/schema.js'
import type { Given } from './commands.js'
import { exits } from './exits.js'
import { namedNode } from './named-node.js'
import type { Output } from './output.js'

export async function schema([name]: readonly (string | undefined)[], given: Given, out: Output): Promise<number> {
  const made = name === undefined ? jsonSchema() : await schemaOf(name, given, out)
  out.result(JSON.stringify(made, null, 2), made)
  return exits.ok.code
}

async function schemaOf(name: string, given: Given, out: Output): Promise<object> {
  const { config, node } = namedNode(name, given, out)
  const { loadTable } = await import('./run.js')
  return (await loadTable(config, node)).jsonSchema()
}
