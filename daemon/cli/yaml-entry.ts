// yaml-entry.ts: one more node in a configuration file. The parsed document says where it goes; the text around it stays
// as it is to the byte, because writing the document anew would change what its author laid out, and `mode: 0660`.
import { constants, copyFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { isMap, isScalar, type Node, type Pair, parseDocument, stringify, type YAMLMap } from 'yaml'
import { parseYaml } from '../config/document.js'
import { ConfigError } from '../config/problems.js'
import { CliError } from './exits.js'

/**
 * `text`, of `file`, with a node under `nodes`.
 * @throws ConfigError for a text that is no YAML; CliError if the node is there, or there is no good place for it.
 */
export function addNode(text: string, file: string, name: string, module: string): string {
  const before = parseYaml(text, file)
  if (before.problems.length > 0) throw new ConfigError(before.problems)
  const value = before.value ?? {}
  const nodes = (value as { nodes?: unknown }).nodes ?? {}
  if (isMapping(nodes) && Object.hasOwn(nodes, name)) {
    const { line } = before.place(['nodes'], name)
    throw new CliError('failed', 'EXISTS', `${file}:${line}: the node ${name} is there already: name another`)
  }
  const made = isMapping(value) && isMapping(nodes) ? insert(text, name, module) : undefined
  if (made !== undefined) {
    const after = parseYaml(made, file)
    const wanted = { ...value, nodes: { ...nodes, [name]: { module } } }
    if (after.problems.length === 0 && isDeepStrictEqual(after.value, wanted)) return made
  }
  const entry = stringify({ nodes: { [name]: { module } } }, { collectionStyle: 'flow' }).trim()
  throw new CliError('config', 'YAML', `${file}: found no place for the node: add  ${entry}  by hand`)
}

/** Replaces the text of a file in one step: a crash leaves the old one or the new one. Keeps its mode. */
export function replaceFile(file: string, text: string): void {
  const target = realpathSync(file)
  const draft = `${target}.${process.pid}.new`
  try {
    copyFileSync(target, draft, constants.COPYFILE_EXCL)
    writeFileSync(draft, text, { mode: statSync(target).mode })
    renameSync(draft, target)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function insert(text: string, name: string, module: string): string | undefined {
  const { contents } = parseDocument(text)
  const eol = text.includes('\r\n') ? '\r\n' : '\n'
  const key = stringify(name).trim()
  if (contents === null || (isScalar(contents) && contents.value === null)) {
    return `${ended(text, eol)}${block(['nodes:', `  ${key}:`, `    module: ${module}`], eol)}`
  }
  if (!isMap(contents) || contents.flow === true) return undefined
  const pair = contents.items.find(one => isScalar(one.key) && one.key.value === 'nodes') as YamlPair | undefined
  if (pair === undefined) {
    return `${ended(text, eol)}${eol}${block(['nodes:', `  ${key}:`, `    module: ${module}`], eol)}`
  }
  const nodes = pair.value
  if (isMap(nodes) && nodes.items.length > 0) {
    if (nodes.flow === true) return intoFlow(text, nodes, `${key}: { module: ${module} }`)
    return intoBlock(text, nodes as YamlMap, [`${key}:`, `  module: ${module}`], eol)
  }
  return intoNothing(text, pair, [`  ${key}:`, `    module: ${module}`], eol)
}

type YamlPair = Pair<Node, Node | null>
type YamlMap = YAMLMap<Node, Node | null>

// `nodes:` and `nodes: {}`, perhaps with a comment behind.
function intoNothing(text: string, pair: YamlPair, lines: readonly string[], eol: string): string {
  const [start, end] = isMap(pair.value) ? [pair.value.range![0], pair.value.range![1]] : [0, 0]
  const rest = end === 0 ? text : `${text.slice(0, start).trimEnd()}${text.slice(end)}`
  const at = lineEnd(rest, pair.key.range![1])
  return `${ended(rest.slice(0, at), eol)}${block(lines, eol)}${rest.slice(at)}`
}

function intoFlow(text: string, nodes: YAMLMap, entry: string): string {
  const close = nodes.range![1] - 1
  const head = text.slice(0, close)
  const last = head.trimEnd()
  const comma = last.endsWith(',') ? '' : ','
  return `${last}${comma} ${entry}${head.slice(last.length) || ' '}${text.slice(close)}`
}

// Behind the last entry, and the comments that are indented as parts of it.
function intoBlock(text: string, nodes: YamlMap, lines: readonly string[], eol: string): string {
  const starts = nodes.items.map(pair => pair.key.range![0])
  const indent = columnOf(text, starts[0]!)
  let at = lineEnd(text, lastOffset(nodes))
  for (let next = at; next < text.length; ) {
    const feed = text.indexOf('\n', next)
    const end = feed < 0 ? text.length : feed + 1
    const line = text.slice(next, end)
    if (line.trim() !== '' && !(line.trim().startsWith('#') && columnOf(text, next + line.search(/\S/)) > indent)) break
    next = end
    if (line.trim() !== '') at = end
  }
  const spaced = starts.length === 1 || /\n[ \t]*\r?\n/.test(text.slice(starts[0], starts[1]))
  const entry = block(
    lines.map(line => `${' '.repeat(indent)}${line}`),
    eol,
  )
  return `${ended(text.slice(0, at), eol)}${spaced ? eol : ''}${entry}${text.slice(at)}`
}

// Where the last thing in a node ends, comments and line feeds not counted.
function lastOffset(node: Node | null): number {
  if (isMap(node) && node.flow !== true) {
    const last = node.items.at(-1) as YamlPair | undefined
    if (last !== undefined)
      return last.value === null ? last.key.range![1] : Math.max(last.key.range![1], lastOffset(last.value))
  }
  if (node !== null && 'items' in node && !('flow' in node && node.flow === true)) {
    const last = (node as { items: (Node | null)[] }).items.at(-1)
    if (last) return lastOffset(last)
  }
  return node?.range?.[1] ?? 0
}

// The start of the line after the one of `offset`; of a text that already ends with a line feed, `offset` itself.
function lineEnd(text: string, offset: number): number {
  if (offset > 0 && text[offset - 1] === '\n') return offset
  const feed = text.indexOf('\n', offset)
  return feed < 0 ? text.length : feed + 1
}

function columnOf(text: string, offset: number): number {
  return offset - (text.lastIndexOf('\n', offset - 1) + 1)
}

function ended(text: string, eol: string): string {
  return text === '' || text.endsWith('\n') ? text : `${text}${eol}`
}

function block(lines: readonly string[], eol: string): string {
  return lines.map(line => `${line}${eol}`).join('')
}
