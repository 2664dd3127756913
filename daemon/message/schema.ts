// schema.ts: a message table as JSON Schema (draft 2020-12), for editors and for senders from outside.

import type { Schema } from './kind.js'
import type { PlacedFields, PlacedMessage } from './layout.js'

/**
 * What the local socket takes: one object with `type` and the fields beside it; messages that only the host sends are
 * left out. The replies to calls are among the definitions, as `NAME.reply`.
 */
export function jsonSchema(messages: readonly PlacedMessage[]): Schema {
  const sendable = messages.filter(message => message.form !== 'host')
  const replies = messages.flatMap(({ name, reply }) =>
    reply === undefined ? [] : [[`${name}.reply`, objectOf(`${name}.reply`, {}, reply)] as const],
  )
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    // A list of no alternatives is no schema.
    ...(sendable.length === 0
      ? { not: {} }
      : { oneOf: sendable.map(message => objectOf(message.name, { type: { const: message.name } }, message)) }),
    ...(replies.length > 0 ? { $defs: Object.fromEntries(replies) } : {}),
  }
}

function objectOf(title: string, properties: Readonly<Record<string, Schema>>, { fields }: PlacedFields): Schema {
  const all = { ...properties, ...Object.fromEntries(fields.map(field => [field.name, field.kind.schema])) }
  return { title, type: 'object', properties: all, required: Object.keys(all), additionalProperties: false }
}
