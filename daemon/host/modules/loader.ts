// loader.ts: the nodes of a configuration with the modules that it names, each fault with its place in the YAML.
import { type Config, type NodeConfig, problemAt } from '../../config/load.js'
import { ConfigError, type Problem, printable } from '../../config/problems.js'
import { suggest } from '../../config/suggest.js'
import type { MessageTable } from '../../message/table.js'
import { type Counter, compileNode } from '../../process/define.js'
import type { ProcessNode } from '../../process/node.js'
import { checkOptions } from '../../process/options.js'
import type { CompiledPeer } from '../../process/peers.js'
import { ModuleError } from './import.js'
import { type LoadedModule, Modules } from './modules.js'

export { ModuleError } from './import.js'

/** A node with the function it runs. */
export interface LoadedNode {
  readonly config: NodeConfig
  readonly definition: ProcessNode
  readonly table: MessageTable
  /** Names of next nodes and error counters; commands speak of them by index. */
  readonly next: readonly string[]
  readonly counters: readonly Counter[]
  /** The other nodes it sends to: what it calls them, by what messages, and their names. */
  readonly peers: readonly (CompiledPeer & { readonly node: string })[]
  /** Process nodes of the host that it signals. */
  readonly signals: readonly string[]
  /** As the schema of the definition made them. */
  readonly options: unknown
  /** What `import` takes for its module, in any thread. Another one means other code. */
  readonly url: string
}

/** A configuration whose modules are loaded. */
export interface Loaded {
  readonly nodes: readonly LoadedNode[]
  /** Every file that the modules are made of, without packages. Absolute. */
  readonly files: readonly string[]
}

/** Faults of a configuration and its modules, and the files that were read until they were found. */
export class LoadError extends ConfigError {
  readonly files: readonly string[]
  constructor(problems: readonly Problem[], files: readonly string[]) {
    super(problems)
    this.files = files
  }
}

/**
 * Loads every module once and gives each node its definition. Errors in stacks are told in lines of the TypeScript.
 * @throws ConfigError with every fault
 */
export async function loadNodes(config: Config): Promise<readonly LoadedNode[]> {
  return (await load(config, new Modules())).nodes
}

/**
 * The same with the modules that this process has loaded before: those that did not change are not loaded again.
 * @throws LoadError with every fault
 */
export async function load(config: Config, modules: Modules): Promise<Loaded> {
  const paths = config.nodes.map(node => node.module)
  const threads = config.nodes.some(node => node.executor !== 'main')
  const found = await modules.load(paths, threads).catch((error: unknown) => {
    if (!(error instanceof ModuleError)) throw error
    throw new LoadError([problemAt(config, [], printable(error.message))], [])
  })
  const problems: Problem[] = []
  const nodes: LoadedNode[] = []
  for (const node of config.nodes) {
    const module = found.modules.get(node.module)
    if (module === undefined) continue
    if (module instanceof ModuleError) {
      problems.push(moduleProblem(config, node, module))
      continue
    }
    const { definition, url } = module
    const checked = await optionsOf(config, node, definition)
    if ('problems' in checked) problems.push(...checked.problems)
    else {
      const compiled = compileNode(definition)
      const peers = compiled.peers.map(peer => ({ ...peer, node: node.peers[peer.key] ?? peer.key }))
      nodes.push({ config: node, definition, ...compiled, peers, options: checked.value, url })
    }
  }
  for (const node of nodes) problems.push(...peerFaults(config, node, nodes), ...signalFaults(config, node))
  if (problems.length > 0) throw new LoadError(problems, found.files)
  return { nodes, files: found.files }
}

/**
 * The node that the module at an absolute path defines.
 * @throws ModuleError
 */
export async function loadDefinition(path: string): Promise<ProcessNode> {
  const { modules } = await new Modules().load([path])
  const found: LoadedModule | ModuleError | undefined = modules.get(path)
  if (found === undefined || found instanceof ModuleError) throw found ?? new ModuleError(`no ${path}`)
  return found.definition
}

/**
 * The message table of one node, whatever is wrong with the others, its options or its peers.
 * @throws ConfigError if its module cannot be loaded
 */
export async function loadTable(config: Config, node: NodeConfig): Promise<MessageTable> {
  try {
    return compileNode(await loadDefinition(node.module)).table
  } catch (error) {
    throw error instanceof ModuleError ? new ConfigError([moduleProblem(config, node, error)]) : error
  }
}

function moduleProblem(config: Config, node: NodeConfig, { message, source }: ModuleError): Problem {
  const problem = problemAt(config, ['nodes', node.name, 'module'], printable(message))
  return source === undefined ? problem : { ...problem, source }
}

/** What is wrong with the peers of `node`. Those whose modules are at fault themselves are not looked at. */
function peerFaults(config: Config, { config: node, peers }: LoadedNode, all: readonly LoadedNode[]): Problem[] {
  const problems = Object.keys(node.peers)
    .filter(key => !peers.some(peer => peer.key === key))
    .map(key => {
      const known = peers.length === 0 ? 'none' : peers.map(peer => peer.key).join(', ')
      return problemAt(config, ['nodes', node.name, 'peers', key], `the module declares no peer "${key}": ${known}`)
    })
  for (const { key, node: name, table } of peers) {
    const place = ['nodes', node.name, ...(Object.hasOwn(node.peers, key) ? ['peers', key] : ['module'])]
    const fault = (message: string) => problems.push(problemAt(config, place, printable(message)))
    const target = all.find(one => one.config.name === name)
    const lacks = target?.table.lacks(table)
    if (lacks !== undefined) fault(`node "${name}" cannot be its peer "${key}": ${lacks}`)
    else if (target === undefined && !config.nodes.some(one => one.name === name)) {
      const near = suggest(
        name,
        config.nodes.map(one => one.name),
      )
      const hint =
        near === undefined ? `add it, or name another one:  peers: { ${key}: NODE }` : `did you mean "${near}"?`
      fault(`its peer "${key}" is a node "${name}", and there is none; ${hint}`)
    }
  }
  return problems
}

/** Process nodes that the node signals and may not: a wrong datum can crash VPP, so whoever runs it lists them. */
function signalFaults(config: Config, { config: node, signals }: LoadedNode): Problem[] {
  return signals
    .filter(name => !config.signals.includes(name) && !config.nodes.some(one => one.name === name))
    .map(name => {
      const text = `it signals the process node "${name}", which is not allowed: list it:  signals: [${name}]`
      return problemAt(config, ['nodes', node.name, 'module'], printable(text))
    })
}

async function optionsOf(
  config: Config,
  node: NodeConfig,
  { options: schema }: ProcessNode,
): Promise<{ readonly value: unknown } | { readonly problems: readonly Problem[] }> {
  const place = ['nodes', node.name, 'options']
  try {
    const checked = await checkOptions(schema, node.options)
    if ('value' in checked) return checked
    const keys = (path: readonly PropertyKey[]) => path.map(key => (typeof key === 'symbol' ? String(key) : key))
    return {
      problems: checked.issues.map(({ path, message }) =>
        problemAt(config, [...place, ...keys(path)], printable(message)),
      ),
    }
  } catch (error) {
    const text = `the check of the options threw ${error instanceof Error ? error.message : String(error)}`
    return { problems: [problemAt(config, place, printable(text))] }
  }
}
