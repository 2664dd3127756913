// schema.ts: corod schema.
import { jsonSchema } from '../config/schema.js'
import type { Given } from './commands.js'
import { exits } from './exits.js'
import type { Output } from './output.js'

export async function schema(_: readonly (string | undefined)[], _given: Given, out: Output): Promise<number> {
  out.result(JSON.stringify(jsonSchema(), null, 2), jsonSchema())
  return exits.ok.code
}
