// layout.ts: a message table checked and laid out: where each field is in its record.

import { MessageTableError } from './errors.js'
import { type Fields, type Kind, maxEvent } from './kind.js'
import { firstReservedCode, type Message, type MessageForm, type Messages } from './message.js'

/** A field and its place. */
export interface PlacedField {
  readonly name: string
  readonly kind: Kind
  readonly offset: number
}

/** A message with its fields in place. */
export interface PlacedMessage {
  readonly name: string
  readonly code: number
  readonly form: MessageForm
  readonly fields: readonly PlacedField[]
  /** Bytes of the record; of an open one, bytes before the JSON text. */
  readonly size: number
  /** Whether JSON text of any length follows. */
  readonly open: boolean
}

// Fields that every event has, or will have.
const metaFields = ['type', 'seq', 'time', 'redelivered', 'attempts', 'reply']
const messageName = /^[A-Za-z][A-Za-z0-9_-]{0,62}$/
const fieldName = /^[A-Za-z][A-Za-z0-9_]{0,62}$/

/** The name of a message in C macros: `linkUp` and `link-up` are both `LINK_UP`, and so cannot be in one table. */
export function macroName(name: string): string {
  return name
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]/g, '_')
    .toUpperCase()
}

/** Checks a table and lays it out. Throws {@link MessageTableError}. */
export function layOut(messages: Messages): PlacedMessage[] {
  const codes = new Map<number, string>()
  const macros = new Map<string, string>()
  return Object.entries(messages).map(([name, message]) => {
    const fail = (text: string): never => {
      throw new MessageTableError(`message "${name}": ${text}`)
    }
    if (!messageName.test(name)) fail('a name is a letter, then up to 62 letters, digits, "_" or "-"')
    if (name === 'gap') fail('the name is reserved for the notice of dropped events')
    if (!isMessage(message)) fail('make it with message(code, fields) or signal(code)')
    const { code, form } = message
    if (form !== 'host' && code >= firstReservedCode)
      fail(`code ${code} is reserved: use one below ${firstReservedCode}`)
    if (codes.has(code)) fail(`code ${code} is already that of "${codes.get(code)}"`)
    const macro = macroName(name)
    if (macros.has(macro)) fail(`in C it would have the same name as "${macros.get(macro)}"`)
    codes.set(code, name)
    macros.set(macro, name)
    return { name, code, form, ...place(message.fields, fail) }
  })
}

function isMessage(value: unknown): value is Message {
  if (typeof value !== 'object' || value === null) return false
  const { code, fields, form } = value as Partial<Message>
  return Number.isInteger(code) && typeof fields === 'object' && ['message', 'signal', 'host'].includes(form as string)
}

function place(fields: Fields, fail: (text: string) => never) {
  const placed: PlacedField[] = []
  let offset = 0
  let open = false
  for (const [name, kind] of Object.entries(fields)) {
    if (!fieldName.test(name)) fail(`field "${name}": a name is a letter, then up to 62 letters, digits or "_"`)
    if (metaFields.includes(name)) fail(`field "${name}": every event has a "${name}" of its own`)
    if (typeof kind?.read !== 'function') fail(`field "${name}": not a kind; use u8, ip4, text(16) and so on`)
    if (open) fail(`field "${name}" comes after the json field, which must be the last`)
    placed.push({ name, kind, offset })
    offset += kind.size
    open = kind.open
  }
  if (offset > maxEvent) fail(`${offset} bytes are too many: a message has at most ${maxEvent}`)
  return { fields: placed, size: offset, open }
}
