// vm.ts: the `vm` of one life of a node.

import { type ChannelReceiver, channelIn, type Sender } from './channel.js'
import { type Clock, duration } from './clock.js'
import { CliError, invalid, NodeStoppedError } from './errors.js'
import type { Vm } from './node.js'
import type { NodePort } from './port.js'
import { receiveBefore, type Selected, type Sources, select } from './select.js'
import { isSource, type Source } from './source.js'
import { NodeTimer, Sleep, type Timer } from './timer.js'
import { Unordered } from './unordered.js'
import type { Scope } from './waits.js'
import { Turn, Work } from './work.js'

/** Implements {@link Vm}. Every wait it starts is of one scope, so that stopping the node ends them all. */
export class NodeVm implements Vm {
  readonly #port: Pick<NodePort<unknown>, 'cli' | 'late'>
  readonly #scope: Scope
  readonly #clock: Clock
  // Made when first asked for: a thousand nodes that never look at it pay nothing.
  #abort: AbortController | undefined

  constructor(port: Pick<NodePort<unknown>, 'cli' | 'late'>, scope: Scope, clock: Clock) {
    this.#port = port
    this.#scope = scope
    this.#clock = clock
  }

  get signal(): AbortSignal {
    if (this.#abort === undefined) {
      this.#abort = new AbortController()
      if (this.#scope.stopped !== undefined) this.#abort.abort(this.#scope.stopped)
    }
    return this.#abort.signal
  }

  /** The scope was stopped: tells those who listen to the signal. */
  stopped(): void {
    this.#abort?.abort(this.#scope.stopped)
  }

  now(): number {
    return this.#clock.now()
  }

  sleep(ms: number): Promise<void> {
    return this.#start(() => (duration(ms) <= 0 ? Promise.resolve() : new Sleep(this.#clock, this.#scope, ms).promise))
  }

  timer(ms?: number): Timer {
    const timer = new NodeTimer(this.#clock)
    if (ms !== undefined) timer.set(ms)
    return timer
  }

  timeout<T>(ms: number, source: Source<T>): Promise<T | undefined>
  timeout<T>(ms: number, work: (signal: AbortSignal) => Promise<T>, late?: (result: T) => void): Promise<T>
  timeout<T>(
    ms: number,
    from: Source<T> | ((signal: AbortSignal) => Promise<T>),
    late?: (result: T) => void,
  ): Promise<T | undefined> {
    return this.#start<T | undefined>(() => {
      duration(ms)
      if (isSource(from)) return receiveBefore(this.#scope, this.#clock, ms, from as Source<T>)
      if (typeof from !== 'function') {
        throw invalid('timeout takes a source, or a function that gets a signal and returns a promise')
      }
      return new Work<T>(this.#scope, this.#clock, ms, from, result => {
        this.#port.late()
        late?.(result)
      }).promise
    })
  }

  select<const S extends Sources>(sources: S): Promise<Selected<S>> {
    return select(this.#scope, sources)
  }

  cli(command: string, options: { readonly signal?: AbortSignal } = {}): Promise<string> {
    return this.#start(async () => {
      if (typeof command !== 'string' || command.trim() === '' || /[\0\n]/.test(command)) {
        throw invalid('a command is one line of text')
      }
      const { signal } = options
      signal?.throwIfAborted()
      const start = (aborted: AbortSignal) => this.#port.cli(command, aborted)
      const late = () => this.#port.late()
      try {
        return await new Work<string>(this.#scope, this.#clock, Number.POSITIVE_INFINITY, start, late, signal).promise
      } catch (error) {
        if (error instanceof CliError || error instanceof NodeStoppedError || signal?.aborted === true) throw error
        const text = error instanceof Error ? error.message : String(error)
        throw this.#scope.blame(new CliError(command, 'CLI_FAILED', text, '', { cause: error }))
      }
    })
  }

  yield(): Promise<void> {
    return this.#start(() => new Turn(this.#scope).promise)
  }

  channel<T extends NonNullable<unknown>>(): [Sender<T>, ChannelReceiver<T>] {
    return channelIn<T>(this.#scope)
  }

  unordered<T>(promises: Iterable<PromiseLike<T>> = []): Unordered<T> {
    return new Unordered(promises, { signal: this.signal })
  }

  // Starts a wait. A stopped node, and an argument that cannot be right, reject like anything else that fails later.
  #start<T>(wait: () => Promise<T>): Promise<T> {
    if (this.#scope.stopped !== undefined) return this.#scope.refuse(this.#scope.stopped)
    try {
      return wait()
    } catch (error) {
      return Promise.reject(error)
    }
  }
}
