// layout.ts: a message table checked and laid out: where each field is in its record.

import { MessageTableError } from './errors.js'
import { type Fields, type Kind, maxEvent } from './kind.js'
import { type Call, firstReservedCode, type Message, type MessageForm, type Messages } from './message.js'

/** A field and its place. */
export interface PlacedField {
  readonly name: string
  readonly kind: Kind
  readonly offset: number
}

/** Fields in place: of a message, or of a reply. */
export interface PlacedFields {
  readonly fields: readonly PlacedField[]
  /** Bytes of the record; of an open one, bytes before the JSON text. */
  readonly size: number
  /** Whether JSON text of any length follows. */
  readonly open: boolean
}

/** A message with its fields in place. */
export interface PlacedMessage extends PlacedFields {
  readonly name: string
  readonly code: number
  readonly form: MessageForm
  /** Of a call. */
  readonly reply: PlacedFields | undefined
}

// Fields that every event has, or will have.
const metaFields = ['type', 'seq', 'time', 'redelivered', 'attempts', 'asked', 'reply', 'refuse', 'defer', 'again']
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
    if (!isMessage(message)) fail('make it with message(code, fields), call(code, fields, reply) or signal(code)')
    const { code, form } = message
    if (form !== 'host' && code >= firstReservedCode)
      fail(`code ${code} is reserved: use one below ${firstReservedCode}`)
    if (codes.has(code)) fail(`code ${code} is already that of "${codes.get(code)}"`)
    const macro = macroName(name)
    for (const used of isCall(message) ? [macro, `${macro}_REPLY`] : [macro]) {
      if (macros.has(used)) fail(`in C it would have the same name as "${macros.get(used)}"`)
      macros.set(used, name)
    }
    codes.set(code, name)
    const inReply = (text: string) => fail(`reply: ${text}`)
    const reply = isCall(message) ? place(message.reply, [], inReply) : undefined
    return { name, code, form, reply, ...place(message.fields, metaFields, fail) }
  })
}

function isMessage(value: unknown): value is Message {
  if (typeof value !== 'object' || value === null) return false
  const { code, fields, form } = value as Partial<Message>
  if (!Number.isInteger(code) || typeof fields !== 'object') return false
  return ['message', 'call', 'signal', 'host'].includes(form as string)
}

function isCall(message: Message): message is Call {
  return message.form === 'call'
}

function place(fields: Fields, reserved: readonly string[], fail: (text: string) => never): PlacedFields {
  const placed: PlacedField[] = []
  let offset = 0
  let open = false
  for (const [name, kind] of Object.entries(fields)) {
    if (!fieldName.test(name)) fail(`field "${name}": a name is a letter, then up to 62 letters, digits or "_"`)
    if (reserved.includes(name)) fail(`field "${name}": every event has a "${name}" of its own`)
    if (typeof kind?.read !== 'function') fail(`field "${name}": not a kind; use u8, ip4, text(16) and so on`)
    if (open) fail(`field "${name}" comes after the json field, which must be the last`)
    placed.push({ name, kind, offset })
    offset += kind.size
    open = kind.open
  }
  if (offset > maxEvent) fail(`${offset} bytes are too many: a message has at most ${maxEvent}`)
  return { fields: placed, size: offset, open }
}
