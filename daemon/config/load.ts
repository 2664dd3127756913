// load.ts: a configuration file as a Config, or everything that is wrong with it, each fault with its place.
import { dirname, join, resolve } from 'node:path'
import { type ParsedYaml, parseYaml } from './document.js'
import { faultsOf } from './messages.js'
import { ConfigError, formatPath, type Path, type Place, type Problem } from './problems.js'
import { controlSchema, type NodeSettings, recordDefaults, type Settings, schema } from './schema.js'
import { readSource, SourceError } from './source.js'

/** Where recordings go, and how many. */
export interface RecordConfig {
  /** Absolute path; made if it does not exist. */
  readonly folder: string
  /** Bytes of the longest one. */
  readonly size: number
  /** Recordings of one node that are kept. */
  readonly files: number
  /** Then it ends, milliseconds since 1970; of an order at run time. */
  readonly until?: number
}

/** Where dead letters go, and when an event becomes one. */
export interface LetterConfig {
  /** So many coroutines may end with an event in hand. */
  readonly after: number
  /** Absolute path; made if it does not exist. */
  readonly folder: string
  /** Bytes of those of one node. */
  readonly size: number
}

/** A node as configured: durations in milliseconds, sizes in bytes, every default filled in. */
export interface NodeConfig extends Omit<NodeSettings, 'record' | 'deadLetters'> {
  /** Undefined: nothing goes to the dead letters. */
  readonly deadLetters: LetterConfig | undefined
  /** Undefined: it is not recorded. */
  readonly record: RecordConfig | undefined
  /** 1 to 63 of `A-Z a-z 0-9 _ . -`; unique. */
  readonly name: string
  /** Absolute path. */
  readonly module: string
  /** Where its name stands in the file. */
  readonly place: Place
}

const origin = Symbol('origin')

/** A whole configuration. Paths are absolute; nodes stand in the order of the file. */
export interface Config extends Omit<Settings, 'nodes'> {
  /** The file as it was parsed; a copy of a Config by spreading has it, too. */
  readonly [origin]?: ParsedYaml
  /** Absolute path of the file. */
  readonly file: string
  readonly nodes: readonly NodeConfig[]
}

/** The longest path of a Unix socket, in bytes: Node cuts longer ones off without a word. */
export const maxSocketPath = 107

/** What a command line says goes before what the file says. */
export interface Overrides {
  /** Instead of `host.socket`. */
  readonly hostSocket?: string | undefined
  /** Instead of `control.socket`. */
  readonly controlSocket?: string | undefined
  /** Instead of `state`. */
  readonly state?: string | undefined
  /** Nodes are recorded there, whatever their `record` says: those of the names, or all. */
  readonly record?: { readonly folder: string; readonly names?: readonly string[] | undefined } | undefined
}

/** Where the value at `path` of the file stands, e.g. `['nodes', 'beacon', 'module']`. For faults found later. */
export function locate(config: Config, path: Path): Place {
  return config[origin]?.place(path) ?? { file: config.file, line: 1, col: 1 }
}

/** A fault found later than in loadConfig, at the place of `path`. */
export function problemAt(config: Config, path: Path, message: string): Problem {
  return { ...locate(config, path), path: formatPath(path), message }
}

function parseFile(file: string): ParsedYaml {
  let text: string
  try {
    text = readSource(file)
  } catch (error) {
    if (!(error instanceof SourceError)) throw error
    throw new ConfigError([{ file, line: error.line, col: error.col, path: '', message: error.message }])
  }
  const yaml = parseYaml(text, file)
  if (yaml.problems.length > 0) throw new ConfigError(yaml.problems)
  const top = (message: string) => new ConfigError([{ ...yaml.place([]), path: '', message }])
  const example = 'write at least  nodes: { name: { module: ./name.ts } }'
  if (yaml.value === undefined || yaml.value === null) throw top(`the file is empty: ${example}`)
  if (typeof yaml.value !== 'object' || Array.isArray(yaml.value))
    throw top(`expected a mapping of sections, got ${Array.isArray(yaml.value) ? 'a list' : 'plain text'}: ${example}`)
  return yaml
}

/** Validates `value` and throws every fault at its place; `base` is where the value stands in the file. */
function check<T>(
  how: { safeParse(value: unknown, options: { reportInput: boolean }): import('zod').ZodSafeParseResult<T> },
  value: unknown,
  yaml: ParsedYaml,
  base: Path,
): T {
  const result = how.safeParse(value, { reportInput: true })
  if (result.success) return result.data
  const problems = result.error.issues
    .flatMap(issue => faultsOf(issue, base))
    .map(({ shown, at, key, message }) => ({ ...yaml.place(at, key), path: formatPath(shown), message }))
  throw new ConfigError(problems.sort((a, b) => a.line - b.line || a.col - b.col))
}

/**
 * Reads and checks `file`. Relative paths in it are taken from the folder it is in, those of `overrides` from the
 * current one.
 * @throws ConfigError with every fault at once; also if the file cannot be read.
 */
export function loadConfig(file: string, overrides: Overrides = {}): Config {
  const yaml = parseFile(file)
  const settings = check(schema, yaml.value, yaml, [])
  const folder = dirname(resolve(file))
  const state = overridden(overrides.state, folder, settings.state)
  const nodes = Object.entries(settings.nodes)
    .map(([name, node]) => ({
      ...node,
      name,
      module: resolve(folder, node.module),
      deadLetters: node.deadLetters && { ...node.deadLetters, folder: letterFolder(state) },
      record: recordOf(name, node, state, overrides),
      place: yaml.place(['nodes'], name),
    }))
    .sort((a, b) => a.place.line - b.place.line || a.place.col - b.place.col)
  const config: Config = {
    ...settings,
    [origin]: yaml,
    file: resolve(file),
    state,
    host: { ...settings.host, socket: overridden(overrides.hostSocket, folder, settings.host.socket) },
    control: { ...settings.control, socket: overridden(overrides.controlSocket, folder, settings.control.socket) },
    nodes,
  }
  const long = (['host', 'control'] as const).flatMap(part =>
    socketFault(config, [part, 'socket'], config[part].socket),
  )
  if (long.length > 0) throw new ConfigError(long)
  return config
}

function overridden(path: string | undefined, folder: string, fallback: string): string {
  return path === undefined ? resolve(folder, fallback) : resolve(path)
}

/** Where the dead letters of all nodes are. */
export function letterFolder(state: string): string {
  return join(state, 'dead-letters')
}

/** Where nodes are recorded. */
export function recordFolder(state: string): string {
  return join(state, 'recordings')
}

function recordOf(name: string, node: NodeSettings, state: string, { record }: Overrides): RecordConfig | undefined {
  if (record !== undefined && (record.names?.includes(name) ?? true)) {
    return { ...recordDefaults, ...node.record, folder: resolve(record.folder) }
  }
  return node.record && { ...node.record, folder: recordFolder(state) }
}

function socketFault(config: Config, path: Path, socket: string): Problem[] {
  const bytes = Buffer.byteLength(socket)
  if (bytes <= maxSocketPath) return []
  const message = `the path of the socket has ${bytes} bytes: Unix allows ${maxSocketPath}, choose a shorter one`
  return [problemAt(config, path, message)]
}

/**
 * The absolute path of the control socket that `file` names, without a look at its other sections: a client must reach
 * a running daemon although someone is just editing the file.
 * @throws ConfigError
 */
export function loadControlSocket(file: string): string {
  const yaml = parseFile(file)
  const value = (yaml.value as { control?: unknown }).control
  return resolve(dirname(resolve(file)), check(controlSchema, value, yaml, ['control']).socket)
}
