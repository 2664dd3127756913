// events.ts: events as a host makes them. What a test gives goes through the codec of the message table, as it would in
// production, so a value that no sender could send is refused here, too.

import { MessageError } from '../message/errors.js'
import { type InterfaceChangeFields, type InterfaceChangeKind, interfaceChange } from '../message/interface.js'
import type { ValueOfKind } from '../message/kind.js'
import type { AnyEvent, Messages } from '../message/message.js'
import { type MessageTable, recordKind } from '../message/table.js'
import { type CallAnswer, OpenCall } from './questions.js'

/** What a test may say of an event besides the fields of its message. */
export interface EventSetup {
  /** It was handed to a node before that did not finish with it. Default: whether `attempts` is more than 0. */
  readonly redelivered?: boolean
  /** How often that was. Default 1 if it is `redelivered`, else 0. */
  readonly attempts?: number
  /** When the host accepted it, as `vm.now()` tells time; default: now. */
  readonly time?: number
}

/** The state of an interface, as far as `kit.transition` is to change it. */
export type InterfaceState = {
  readonly [Field in Exclude<keyof InterfaceChangeFields, 'name' | 'change'>]?: ValueOfKind<
    InterfaceChangeFields[Field]
  >
}

type WholeState = { [Field in keyof InterfaceState]-?: InterfaceState[Field] }

/** Makes the events of one node, numbered. */
export class EventMaker {
  readonly #messages: Messages
  readonly #table: MessageTable
  readonly #interfaces = new Map<string, WholeState>()
  #seq = 0n
  #indexes = 0

  constructor(messages: Messages, table: MessageTable) {
    this.#messages = messages
    this.#table = table
  }

  /** An event of a message. Throws MessageError. */
  make(now: number, type: string, value: unknown, setup: EventSetup = {}, question?: OpenCall): AnyEvent {
    const bytes = this.#table.encode(type, value)
    const { code, form } = this.#messages[type]!
    const kind = form === 'signal' ? recordKind.signal : recordKind.event
    const { seq, time, redelivered, attempts } = this.#meta(now, setup)
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
    return this.#table.event(code, kind, view, 0, bytes.length, seq, time, redelivered, attempts, question)
  }

  /** The same, by somebody who waits for the reply. `told` hears what the node itself answers. Throws MessageError. */
  call(
    now: number,
    type: string,
    value: unknown,
    told: (event: AnyEvent, answer: CallAnswer) => void,
  ): { event: AnyEvent; call: OpenCall } {
    const call: OpenCall = new OpenCall(
      bytes => this.#table.decodeReply(type, bytes),
      answer => told(event, answer),
    )
    const event = this.make(now, type, value, {}, call)
    return { event, call }
  }

  /** The notice that the next `count` events were dropped. */
  gap(now: number, count: number): AnyEvent {
    if (!Number.isSafeInteger(count) || count < 1) throw new RangeError(`a gap of ${count} events: at least 1`)
    const first = this.#seq + 1n
    this.#seq += BigInt(count)
    const meta = { seq: this.#seq, time: now, redelivered: false, attempts: 0 }
    return { type: 'gap', ...meta, first, last: this.#seq, count: BigInt(count) }
  }

  /** A transition of an interface, which keeps the state that it was in before but for what `state` says. */
  transition(now: number, name: string, change: InterfaceChangeKind, state: InterfaceState): AnyEvent {
    const message = Object.entries(this.#messages).find(([, one]) => one.code === interfaceChange.code)
    if (message === undefined) {
      throw new MessageError([{ pointer: '', message: 'the node lists no interfaceChange in its messages' }])
    }
    // Only a transition about an address has one.
    const before = {
      ...(this.#interfaces.get(name) ?? this.#fresh()),
      family: 0,
      prefix: 0,
      address: undefined,
    } as const
    const given = Object.fromEntries(Object.entries(state).filter(([, value]) => value !== undefined))
    const whole: WholeState = { ...before, ...given }
    if (change === 'removed') this.#interfaces.delete(name)
    else this.#interfaces.set(name, whole)
    return { type: message[0], ...this.#meta(now, {}), ...whole, change, name }
  }

  #meta(now: number, { attempts, redelivered, time = now }: EventSetup) {
    const marked = redelivered ?? (attempts ?? 0) > 0
    return { seq: ++this.#seq, time, redelivered: marked, attempts: attempts ?? (marked ? 1 : 0) }
  }

  #fresh(): WholeState {
    const index = ++this.#indexes
    const last = index.toString(16).padStart(4, '0')
    const mac = `02:fe:00:00:${last.slice(0, 2)}:${last.slice(2)}`
    return { index, admin: false, link: false, mtu: 1500, mac, family: 0, prefix: 0, address: undefined }
  }
}
