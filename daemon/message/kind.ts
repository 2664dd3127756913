// kind.ts: what a kind of field is. A kind is all that the project knows about a field: its place in the record, its
// TypeScript type, what it takes from outside, its JSON Schema and its C declaration.

import { endianness } from 'node:os'

/** Records are in the byte order of the machine: both ends are on it. */
export const littleEndian = endianness() === 'LE'

/** Payload bytes of the largest event: COROD_MAX_EVENT of shm/layout.h; a test compares them. */
export const maxEvent = 4096

/** A JSON Schema, as plain data. */
export type Schema = Readonly<Record<string, unknown>>

/** Whatever JSON can say: the values of the kind `json`. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue }

/**
 * The kind of one field, with values of type `T`: `u8`, `ip4`, `text(16)`, and so on. Authors put them into message tables;
 * what they can do is the codec's own.
 */
export interface Kind<out T = unknown> {
  /** As written in a table: `u8`, `text(16)`. */
  readonly name: string
  /** Bytes in the record. Of `json`, the bytes before the text. */
  readonly size: number
  /** @internal Whether bytes of any number follow: only `json`, only as the last field. */
  readonly open: boolean
  /** @internal The values as JSON has them. */
  readonly schema: Schema
  /** @internal The declaration of a field `name` in a packed C struct, without the final semicolon; and a remark, if it needs one. */
  c(name: string): { readonly declaration: string; readonly remark?: string }
  /** @internal The value at `offset`; the record ends at `end`. Throws {@link Misfit} for bytes that are no such value. */
  read(view: DataView, offset: number, end: number): T
  /** @internal Checks a value (as TypeScript or JSON has it) and makes it ready for {@link write}. Throws {@link Misfit}. */
  prepare(value: unknown): unknown
  /** @internal Bytes beyond `size` that a prepared value takes: 0 unless `open`. */
  extra(prepared: unknown): number
  /** @internal Writes what `prepare` gave. The bytes there are zero. */
  write(view: DataView, offset: number, prepared: unknown): void
}

/** The TypeScript type of a field of kind `K`: `ValueOfKind<typeof u64>` is `bigint`. */
export type ValueOfKind<K> = K extends Kind<infer T> ? T : never

/** The fields of a message, in the order of the record: `{ dest: ip4, label: text(16) }`. */
export type Fields = Readonly<Record<string, Kind>>

/** A kind made by `choice()`. */
export interface ChoiceKind<out T = unknown> extends Kind<T> {
  /** The words, in the order of their numbers from 0. */
  readonly choices: readonly string[]
}
