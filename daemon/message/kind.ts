// kind.ts: what a kind of field is. A kind is all that the project knows about a field: its place in the record, its
// TypeScript type, what it takes from outside, its JSON Schema and its C declaration.

import { endianness } from 'node:os'

/** Records are in the byte order of the machine: both ends are on it. */
export const littleEndian = endianness() === 'LE'

/** Payload bytes of the largest event: COROD_MAX_EVENT of shm/layout.h; a test compares them. */
export const maxEvent = 4096

/** A JSON Schema, as plain data. */
export type Schema = Readonly<Record<string, unknown>>

/** Whatever JSON can say. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue }

/**
 * The kind of one field. Made by the functions and constants of `fields.ts`; authors pass them around and never call
 * their methods.
 */
export interface Kind<out T = unknown> {
  /** As written in a table: `u8`, `text(16)`. */
  readonly name: string
  /** Bytes in the record. Of `json`, the bytes before the text. */
  readonly size: number
  /** Whether bytes of any number follow: only `json`, only as the last field. */
  readonly open: boolean
  readonly schema: Schema
  /** The declaration of a field `name` in a packed C struct, without the final semicolon; and a remark, if it needs one. */
  c(name: string): { readonly declaration: string; readonly remark?: string }
  /** The value at `offset`; the record ends at `end`. Throws {@link Misfit} for bytes that are no such value. */
  read(view: DataView, offset: number, end: number): T
  /** Checks a value (as TypeScript or JSON has it) and makes it ready for {@link write}. Throws {@link Misfit}. */
  prepare(value: unknown): unknown
  /** Bytes beyond `size` that a prepared value takes: 0 unless `open`. */
  extra(prepared: unknown): number
  /** Writes what `prepare` gave. The bytes there are zero. */
  write(view: DataView, offset: number, prepared: unknown): void
}

/** The TypeScript type of a field of kind `K`. */
export type ValueOfKind<K> = K extends Kind<infer T> ? T : never

/** A table of fields, in the order of the record. */
export type Fields = Readonly<Record<string, Kind>>

/** The names of the fields of choices of a kind made by `choice`, for the C header. */
export interface ChoiceKind<out T = unknown> extends Kind<T> {
  readonly choices: readonly string[]
}
