// spin.ts: finds a node that goes round and round while time stands still. Without this a test of such a node would
// hang, and nobody could say where.

import type { Vm } from '../process/node.js'

/** Waits that a node may make without time passing, unless the test says otherwise. */
export const defaultLimit = 1_000_000

/** Counts what a node does at one moment of virtual time. */
export class SpinGuard {
  readonly #limit: number
  readonly #now: () => number
  #steps = 0
  /** Turns of the event loop that the node asked for and has not had: it is not at rest. */
  yields = 0

  constructor(limit: number, now: () => number) {
    this.#limit = limit
    this.#now = now
  }

  /** Time has moved, or a test asked to go on. */
  reset(): void {
    this.#steps = 0
  }

  /** The node did something that may be part of an endless loop. Throws where it does that for ever. */
  step(): void {
    if (++this.#steps <= this.#limit) return
    const text = `the node spins: ${this.#limit} waits at ${this.#now()} ms, and time did not pass`
    throw new Error(`${text}; a timer set to 0 again and again? (the "limit" of testNode allows more)`)
  }

  /** `vm`, watched. */
  watch(vm: Vm): Vm {
    const bound = new Map<PropertyKey, unknown>()
    return new Proxy(vm, {
      get: (target, key) => {
        const known = bound.get(key)
        if (known !== undefined) return known
        const value: unknown = Reflect.get(target, key, target)
        if (typeof value !== 'function') return value
        const made = this.#watched(key, value.bind(target) as (...args: unknown[]) => unknown)
        bound.set(key, made)
        return made
      },
    })
  }

  #watched(key: PropertyKey, method: (...args: unknown[]) => unknown): (...args: unknown[]) => unknown {
    if (key !== 'yield') {
      return (...args) => {
        this.step()
        return method(...args)
      }
    }
    const turned = () => {
      this.yields--
    }
    return () => {
      this.step()
      const turn = method() as Promise<void>
      this.yields++
      turn.then(turned, turned)
      return turn
    }
  }
}
