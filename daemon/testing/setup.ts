// setup.ts: what a test says when it starts a node and sends to it, typed by the node's definition.

import type { InterfaceChangeKind } from '../message/interface.js'
import type { Call, FieldValues, HostMessage, Message, Messages } from '../message/message.js'
import type { RecordSink } from '../record/recorder.js'
import type { CliScript } from './cli.js'
import type { EventSetup, InterfaceState } from './events.js'

/** How `testNode()` is to run a node. */
export interface NodeSetup {
  /** What the YAML has under `options`; checked by the node's schema if it declares one. Default: `{}`. */
  readonly options?: Readonly<Record<string, unknown>>
  /** Its name. Default: `test`. */
  readonly name?: string
  /** Answers of the host's CLI, by command; more with `kit.onCli`. */
  readonly cli?: Readonly<Record<string, CliScript>>
  /** What `vm.now()` says at first, in milliseconds. Default: 1000000. */
  readonly start?: number
  /** So many waits without any time passing are an endless loop, and fail the node. Default: 1000000. */
  readonly limit?: number
  /** Gets a recording of each life of the node, for `replay()`. */
  readonly record?: RecordSink
}

/** The names of the messages that somebody may send: of all but `interfaceChange`, which comes from the host. */
export type Sendable<M extends Messages> = {
  [Type in keyof M & string]: M[Type] extends HostMessage ? never : Type
}[keyof M & string]

/** The names of the messages that were made by `call()`. */
export type Callable<M extends Messages> = {
  [Type in keyof M & string]: M[Type] extends Call ? Type : never
}[keyof M & string]

/** The fields of a message, as a test gives them. */
export type FieldsOf<M> = M extends Message<infer F> ? FieldValues<F> : never

/** What comes after the name of a message: its fields, which may be left out if it has none; and `Rest`. */
export type FieldArguments<M, Rest extends readonly unknown[] = []> =
  M extends Message<infer F>
    ? [keyof F] extends [never]
      ? [fields?: FieldValues<F>, ...rest: Rest]
      : [fields: FieldValues<F>, ...rest: Rest]
    : never

/** What `send` takes. */
export type SendArguments<M> = FieldArguments<M, [setup?: EventSetup]>

/** What a transition is told by; nothing that one could write if the node takes none. */
export type TransitionArguments<M extends Messages> = [keyof M & string] extends [Sendable<M>]
  ? [missing: never]
  : [name: string, change: InterfaceChangeKind, state?: InterfaceState]
