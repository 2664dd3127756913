// difference.ts: what a new configuration means for a daemon that runs an older one. Pure: nothing is applied here.
import { isDeepStrictEqual } from 'node:util'
import type { Config, NodeConfig } from '../config/load.js'
import type { LoadedNode } from './modules/loader.js'

/** A configuration and its nodes. */
export interface Version {
  readonly config: Config
  readonly nodes: readonly LoadedNode[]
}

/** A node that stays, and the keys in which it differs, as the YAML spells them; `code`: its module changed. */
export interface Changed {
  readonly node: LoadedNode
  readonly why: readonly string[]
}

/** Every node of either version is in one of the lists. */
export interface Difference {
  readonly added: readonly LoadedNode[]
  readonly removed: readonly LoadedNode[]
  /** Their coroutines are started again. */
  readonly changed: readonly Changed[]
  /** What changed of them applies to coroutines that run. */
  readonly adjusted: readonly Changed[]
  readonly unchanged: readonly LoadedNode[]
  /** Keys of the daemon itself that differ and can be applied while it runs. */
  readonly settings: readonly string[]
  /** Keys that differ and take a restart of the daemon. */
  readonly needsRestart: readonly string[]
}

/** Of a node: where it stands in the file means nothing, its module and options are looked at below. */
const aside = new Set(['name', 'place', 'module', 'options'])
/** Of a node: read when they are needed, so that the coroutine need not be started again. */
const live = new Set(['grace', 'restart'])
/** Of the daemon: read when they are needed. Everything else is made once, or agreed on with the host. */
const liveSettings = ['host.reconnect', 'host.ping-interval', 'host.ping-timeout', 'log', 'state']
/** What is no setting of the daemon. */
const notSettings = new Set(['file', 'nodes', 'executors'])

/** What has to happen for `after` to run where `before` does. */
export function difference(before: Version, after: Version): Difference {
  const old = new Map(before.nodes.map(node => [node.config.name, node]))
  const names = new Set(after.nodes.map(node => node.config.name))
  const stay = after.nodes.flatMap(node => {
    const was = old.get(node.config.name)
    return was === undefined ? [] : [{ node, why: nodeKeys(before.config, was, after.config, node) }]
  })
  const settings = settingKeys(before.config, after.config)
  // What the host was told once that may be signalled, it lets be signalled until the daemon leaves.
  const signals = before.config.signals.every(name => after.config.signals.includes(name))
  const applies = (key: string) => within(key, liveSettings) || (key === 'signals' && signals)
  return {
    added: after.nodes.filter(node => !old.has(node.config.name)),
    removed: before.nodes.filter(node => !names.has(node.config.name)),
    changed: stay.filter(({ why }) => why.some(key => !within(key, live))),
    adjusted: stay.filter(({ why }) => why.length > 0 && why.every(key => within(key, live))),
    unchanged: stay.filter(({ why }) => why.length === 0).map(({ node }) => node),
    settings: settings.filter(applies),
    needsRestart: settings.filter(key => !applies(key)),
  }
}

function nodeKeys(oldConfig: Config, old: LoadedNode, newConfig: Config, node: LoadedNode): string[] {
  const why: string[] = []
  if (old.config.module !== node.config.module) why.push('module')
  else if (old.url !== node.url) why.push('code')
  if (!isDeepStrictEqual(old.config.options, node.config.options)) why.push('options')
  const keys = new Set([...Object.keys(old.config), ...Object.keys(node.config)] as (keyof NodeConfig)[])
  for (const key of [...keys].filter(one => !aside.has(one)))
    why.push(...leaves(old.config[key], node.config[key], kebab(key)))
  const { executor } = node.config
  // The main thread is the daemon itself: see settingKeys.
  if (executor !== 'main' && old.config.executor === executor) why.push(...executorKeys(oldConfig, newConfig, executor))
  return why
}

function settingKeys(before: Config, after: Config): string[] {
  const keys = new Set([...Object.keys(before), ...Object.keys(after)] as (keyof Config & string)[])
  const own = [...keys].filter(key => !notSettings.has(key))
  return [...own.flatMap(key => leaves(before[key], after[key], kebab(key))), ...executorKeys(before, after, 'main')]
}

function executorKeys(before: Config, after: Config, name: string): string[] {
  const path = ['executors', name]
  return leaves(at(before, path), at(after, path), path.join('.'))
}

/** The paths below `path` at which two values differ. */
function leaves(a: unknown, b: unknown, path: string): string[] {
  if (isDeepStrictEqual(a, b)) return []
  if (!isPlain(a) || !isPlain(b)) return [path]
  const keys = new Set([...Object.keys(a), ...Object.keys(b)])
  return [...keys].flatMap(key => leaves(a[key], b[key], `${path}.${kebab(key)}`))
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function at(value: unknown, path: readonly string[]): unknown {
  return path.reduce((part, key) => (isPlain(part) ? part[key] : undefined), value)
}

/** Whether `key` is one of `paths`, or below one. */
function within(key: string, paths: Iterable<string>): boolean {
  for (const path of paths) if (key === path || key.startsWith(`${path}.`)) return true
  return false
}

function kebab(key: string): string {
  return key.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
}
