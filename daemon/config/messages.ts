// messages.ts: a fault that zod found, as sentences for people: what is wrong, what would be right.
import type { z } from 'zod'
import { type Path, quote } from './problems.js'
import { type JsonSchema, jsonSchema, schemaAt } from './schema.js'
import { suggest } from './suggest.js'

type Issue = z.core.$ZodIssue

/** A fault of the key `shown`. It stands at the value at `at`, or at that mapping's key `key`. */
export interface Fault {
  readonly shown: Path
  readonly at: Path
  readonly key?: string
  readonly message: string
}

const kinds: Readonly<Record<string, string>> = {
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a mapping'
  return typeof value === 'string' ? quote(value) : String(value)
}

/** The faults that `issue` stands for, paths from the top of the file. */
export function faultsOf(issue: Issue, base: Path = []): Fault[] {
  const path = [...base, ...issue.path.map(part => (typeof part === 'symbol' ? String(part) : part))]
  if (issue.code === 'unrecognized_keys') return issue.keys.map(key => unknownKey(path, key))
  if (issue.code === 'invalid_key') {
    const at = path.slice(0, -1)
    return issue.issues.map(one => ({ shown: at, at, key: String(path.at(-1)), message: one.message }))
  }
  if (issue.code === 'invalid_union') return unionFaults(issue, path)
  return [{ shown: path, at: path, message: message(issue, path) }]
}

/** The branch of a union that was probably meant: the one that can hold a value of this type at all. */
function unionFaults(issue: z.core.$ZodIssueInvalidUnion, path: Path): Fault[] {
  const misfit = (one: Issue) => one.path.length === 0 && one.code === 'invalid_type'
  const values = (one: Issue) => one.path.length === 0 && one.code === 'invalid_value'
  const scalar = typeof issue.input !== 'object'
  const meant = issue.errors.find(branch => !branch.some(misfit) && (scalar || !branch.some(values)))
  if (meant !== undefined) return meant.flatMap(one => faultsOf(one, path))
  const wanted = (schemaAt(path)?.anyOf ?? []).map(shape)
  return [{ shown: path, at: path, message: `expected ${wanted.join(' or ')}, got ${describe(issue.input)}` }]
}

/** What a value must look like, in words. */
function shape(schema: JsonSchema): string {
  if (schema.enum !== undefined) return `one of ${schema.enum.join(', ')}`
  if (schema.unit !== undefined) return schema.unit
  const type = typeof schema.type === 'string' ? schema.type : 'string'
  return type === 'integer' ? 'a whole number' : (kinds[type] ?? type)
}

function unknownKey(path: Path, key: string): Fault {
  const known = Object.keys(properties(path))
  const near = suggest(key, known)
  const elsewhere = near === undefined ? nested(path, key) : undefined
  const hint =
    near !== undefined
      ? `did you mean ${quote(near)}?`
      : elsewhere !== undefined
        ? `it belongs to ${quote(elsewhere)}`
        : `known here: ${known.join(', ')}`
  return { shown: [...path, key], at: path, key, message: `unknown key, ${hint}` }
}

function properties(path: Path): Readonly<Record<string, JsonSchema>> {
  const at = path.length === 0 ? jsonSchema() : schemaAt(path)
  return [at, ...(at?.anyOf ?? [])].find(one => one?.properties !== undefined)?.properties ?? {}
}

/** The section below `path` that has `key`. */
function nested(path: Path, key: string): string | undefined {
  return Object.keys(properties(path)).find(name => Object.hasOwn(properties([...path, name]), key))
}

/** `description` as the tail of a sentence. */
function about(path: Path): string {
  const text = schemaAt(path)?.description
  return text === undefined ? '' : `: ${text[0]?.toLowerCase()}${text.slice(1).replaceAll('`', '')}`
}

function message(issue: Issue, path: Path): string {
  switch (issue.code) {
    case 'invalid_type':
      return typeFault(issue, path)
    case 'invalid_value':
      return valueFault(issue)
    case 'too_small':
    case 'too_big':
      return rangeFault(issue)
    default:
      return issue.message
  }
}

function typeFault(issue: z.core.$ZodIssueInvalidType, path: Path): string {
  if (issue.input === undefined) return `is missing${about(path)}`
  // A kind of ours has said it already in its own words; zod's begin like this.
  if (!issue.message.startsWith('Invalid input')) return issue.message
  const schema = schemaAt(path)
  const wanted = schema?.unit ?? kinds[issue.expected] ?? issue.expected
  const example = path.length === 1 && path[0] === 'nodes' ? ', such as  name: { module: ./name.ts }' : ''
  if (issue.input === null) return `has no value: expected ${wanted}${example}, or leave the key out`
  return `expected ${wanted}${example}, got ${describe(issue.input)}`
}

function valueFault(issue: z.core.$ZodIssueInvalidValue): string {
  const values = issue.values.map(String)
  const near = typeof issue.input === 'string' ? suggest(issue.input, values) : undefined
  const list = values.length === 1 ? values[0] : `one of ${values.join(', ')}`
  const hint = near === undefined || values.length === 1 ? '' : `; did you mean ${near}?`
  if (issue.input === null || issue.input === undefined) return `has no value: expected ${list}`
  return `${describe(issue.input)} is not ${list}${hint}`
}

function rangeFault(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): string {
  if (issue.origin === 'number' || issue.origin === 'int')
    return issue.code === 'too_small'
      ? `${describe(issue.input)} is too little: at least ${issue.minimum}`
      : `${describe(issue.input)} is too much: at most ${issue.maximum}`
  if (issue.origin === 'array' && issue.code === 'too_big') return `has more than ${issue.maximum} entries`
  if (issue.origin === 'string' && issue.message.startsWith('Too small')) return 'is empty: write a value'
  return issue.message
}
