// select.ts: waiting on several sources at once, or on one with a deadline. Takes from the winner only.

import type { Clock } from './clock.js'
import { invalid, TimeoutError } from './errors.js'
import { ask, done, isSource, none, type Source, take, unwatch, type ValueOf, type Watcher, watch } from './source.js'
import { type Scope, Wait } from './waits.js'
import { noRow } from './wheel.js'

/** Sources by name, for `vm.select`. Their order is the priority: of several that are ready the first named wins. */
export type Sources = Readonly<Record<string, Source<unknown>>>

/** What one source of a `vm.select` gives. */
export interface SelectedSource<out Name, out Done, out Value> {
  /** The name of the source that won. */
  readonly source: Name
  /** The source has ended: it is closed, and nothing is left in it. */
  readonly done: Done
  /** What it gave; undefined if it has ended. */
  readonly value: Value
}

/**
 * What `vm.select` gives: the name of the source that won, and its value, or `done` if that source has ended. A union,
 * told apart by `source` and `done`.
 */
export type Selected<S extends Sources> = {
  [Name in keyof S & string]: SelectedSource<Name, false, ValueOf<S[Name]>> | SelectedSource<Name, true, undefined>
}[keyof S & string]

type AnySelected = { source: string; done: boolean; value: unknown }

/** Refuses what is no source, above all promises: one that loses a select has taken its value already. */
function checkSources(sources: Sources): void {
  for (const name in sources) {
    if (isSource(sources[name])) continue
    throw invalid(
      `"${name}" is not a source: select takes node.inbox, timers, receivers and Unordered; put promises into an Unordered`,
    )
  }
}

/** See `Vm.select`. */
export function select<S extends Sources>(scope: Scope, sources: S): Promise<Selected<S>> {
  if (scope.stopped !== undefined) return scope.refuse(scope.stopped)
  try {
    checkSources(sources)
    const won = poll(sources) as Selected<S> | undefined
    if (won === undefined) return new Selecting<S>(scope, sources).promise
    return won.done ? scope.end(won) : Promise.resolve(won)
  } catch (error) {
    return Promise.reject(error)
  }
}

// Takes from the first source that has something. The others are asked, so that they release what was in hand.
function poll(sources: Sources): AnySelected | undefined {
  let won: AnySelected | undefined
  for (const name in sources) {
    const source = sources[name] as Source<unknown>
    if (won !== undefined) {
      source[ask]()
      continue
    }
    const value = source[take]()
    if (value !== none) won = { source: name, done: value === done, value: value === done ? undefined : value }
  }
  return won
}

// All sources of a select that waits, or none: who finds a busy one takes everything back.
function watchAll(sources: Sources, watcher: Watcher): void {
  const watched: Source<unknown>[] = []
  try {
    for (const name in sources) {
      const source = sources[name] as Source<unknown>
      source[watch](watcher)
      watched.push(source)
    }
  } catch (error) {
    for (const source of watched) source[unwatch](watcher)
    throw error
  }
  if (watched.length === 0) throw invalid('select without a source would never end')
}

class Selecting<S extends Sources> extends Wait<Selected<S>> implements Watcher {
  readonly #sources: S

  constructor(scope: Scope, sources: S) {
    super(scope)
    this.#sources = sources
    watchAll(sources, this)
    this.enter()
  }

  wake(): void {
    try {
      const won = poll(this.#sources) as Selected<S> | undefined
      if (won !== undefined) this.resolve(won)
    } catch (error) {
      this.reject(error)
    }
  }

  protected release(): void {
    for (const name in this.#sources) this.#sources[name]![unwatch](this)
  }
}

/** See `Vm.timeout`, the form with a source. A value that is there wins even if the deadline has passed. */
export function receiveBefore<T>(scope: Scope, clock: Clock, ms: number, source: Source<T>): Promise<T | undefined> {
  try {
    const value = source[take]()
    if (value !== none) return Promise.resolve(value === done ? undefined : value)
    if (ms <= 0) return Promise.reject(scope.blame(new TimeoutError()))
    return new ReceivingBefore<T>(scope, clock, ms, source).promise
  } catch (error) {
    return Promise.reject(error)
  }
}

class ReceivingBefore<T> extends Wait<T | undefined> implements Watcher {
  readonly #clock: Clock
  readonly #source: Source<T>
  #alarm = noRow

  constructor(scope: Scope, clock: Clock, ms: number, source: Source<T>) {
    super(scope)
    this.#clock = clock
    this.#source = source
    source[watch](this)
    const now = clock.now()
    this.#alarm = clock.set(this, now + ms, now)
    this.enter()
  }

  wake(): void {
    try {
      const value = this.#source[take]()
      if (value !== none) this.resolve(value === done ? undefined : value)
    } catch (error) {
      this.reject(error)
    }
  }

  expire(): void {
    this.#alarm = noRow
    this.reject(new TimeoutError())
  }

  protected release(): void {
    this.#source[unwatch](this)
    this.#clock.clear(this.#alarm)
    this.#alarm = noRow
  }
}
