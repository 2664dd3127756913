// thread-loader.ts: a node's module in the thread that runs it. The main thread has loaded and checked it before: what is
// imported here is what it has made, so that nothing is bundled twice and a fault is nearly always known by now.
import type { NodeConfig } from '../../config/load.js'
import { compileNode, isProcessNode } from '../../process/define.js'
import { checkOptions } from '../../process/options.js'
import { explain, importWithin, ModuleError } from '../modules/import.js'
import type { LoadedNode } from '../modules/loader.js'

/**
 * Imports and checks a node. Its options are checked from the YAML's again: a schema may make functions or instances of
 * classes of them, which do not pass between threads.
 * @throws ModuleError
 */
export async function loadInThread(config: NodeConfig, url: string): Promise<LoadedNode> {
  const { default: definition } = await importWithin(new URL(url)).catch(error => {
    throw explain(error, config.module, new URL(url))
  })
  if (!isProcessNode(definition)) throw new ModuleError(`the default export of ${config.module} is no process node`)
  const checked = await checkOptions(definition.options, config.options)
  if (!('value' in checked))
    throw new ModuleError(`options: ${checked.issues.map(({ message }) => message).join('; ')}`)
  const compiled = compileNode(definition)
  const peers = compiled.peers.map(peer => ({ ...peer, node: config.peers[peer.key] ?? peer.key }))
  return { config, definition, ...compiled, peers, options: checked.value, url }
}
