// schema.ts: a message table as JSON Schema (draft 2020-12), for editors and for senders from outside.

import type { Schema } from './kind.js'
import type { PlacedMessage } from './layout.js'

/**
 * What the local socket takes: one object with `type` and the fields beside it. Messages that only the host sends are
 * left out.
 */
export function jsonSchema(messages: readonly PlacedMessage[]): Schema {
  const sendable = messages.filter(message => message.form !== 'host')
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    oneOf: sendable.map(({ name, fields }) => ({
      title: name,
      type: 'object',
      properties: {
        type: { const: name },
        ...Object.fromEntries(fields.map(field => [field.name, field.kind.schema])),
      },
      required: ['type', ...fields.map(field => field.name)],
      additionalProperties: false,
    })),
  }
}
