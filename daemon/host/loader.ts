// loader.ts: the modules that a configuration names, loaded, each fault with its place in the YAML.
import { stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type Config, type NodeConfig, problemAt } from '../config/load.js'
import { ConfigError, type Problem, printable } from '../config/problems.js'
import { suggest } from '../config/suggest.js'
import type { MessageTable } from '../message/table.js'
import { type Counter, compileNode, isProcessNode } from '../process/define.js'
import type { ProcessNode } from '../process/node.js'
import { checkOptions } from '../process/options.js'
import type { CompiledPeer } from '../process/peers.js'
import { BundleError, bundle, needsBundle } from './bundle.js'

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
  /** As the schema of the definition made them. */
  readonly options: unknown
}

/** How long the top level of a module may take, ms. */
const longestImport = 30_000
const example = "write  export default processNode({ ... })  with processNode of 'corod'"

/** Where the frames of this package itself are. */
const ownFolder = dirname(dirname(fileURLToPath(import.meta.url)))
/** The same with source maps. */
const ownSources = join(dirname(dirname(ownFolder)), 'daemon')

/** Why a module cannot be used, in one line. */
export class ModuleError extends Error {}

/**
 * Loads every module once and gives each node its definition. Errors in stacks are told in lines of the TypeScript.
 * @throws ConfigError with every fault
 */
export async function loadNodes(config: Config): Promise<readonly LoadedNode[]> {
  process.setSourceMapsEnabled(true)
  const paths = [...new Set(config.nodes.map(node => node.module))]
  const definitions = await loadModules(paths)
  const problems: Problem[] = []
  const nodes: LoadedNode[] = []
  for (const node of config.nodes) {
    const definition = definitions.get(node.module)
    if (definition === undefined) continue
    if (definition instanceof ModuleError) {
      problems.push(problemAt(config, ['nodes', node.name, 'module'], printable(definition.message)))
      continue
    }
    const checked = await optionsOf(config, node, definition)
    if ('problems' in checked) problems.push(...checked.problems)
    else {
      const compiled = compileNode(definition)
      const peers = compiled.peers.map(peer => ({ ...peer, node: node.peers[peer.key] ?? peer.key }))
      nodes.push({ config: node, definition, ...compiled, peers, options: checked.value })
    }
  }
  for (const node of nodes) problems.push(...peerFaults(config, node, nodes))
  if (problems.length > 0) throw new ConfigError(problems)
  return nodes
}

/**
 * The node that the module at an absolute path defines.
 * @throws ModuleError
 */
export async function loadDefinition(path: string): Promise<ProcessNode> {
  process.setSourceMapsEnabled(true)
  const definition = (await loadModules([path])).get(path)
  if (definition === undefined || definition instanceof ModuleError) throw definition ?? new ModuleError(`no ${path}`)
  return definition
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

async function loadModules(paths: readonly string[]): Promise<Map<string, ProcessNode | ModuleError>> {
  const loaded = new Map<string, ProcessNode | ModuleError>()
  const existing: string[] = []
  for (const path of paths) {
    const fault = await missing(path)
    if (fault === undefined) existing.push(path)
    else loaded.set(path, fault)
  }
  const bundled = await bundle(existing.filter(needsBundle))
  try {
    for (const path of existing) {
      const url = needsBundle(path) ? bundled.modules.get(path) : pathToFileURL(path)
      if (url === undefined) continue
      loaded.set(path, url instanceof BundleError ? new ModuleError(url.message) : await definitionOf(path, url))
    }
  } finally {
    bundled.done()
  }
  return loaded
}

async function missing(path: string): Promise<ModuleError | undefined> {
  try {
    const found = await stat(path)
    return found.isFile() ? undefined : new ModuleError(`${path} is not a file`)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return new ModuleError(`there is no file ${path}`)
    if (code === 'EACCES') return new ModuleError(`no permission to read ${path}`)
    return new ModuleError((error as Error).message)
  }
}

async function definitionOf(path: string, url: URL): Promise<ProcessNode | ModuleError> {
  let module: { readonly default?: unknown }
  try {
    module = await importWithin(url)
  } catch (error) {
    if (!needsBundle(path) && lacksCorod(error)) return definitionOfScript(path, error)
    if (!needsBundle(path) && error instanceof SyntaxError) return new ModuleError(await misspelt(path, error))
    return new ModuleError(explain(error, path, url))
  }
  if (!('default' in module)) return new ModuleError(`${path} has no default export: ${example}`)
  if (isProcessNode(module.default)) return module.default
  return new ModuleError(`the default export of ${path} is no process node: ${example}`)
}

/** A script outside of any project finds no package 'corod': it is given this one. */
async function definitionOfScript(path: string, cause: unknown): Promise<ProcessNode | ModuleError> {
  const bundled = await bundle([path], true)
  try {
    const url = bundled.modules.get(path)
    if (url instanceof URL && !lacksCorod(await importWithin(url).catch((error: unknown) => error)))
      return await definitionOf(path, url)
    return new ModuleError(url instanceof BundleError ? url.message : explain(cause, path, pathToFileURL(path)))
  } finally {
    bundled.done()
  }
}

/** Node keeps the place of a syntax error to itself; esbuild tells it. */
async function misspelt(path: string, error: SyntaxError): Promise<string> {
  const bundled = await bundle([path], true)
  bundled.done()
  const fault = bundled.modules.get(path)
  return fault instanceof BundleError ? fault.message : `${path}: SyntaxError: ${error.message}`
}

async function importWithin(url: URL): Promise<{ readonly default?: unknown }> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const text = `its top level did not finish within ${longestImport / 1000} s: is there an await that never ends?`
    timer = setTimeout(() => reject(new ModuleError(text)), longestImport)
  })
  try {
    return (await Promise.race([import(url.href), late])) as { readonly default?: unknown }
  } finally {
    clearTimeout(timer)
  }
}

function lacksCorod(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /Cannot find package 'corod'/.test(error.message)
}

/** What an import failed of, and where: the first place of the stack that is in a file of the author's. */
function explain(error: unknown, path: string, url: URL): string {
  if (error instanceof ModuleError) return `${path}: ${error.message}`
  if (!(error instanceof Error)) return `${path} threw ${String(error)}`
  const authors = (text: string) => text.replaceAll(url.href, path).replaceAll('file://', '')
  const stack = authors(error.stack ?? '')
  const frames = stack.matchAll(/(?:\(| at (?:async )?)(\/[^()\n]+:\d+:\d+)\)?$/gm)
  const places = [...frames].map(([, place]) => place!)
  const place = places.find(one => !one.startsWith(ownFolder) && !one.startsWith(ownSources)) ?? path
  return `${place}: ${error.name}: ${authors(error.message)}`.replaceAll(/\s+/g, ' ')
}
