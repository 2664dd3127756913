// document.ts: YAML text as plain values, with the place of every key and value, or everything that is wrong with the
// YAML. Knows no schema. Values are converted here and not by the library, because a configuration must not be able to
// blow up by aliases, to hide a key behind another of the same name, or to name a prototype.
import {
  type Alias,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  type Node,
  type Pair,
  Parser,
  parseDocument,
  type YAMLError,
  type YAMLMap,
} from 'yaml'
import { formatPath, type Path, type Place, type Problem, printable, quote } from './problems.js'

/** Open brackets and blocks at once. The library's composer recurses: deeper text could end the process, not just fail. */
const maxDepth = 100
/** Values after aliases are expanded. */
const maxValues = 200_000

/** What a YAML file says. */
export interface ParsedYaml {
  /** Plain objects, arrays, text, numbers, booleans and null; undefined if the file holds nothing. */
  readonly value: unknown
  /** Faults of the YAML itself; if there are any, `value` is not to be used. */
  readonly problems: readonly Problem[]
  /** Where the value at `path` stands; for a `key`, where the key does. What is missing stands where its parent does. */
  place(path: Path, key?: string): Place
}

/** What the library says in words of its own that help nobody. */
const clearer: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'a tab is used to indent: YAML indents with spaces',
  MULTIPLE_DOCS: 'a second document begins here: keep one, and remove the line ---',
  BLOCK_AS_IMPLICIT_KEY: 'a mapping begins inside a value: put it on a line of its own, or quote text that has a colon',
  MULTILINE_IMPLICIT_KEY: 'a key ends on its own line: is a colon missing?',
  TAG_RESOLVE_FAILED: 'a tag (!name) that is not known here: remove it',
}

function explain(error: YAMLError): string {
  const said = printable(error.message.split('\n')[0] ?? '')
  return clearer[error.code] ?? `not YAML: ${said[0]?.toLowerCase()}${said.slice(1)}`
}

/** Offset at which the text is nested deeper than allowed, or undefined. */
function tooDeepAt(text: string): number | undefined {
  const parser = new Parser()
  for (const lexeme of new Lexer().lex(text)) {
    for (const _ of parser.next(lexeme));
    if (parser.stack.length > maxDepth) return parser.offset
  }
  return undefined
}

/** Parses `text`; `file` is only named in places. Never throws for what the text says. */
export function parseYaml(text: string, file: string): ParsedYaml {
  const lines = new LineCounter()
  const at = (offset: number): Place => {
    const { line, col } = lines.linePos(Math.min(offset, text.length))
    return { file, line: Math.max(line, 1), col: Math.max(col, 1) }
  }
  lines.addNewLine(0)
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', end + 1)) lines.addNewLine(end + 1)

  const deep = tooDeepAt(text)
  if (deep !== undefined) {
    const problem = {
      ...at(deep),
      path: '',
      message: `nested more than ${maxDepth} levels deep: this is no configuration`,
    }
    return { value: undefined, problems: [problem], place: () => at(0) }
  }
  const document = parseDocument(text, { prettyErrors: false, uniqueKeys: false, logLevel: 'error', strict: true })
  const faults = [...document.errors, ...document.warnings]
  const problems: Problem[] = faults.map(error => ({ ...at(error.pos[0]), path: '', message: explain(error) }))
  if (problems.length > 0) return { value: undefined, problems, place: () => at(0) }

  const reader = new Reader(at)
  const value = document.contents === null ? undefined : reader.convert(document.contents, [])
  return {
    value,
    problems: reader.problems,
    place: (path, key) => reader.place(document.contents, path, key),
  }
}

/** Turns nodes of the library into plain values and remembers what aliases stand for. */
class Reader {
  readonly problems: Problem[] = []
  readonly #at: (offset: number) => Place
  readonly #anchors = new Map<string, Node>()
  readonly #targets = new Map<Alias, Node>()
  readonly #open = new Set<Node>()
  readonly #pairs = new WeakMap<YAMLMap, Map<string, Pair<Node | null, Node | null>>>()
  #values = 0

  constructor(at: (offset: number) => Place) {
    this.#at = at
  }

  convert(node: Node | null, path: Path): unknown {
    if (++this.#values > maxValues) {
      if (this.#values === maxValues + 1) this.#fault(node, path, `more than ${maxValues} values: too many aliases`)
      return undefined
    }
    if (node === null) return null
    if (isAlias(node)) return this.#alias(node, path)
    if ('anchor' in node && node.anchor !== undefined) this.#anchors.set(node.anchor, node)
    if (isScalar(node)) return scalarValue(node.value, node.source)
    this.#open.add(node)
    try {
      if (isMap(node)) return this.#map(node, path)
      if (isSeq(node)) return node.items.map((item, i) => this.convert(item as Node | null, [...path, i]))
      return undefined
    } finally {
      this.#open.delete(node)
    }
  }

  #alias(alias: Alias, path: Path): unknown {
    const target = this.#targets.get(alias) ?? this.#anchors.get(alias.source)
    if (target === undefined)
      return this.#fault(
        alias,
        path,
        `the alias *${printable(alias.source)} stands for nothing: define the anchor before`,
      )
    if (this.#open.has(target))
      return this.#fault(alias, path, `the alias *${printable(alias.source)} stands for what contains it`)
    this.#targets.set(alias, target)
    return this.convert(target, path)
  }

  #map(map: YAMLMap, path: Path): unknown {
    const value: Record<string, unknown> = {}
    const first = new Map<string, Place>()
    for (const pair of map.items as Pair<Node | null, Node | null>[]) {
      const key = keyText(pair.key)
      if (key === undefined) {
        this.#fault(pair.key ?? map, path, 'a key is a list or a mapping: keys are plain words')
        continue
      }
      const before = first.get(key)
      const here = this.#at(pair.key?.range?.[0] ?? map.range?.[0] ?? 0)
      if (before !== undefined) {
        const what = `the key ${quote(key)} is here twice (first in line ${before.line}): keep one`
        this.problems.push({ ...here, path: formatPath([...path, key]), message: what })
      } else if (key === '__proto__') {
        this.#fault(pair.key, path, "the key '__proto__' is not allowed: rename it")
      } else if (key === '<<') {
        this.#fault(pair.key, path, 'merge keys (<<) are not part of YAML 1.2: use an alias for the whole value')
      } else {
        first.set(key, here)
        value[key] = this.convert(pair.value, [...path, key])
      }
    }
    return value
  }

  #fault(node: Node | null, path: Path, message: string): undefined {
    this.problems.push({ ...this.#at(node?.range?.[0] ?? 0), path: formatPath(path), message })
  }

  /** Place of the value at `path`, of its key, or of what comes nearest. */
  place(contents: Node | null, path: Path, key?: string): Place {
    let node: Node | null | undefined = contents
    let offset = contents?.range?.[0] ?? 0
    for (const part of path) {
      const next = this.#child(node, part)
      if (next === undefined) return this.#at(offset)
      node = next.value
      offset = node?.range?.[0] ?? next.offset
    }
    const child = key === undefined ? undefined : this.#child(node, key)
    return this.#at(child?.offset ?? offset)
  }

  /** The part of `node` called `part`, and the offset of its key (in a list: of itself). */
  #child(node: Node | null | undefined, part: string | number): { value: Node | null; offset: number } | undefined {
    const at = isAlias(node) ? this.#targets.get(node) : node
    if (isSeq(at)) {
      const value = at.items[part as number] as Node | null | undefined
      return value === undefined ? undefined : { value, offset: value?.range?.[0] ?? at.range?.[0] ?? 0 }
    }
    if (!isMap(at)) return undefined
    let pairs = this.#pairs.get(at)
    if (pairs === undefined) {
      pairs = new Map((at.items as Pair<Node | null, Node | null>[]).map(one => [keyText(one.key) ?? '', one]))
      this.#pairs.set(at, pairs)
    }
    const pair = pairs.get(String(part))
    return pair && { value: pair.value, offset: pair.key?.range?.[0] ?? at.range?.[0] ?? 0 }
  }
}

/** A key as text; undefined if it is none. `1:` and `"1":` are one key. */
function keyText(key: Node | null): string | undefined {
  if (key === null) return ''
  return isScalar(key) ? (typeof key.value === 'string' ? key.value : (key.source ?? String(key.value))) : undefined
}

/** A number that begins with a zero, as file modes do, stays the text it is: YAML 1.2 would read 0660 as 660. */
function scalarValue(value: unknown, source: string | undefined): unknown {
  return typeof value === 'number' && source !== undefined && /^0\d+$/.test(source) ? source : value
}
