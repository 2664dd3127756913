// header.ts: corod header NODE.
import type { Given } from './commands.js'
import { exits } from './exits.js'
import { namedNode } from './named-node.js'
import type { Output } from './output.js'

export async function header([name = '']: readonly (string | undefined)[], given: Given, out: Output): Promise<number> {
  const { config, node } = namedNode(name, given, out)
  const { loadTable } = await import('./run.js')
  const text = (await loadTable(config, node)).header(name)
  out.result(text, { node: name, header: text })
  return exits.ok.code
}
