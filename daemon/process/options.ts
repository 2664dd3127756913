// options.ts: checking the options of a node with the validator its author chose. The interface is that of Standard
// Schema (https://standardschema.dev), of which only this is needed; so no validator is a dependency of ours.

/** One thing that is wrong with the options. */
export interface OptionIssue {
  readonly message: string
  /** Keys from the options down to the value. */
  readonly path: readonly PropertyKey[]
}

type SchemaIssue = {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

type SchemaResult<T> = { readonly value: T; readonly issues?: undefined } | { readonly issues: readonly SchemaIssue[] }

/**
 * A validator of any library that implements [Standard Schema](https://standardschema.dev), version 1. `T` is what it
 * makes of the options. It may be asynchronous.
 */
export interface StandardSchema<out T = unknown> {
  /** What the library offers to others; not for authors. */
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => SchemaResult<T> | Promise<SchemaResult<T>>
    readonly types?: { readonly input: unknown; readonly output: T } | undefined
  }
}

/** The options as `node.options` has them, or what is wrong with them. Without a schema everything is right. */
export async function checkOptions(
  schema: StandardSchema | undefined,
  options: unknown,
): Promise<{ readonly value: unknown } | { readonly issues: readonly OptionIssue[] }> {
  if (schema === undefined) return { value: options }
  const result = await schema['~standard'].validate(options)
  if (result.issues === undefined) return { value: result.value }
  return {
    issues: result.issues.map(issue => ({
      message: issue.message,
      path: (issue.path ?? []).map(part => (typeof part === 'object' ? part.key : part)),
    })),
  }
}
