// reference.ts: the schema as Markdown tables for docs/config.md. A test proves that the page holds exactly this.
import { type JsonSchema, jsonSchema } from './schema.js'

function code(text: string): string {
  return `\`${text}\``
}

/** What may be written, in words. */
function values(schema: JsonSchema): string {
  if (schema.anyOf !== undefined) {
    const parts = schema.anyOf.map(one => (one.properties === undefined ? values(one) : 'a mapping of the keys below'))
    return parts.join(', or ')
  }
  if (schema.enum !== undefined) return schema.enum.map(one => code(String(one))).join(', ')
  if (schema.range !== undefined) return `${schema.unit}, ${schema.range}`
  if (schema.unit !== undefined) return `${schema.unit}`
  if (schema.kind === 'path') return 'path'
  if (schema.type === 'integer') return range(schema)
  if (schema.type === 'array') return 'list of text'
  if (schema.type === 'object') return schema.properties === undefined ? 'mapping' : ''
  return schema.type === 'string' ? 'text' : String(schema.type)
}

function range({ minimum, maximum }: JsonSchema): string {
  return minimum === undefined || maximum === undefined ? 'whole number' : `whole number, ${minimum} to ${maximum}`
}

function fallback(schema: JsonSchema, required: boolean): string {
  if (required) return '**required**'
  const { default: value } = schema
  if (value === undefined) return ''
  // Of a section, the keys have defaults of their own.
  if (typeof value === 'object' && (schema.properties !== undefined || schema.anyOf !== undefined)) return ''
  if (typeof value === 'object') return code(JSON.stringify(value))
  return code(String(value))
}

/** Rows of everything below `schema`, depth first, keys with dots. */
function rows(schema: JsonSchema, prefix: string): string[] {
  const object = [schema, ...(schema.anyOf ?? [])].find(one => one.properties !== undefined)
  return Object.entries(object?.properties ?? {}).flatMap(([key, part]) => {
    const name = `${prefix}${key}`
    const required = object?.required?.includes(key) ?? false
    const cells = [code(name), fallback(part, required), values(part), part.description ?? '']
    return [`| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`, ...rows(part, `${name}.`)]
  })
}

/** A heading and a table for each section of the configuration. */
export function configReference(): string {
  const parts = Object.entries(jsonSchema().properties ?? {}).map(([name, section]) => {
    const entries = typeof section.additionalProperties === 'object' ? section.additionalProperties : undefined
    const table =
      entries !== undefined
        ? rows(entries, `${name}.NAME.`)
        : rows({ properties: { [name]: section } }, '').slice(leaf(section))
    const head = '| Key | Default | Values | Meaning |\n|---|---|---|---|'
    return `### ${code(name)}\n\n${section.description}.\n\n${head}\n${table.join('\n')}\n`
  })
  return parts.join('\n')
}

/** A section's own row says nothing that its heading does not; the row of a plain key is all there is. */
function leaf(section: JsonSchema): number {
  return section.properties === undefined ? 0 : 1
}
