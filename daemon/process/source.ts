// source.ts: what `vm.select` waits on. A source can be asked ("anything now?") and watched ("tell me when to ask
// again"); it is never a promise, because a promise that loses has already taken its value.
//
// The members are keyed by symbols that authors do not get, so the set of sources is closed and may change. They are
// registered symbols because a node module may bring its own copy of this package.

/** Answer of {@link take}: nothing now. */
export const none: unique symbol = Symbol.for('corod.source.none')
/** Answer of {@link take}: nothing any more. */
export const done: unique symbol = Symbol.for('corod.source.done')

/** Takes the next value, if there is one. Throws what the value was an error. */
export const take: unique symbol = Symbol.for('corod.source.take')
/** The coroutine asks for the next thing without taking from this source: what it had in hand is released. */
export const ask: unique symbol = Symbol.for('corod.source.ask')
/** Registers the one who is to be told that there may be something. Throws {@link ReceiverBusyError}. */
export const watch: unique symbol = Symbol.for('corod.source.watch')
/** Takes that back. */
export const unwatch: unique symbol = Symbol.for('corod.source.unwatch')

/** Who waits on a source. `wake` may be spurious; it asks again. */
export interface Watcher {
  wake(): void
}

/**
 * Something to wait on with `vm.select` or `vm.timeout`: the inbox, a channel's receiver, a timer, an `Unordered`. Unlike
 * a promise it can be waited on without taking what it has, so the loser of a select loses nothing. Its methods are the
 * runtime's own: authors do not make sources.
 */
export interface Source<out T> {
  [take](): T | typeof none | typeof done
  [ask](): void
  [watch](watcher: Watcher): void
  [unwatch](watcher: Watcher): void
}

/** What a source gives: `ValueOf<Receiver<string>>` is `string`. */
export type ValueOf<S> = S extends Source<infer T> ? T : never

/** Whether a value is a source. */
export function isSource(value: unknown): value is Source<unknown> {
  return typeof value === 'object' && value !== null && take in value
}
