// errors.ts: what is wrong with a message or with a message table.

const brand = Symbol.for('corod.messageError')

/** One thing that is wrong with a message: where, and what would be right. */
export interface Fault {
  /** JSON pointer (RFC 6901) into the value that was given; `''` is the value itself. */
  readonly pointer: string
  /** What is wrong, and what would be right. */
  readonly message: string
}

/**
 * A value does not fit its message, or a record does not fit the table. Has every fault, not only the first. `instanceof`
 * also recognises errors of another copy of this package.
 */
export class MessageError extends Error {
  /** Always the same. */
  readonly code = 'ERR_MESSAGE'
  /** All that is wrong, at least one. */
  readonly faults: readonly Fault[]

  /** @internal */
  constructor(faults: readonly Fault[]) {
    super(faults.map(fault => (fault.pointer === '' ? fault.message : `${fault.pointer}: ${fault.message}`)).join('; '))
    this.name = 'MessageError'
    this.faults = faults
    Object.defineProperty(this, brand, { value: true })
  }

  /** Recognises errors of another copy of this package too: a node module may have its own. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && brand in value
  }
}

/** A message table cannot be used: duplicate code, reserved name, `json` that is not last. `code` is `ERR_MESSAGE_TABLE`. */
export class MessageTableError extends Error {
  readonly code = 'ERR_MESSAGE_TABLE'

  constructor(message: string) {
    super(message)
    this.name = 'MessageTableError'
  }
}

/** Thrown by a kind about its own value; the table adds the place and makes a {@link MessageError} of it. */
export class Misfit extends Error {}

/** A value in an error message: short, whatever it is. */
export function show(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  if (typeof value === 'bigint') return `${value}`
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object' && value !== null) return 'an object'
  return typeof value === 'function' || typeof value === 'symbol' ? `a ${typeof value}` : String(value)
}
