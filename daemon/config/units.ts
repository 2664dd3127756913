// units.ts: durations and sizes as text. `100ms`, `1.5s`, `64KiB`. Pure.

type Units = ReadonlyMap<string, number>

const durations: Units = new Map(Object.entries({ us: 0.001, ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }))
const sizes: Units = new Map(Object.entries({ B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }))

/** What a duration looks like, for JSON Schema. */
export const durationPattern = /^\d+(\.\d+)?(us|ms|s|m|h|d)$/
/** What a size looks like, for JSON Schema. */
export const sizePattern = /^\d+(\.\d+)?(B|KiB|MiB|GiB)$/

/** Milliseconds of `text`, e.g. `100ms`, `1.5s`, `2m`, `1h`, `1d`, `50us`. Undefined if it is no duration. */
export function parseDuration(text: string): number | undefined {
  return parse(text, durations)
}

/** Bytes of `text`, e.g. `512B`, `64KiB`, `1.5MiB`, `1GiB`. Undefined if it is no size. */
export function parseSize(text: string): number | undefined {
  return parse(text, sizes)
}

function parse(text: string, units: Units): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([A-Za-z]+)$/.exec(text)
  const unit = units.get(match?.[2] ?? '')
  return match === null || unit === undefined ? undefined : Number(match[1]) * unit
}

function format(value: number, units: Units): string {
  const fitting = [...units].filter(([, size]) => value >= size && Number.isInteger(value / size))
  const [name, size] = fitting.at(-1) ?? [...units][0]!
  return `${value / size}${name}`
}

/** Milliseconds as the shortest exact text. */
export function formatDuration(ms: number): string {
  return format(ms, durations)
}

/** Bytes as the shortest exact text. */
export function formatSize(bytes: number): string {
  return format(bytes, sizes)
}

/** What was probably meant by something that is no duration, as `10s or 10ms`; undefined if there is no telling. */
export function durationMeant(value: unknown): string | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-zµ]*)\s*$/.exec(String(value))
  if (match === null) return undefined
  const [, amount, unit = ''] = match
  if (unit === '') return `${amount}ms or ${amount}s`
  const known = { usec: 'us', µs: 'us', msec: 'ms', sec: 's', min: 'm', minute: 'm', hour: 'h', hr: 'h', day: 'd' }
  const lower = unit.toLowerCase().replace(/(?<=..)s$/, '')
  const name = Object.entries({ ...known, us: 'us', ms: 'ms', m: 'm', s: 's', h: 'h', d: 'd', second: 's' })
  const found = name.find(([spelt]) => spelt === unit.toLowerCase() || spelt === lower)
  return found && `${amount}${found[1]}`
}

/** What was probably meant by something that is no size, as `64KiB`; undefined if there is no telling. */
export function sizeMeant(value: unknown): string | undefined {
  const match = /^\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*$/.exec(String(value))
  if (match === null) return undefined
  const [, amount, unit = ''] = match
  if (unit === '') return `${amount}B or ${amount}KiB`
  const letter = unit[0]!.toUpperCase()
  if (!/^(b|bytes?|[kmg](i?b)?)$/i.test(unit)) return undefined
  return letter === 'B' ? `${amount}B` : `${amount}${letter}iB`
}
