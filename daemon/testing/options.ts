// options.ts: the options of a node in a test, checked as the daemon checks those of the YAML.

import { checkOptions, type StandardSchema } from '../process/options.js'

/** The options are none that the node can run with. Its message has everything that the schema finds wrong. */
export class OptionsError extends Error {
  /** Always the same. */
  readonly code = 'ERR_OPTIONS'

  /** @internal */
  constructor(message: string) {
    super(message)
    this.name = 'OptionsError'
  }
}

/** The options as the node gets them. @throws OptionsError with everything that the schema finds wrong. */
export async function checkedOptions(schema: StandardSchema | undefined, options: unknown): Promise<unknown> {
  const checked = await checkOptions(schema, options)
  if ('value' in checked) return checked.value
  const faults = checked.issues.map(({ path, message }) => `${['options', ...path].map(String).join('.')}: ${message}`)
  throw new OptionsError(faults.join('; '))
}
