// options.ts: the options of a node in a test, checked as the daemon checks those of the YAML.

import { checkOptions, type StandardSchema } from '../process/options.js'

/** The options as the node gets them. @throws Error with everything that the schema finds wrong. */
export async function checkedOptions(schema: StandardSchema | undefined, options: unknown): Promise<unknown> {
  const checked = await checkOptions(schema, options)
  if ('value' in checked) return checked.value
  const faults = checked.issues.map(({ path, message }) => `${['options', ...path].map(String).join('.')}: ${message}`)
  throw new Error(faults.join('; '))
}
