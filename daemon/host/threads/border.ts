// border.ts: what passes from one thread to another that structured clone would not take whole: errors keep their name,
// stack, code and cause; fields of log lines become what JSON would make of them. Pure.

/** An error on its way. */
export interface CarriedError {
  readonly name: string
  readonly message: string
  readonly stack?: string
  readonly code?: string | number
  readonly cause?: Carried
  /** Of an AggregateError. */
  readonly errors?: readonly Carried[]
}

/** Something that was thrown, on its way: an error, or the text of whatever else it was. */
export type Carried = { readonly error: CarriedError } | { readonly thrown: string }

/** A cause has a cause, and so on: a circle must end. */
const deepest = 8

/** Packs what was thrown. */
export function pack(thrown: unknown, depth = 0): Carried {
  if (!(thrown instanceof Error)) return { thrown: text(thrown) }
  const { name, message, stack, cause } = thrown
  const { code, errors } = thrown as { readonly code?: unknown; readonly errors?: unknown }
  const further = depth < deepest
  return {
    error: {
      name: text(name),
      message: text(message),
      ...(typeof stack === 'string' ? { stack } : {}),
      ...(typeof code === 'string' || typeof code === 'number' ? { code } : {}),
      ...(cause !== undefined && further ? { cause: pack(cause, depth + 1) } : {}),
      ...(Array.isArray(errors) && further ? { errors: errors.map(one => pack(one, depth + 1)) } : {}),
    },
  }
}

/** Unpacks it: an error is one again, of class Error, that says of itself what the original said. */
export function unpack(carried: Carried): unknown {
  if ('thrown' in carried) return carried.thrown
  const { name, message, stack, code, cause, errors } = carried.error
  const error = new Error(message)
  const set = (key: string, value: unknown) =>
    Object.defineProperty(error, key, { value, writable: true, configurable: true, enumerable: key === 'code' })
  if (name !== 'Error') set('name', name)
  set('stack', stack ?? `${name}: ${message}`)
  if (code !== undefined) set('code', code)
  if (cause !== undefined) set('cause', unpack(cause))
  if (errors !== undefined) set('errors', errors.map(unpack))
  return error
}

/** A value that structured clone takes: what JSON keeps of it; errors as {@link pack} has them. */
export type Field = null | boolean | number | bigint | string | Carried | { readonly json: string }

/** Packs the fields of a log line. A field that cannot be read says so, and the others pass. */
export function packFields(fields: object): Record<string, Field> {
  const packed: Record<string, Field> = {}
  for (const [key, value] of Object.entries(fields)) {
    const field = packField(value)
    if (field !== undefined) packed[key] = field
  }
  return packed
}

/** The fields again. */
export function unpackFields(packed: Readonly<Record<string, Field>>): object {
  return Object.fromEntries(Object.entries(packed).map(([key, field]) => [key, unpackField(field)]))
}

function packField(value: unknown): Field | undefined {
  switch (typeof value) {
    case 'string':
    case 'number':
    case 'boolean':
    case 'bigint':
      return value
    case 'object':
      if (value === null) return null
      if (value instanceof Error) return pack(value)
      return packObject(value)
    default:
      return undefined
  }
}

function packObject(value: object): Field | undefined {
  try {
    const json = JSON.stringify(value, (_, part: unknown) => (typeof part === 'bigint' ? part.toString() : part))
    return json === undefined ? undefined : { json }
  } catch (error) {
    return `[cannot be logged: ${error instanceof Error ? error.message.split('\n')[0] : 'it throws'}]`
  }
}

function unpackField(field: Field): unknown {
  if (typeof field !== 'object' || field === null) return field
  return 'json' in field ? JSON.parse(field.json) : unpack(field)
}

function text(value: unknown): string {
  try {
    return String(value)
  } catch {
    return 'something that cannot be shown'
  }
}
