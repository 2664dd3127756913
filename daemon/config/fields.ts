// fields.ts: the kinds of value that a configuration key can have, as zod schemas: durations, sizes, names, paths,
// sections. A kind says in its own words what it wants; messages.ts says the rest.
import { z } from 'zod'
import { quote } from './problems.js'
import {
  durationMeant,
  durationPattern,
  formatDuration,
  formatSize,
  parseDuration,
  parseSize,
  sizeMeant,
  sizePattern,
} from './units.js'

type Camel<K> = K extends `${infer A}-${infer B}` ? `${A}${Capitalize<Camel<B>>}` : K
/** `T` with its keys in the spelling of TypeScript: `ping-interval` becomes `pingInterval`. */
export type CamelKeys<T> = { [K in keyof T as Camel<K>]: T[K] }

function camelKeys<T extends object>(value: T): CamelKeys<T> {
  const entries = Object.entries(value).map(([key, part]) => [
    key.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()),
    part,
  ])
  return Object.fromEntries(entries) as CamelKeys<T>
}

/** A mapping that knows all its keys: any other is an error. YAML says `two-words`, TypeScript `twoWords`. */
export function section<T extends z.ZodObject>(object: T) {
  return object.transform(value => camelKeys(value as z.output<T> & object))
}

interface Bounds {
  readonly min: string
  readonly max: string
}

interface Unit {
  readonly what: string
  readonly example: string
  readonly pattern: RegExp
  readonly parse: (text: string) => number | undefined
  readonly format: (value: number) => string
  readonly meant: (value: unknown) => string | undefined
}

/** Text with a unit within bounds, given out as a number. */
function measure(unit: Unit, bounds: Bounds) {
  const min = unit.parse(bounds.min)!
  const max = unit.parse(bounds.max)!
  const wrong = (input: unknown): string => {
    const meant = unit.meant(input)
    const right = meant === undefined ? `${unit.what} such as ${unit.example}` : meant
    const unitless = typeof input === 'number' || /^\s*[\d.]+\s*$/.test(String(input))
    const shown = typeof input === 'number' ? String(input) : quote(String(input))
    return unitless ? `${shown} has no unit: write ${right}` : `${shown} is not ${unit.what}: write ${right}`
  }
  return z
    .string({
      error: issue =>
        issue.input === undefined || typeof issue.input === 'object' ? undefined : wrong(issue.input as unknown),
    })
    .regex(unit.pattern, { error: issue => wrong(issue.input) })
    .transform((text, context) => {
      const value = unit.parse(text)!
      if (value < min) context.addIssue(`${text} is too little: at least ${bounds.min}`)
      else if (value > max) context.addIssue(`${text} is too much: at most ${bounds.max}`)
      return value
    })
    .meta({ range: `${bounds.min} to ${bounds.max}`, unit: unit.what })
}

const durationUnit: Unit = {
  what: 'a duration',
  example: '100ms, 5s or 2m',
  pattern: durationPattern,
  parse: parseDuration,
  format: formatDuration,
  meant: durationMeant,
}

const sizeUnit: Unit = {
  what: 'a size',
  example: '512B, 64KiB or 2MiB',
  pattern: sizePattern,
  parse: parseSize,
  format: formatSize,
  meant: sizeMeant,
}

/** A duration with its unit, within bounds; milliseconds when parsed. */
export function duration(bounds: Bounds) {
  return measure(durationUnit, bounds)
}

/** A size with its unit, within bounds; whole bytes when parsed. */
export function size(bounds: Bounds) {
  return measure(sizeUnit, bounds).transform((bytes, context) => {
    if (!Number.isInteger(bytes)) context.addIssue(`${bytes}B is not a whole number of bytes`)
    return bytes
  })
}

/** A size that is a power of two: rings are addressed by masks. */
export function powerOfTwo(bounds: Bounds) {
  return size(bounds).transform((bytes, context) => {
    const below = 2 ** Math.floor(Math.log2(Math.max(bytes, 1)))
    if (bytes !== below)
      context.addIssue(
        `${formatSize(bytes)} is not a power of two: write ${formatSize(below)} or ${formatSize(below * 2)}`,
      )
    return bytes
  })
}

/** A whole number within bounds. */
export function whole(min: number, max: number) {
  return z.int().min(min).max(max)
}

/** Path of a Unix socket; relative ones are resolved against the file. */
export function socketPath() {
  return z
    .string()
    .min(1, 'is empty: write the path of a Unix socket')
    .refine(path => !path.startsWith('@'), 'an abstract socket has no permissions: write a path, without the @')
    .refine(path => !path.includes('\0'), 'has a NUL character: write a path without it')
    .meta({ kind: 'path' })
}

/** Path of a folder; relative ones are resolved against the file. */
export function folderPath() {
  return z
    .string()
    .min(1, 'is empty: write the path of a folder')
    .refine(path => !path.includes('\0'), 'has a NUL character: write a path without it')
    .meta({ kind: 'path' })
}

/**
 * The name of a process node. VPP pastes it into format strings and statistics paths and has 64 bytes for it, so that
 * `%`, `/` or a long name would harm it. It also stands in URLs and on command lines.
 */
export const nodeName = name('a node')

/** The name of an executor: as that of a node. */
export const executorName = name('an executor')

function name(of: string) {
  return z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,63}$/, { error: issue => nameFault(of, String(issue.input)), abort: true })
    .regex(/^(?![.-])/, {
      error: issue => `${quote(String(issue.input))}: ${of}'s name starts with a letter, digit or _`,
    })
}

function nameFault(of: string, text: string): string {
  const rule = 'use 1 to 63 of A-Z a-z 0-9 _ . -'
  if (text === '') return `${of}'s name is empty: ${rule}`
  const odd = /[^A-Za-z0-9_.-]/u.exec(text)
  if (odd !== null) return `${quote(text)} is no name for ${of}, because of ${quote(odd[0])}: ${rule}`
  return `${quote(text)} is no name for ${of}, it has ${text.length} characters: ${rule}`
}

/** The name of a process node of VPP itself, as `show node` spells it. */
export const nativeNodeName = z.string().regex(/^[!-~]{1,63}$/, {
  error: issue => `${quote(String(issue.input))} is no name of a node: 1 to 63 visible ASCII characters`,
})

/** Interface names, with `*` for any characters and `?` for one. */
export const interfacePattern = z.string().regex(/^[!-~]{1,63}$/, {
  error: issue => `${quote(String(issue.input))} fits no interface name: 1 to 63 visible ASCII characters, * and ?`,
})

/** The mode of a file, as chmod takes it; a number such as 0o660 when parsed. */
export const fileMode = z
  .string({ error: () => "expected a file mode of octal digits, such as '0660'" })
  .regex(/^0?[0-7]{3}$/, {
    error: issue => `${quote(String(issue.input))} is no file mode: write one such as '0660'`,
    abort: true,
  })
  .regex(/^0?[67][0-7]{2}$/, {
    error: issue => `${quote(String(issue.input))} shuts out the daemon itself: write '0660'`,
  })
  .transform(text => Number.parseInt(text, 8))
  .meta({ type: ['string', 'integer'], unit: 'a file mode' })

/** Adds a fault if `max` is less than `min`. */
export function ordered(value: { min: number; max: number }, context: z.core.$RefinementCtx): void {
  if (value.max >= value.min) return
  const [max, min] = [formatDuration(value.max), formatDuration(value.min)]
  context.addIssue({
    code: 'custom',
    path: ['max'],
    message: `${max} is less than min (${min}): raise max or lower min`,
  })
}
