// registrar.ts: from the host's answer to a registration to a node's binding on its executor, and what is known by
// name while an attachment lasts: bindings, places, the sender. Which nodes there are, and why, is the daemon's.
import type { Leave } from '../../shm/ring.js'
import type { Session } from './attachment/session.js'
import { bindNode, type Tenant } from './slots/bind.js'
import type { Place } from './slots/binding.js'
import type { Directory } from './slots/directory.js'
import { Sender } from './slots/sender.js'
import type { Binding, Register } from './supervisor.js'
import type { Executors } from './threads/executors.js'

export type { Tenant } from './slots/bind.js'

/** A node that has one. */
export interface Bound {
  readonly binding: Binding & { detach(reason: string): void }
  readonly place: Place
}

interface Given extends Bound {
  readonly session: Session
  /** How it was given back to the host, which still has it. */
  left: Leave | undefined
}

export interface RegistrarServices {
  /** CLOCK_MONOTONIC milliseconds. */
  readonly now: () => number
  /** Where nodes find their peers; told when a registration has an answer. */
  readonly directory: Directory
  readonly executors: Executors
}

interface Attached {
  readonly session: Session
  readonly sender: Sender
}

/** The registrations of one daemon, one attachment after the other. */
export class Registrar {
  readonly #services: RegistrarServices
  readonly #bound = new Map<string, Given>()
  #attached: Attached | undefined

  constructor(services: RegistrarServices) {
    this.#services = services
  }

  /** Sends events from outside; undefined: the host is away. */
  get sender(): Sender | undefined {
    return this.#attached?.sender
  }

  /** What tells one attachment from another; undefined: the host is away. */
  get attachment(): object | undefined {
    return this.#attached
  }

  /**
   * The last place that the node of that name got in this attachment, also if it was given back to be kept there.
   * Whether it still has it, its supervisor knows.
   */
  bound(name: string): Bound | undefined {
    return this.#bound.get(name)
  }

  /**
   * Gives back what the host has under that name in this attachment; nothing may run on it any more. The number of
   * events that were discarded. @throws HostAwayError, HostRefusedError
   */
  async release(name: string, how: Leave): Promise<number> {
    const bound = this.#bound.get(name)
    if (bound === undefined || bound.left === how) return 0
    return bound.left === undefined ? bound.binding.remove(how) : this.#give(name, bound, how)
  }

  #give(name: string, bound: Given, how: Leave): Promise<number> {
    const { session, place } = bound
    bound.left = how
    if (how === 'discard' && this.#bound.get(name) === bound) {
      this.#bound.delete(name)
      this.#services.executors.place(name, undefined)
    }
    return session.remove(place.slot, place.generation, how)
  }

  /** There is a host. */
  attach(session: Session): void {
    this.#attached = { session, sender: new Sender(session.executor) }
    this.#services.executors.attach(session)
  }

  /** How the supervisor of `tenant` gets it registered with the present host. */
  register(tenant: Tenant): Register {
    const session = this.#attached?.session
    if (session === undefined) throw new Error('there is no host to register a node with')
    const { loaded, log } = tenant
    const { now, directory, executors } = this.#services
    return async (ask, supervisor) => {
      // What it had before on an executor that has died is its own again, with its queue.
      await this.#release(ask.name, session)
      const worker = executors.of(loaded.config)
      await executors.ready(loaded.config, session)
      const wanted = { ...ask, executor: worker?.plan.id ?? ask.executor }
      const place = await session.register(wanted).finally(() => {
        // When its supervisor has heard of it.
        setImmediate(() => directory.settle(ask.name))
      })
      if (place.carried > 0) log.info({ carried: place.carried }, `${place.carried} events were waiting`)
      const ways = {
        close: ({ slot, generation }: Place) => session.closeNode(slot, generation),
        remove: (_: Place, how: Leave) => this.#give(ask.name, given, how),
      }
      const binding =
        worker?.bind(tenant, place, supervisor, ways) ??
        bindNode(tenant, place, session.executor, { now, directory, ...ways })
      const given: Given = { binding, place, session, left: undefined }
      this.#bound.set(ask.name, given)
      executors.place(ask.name, place)
      return binding
    }
  }

  /** Other settings for a node that goes on. */
  adjust(tenant: Tenant): void {
    this.#services.executors.of(tenant.loaded.config)?.adjust(tenant)
  }

  async #release(name: string, session: Session): Promise<void> {
    const bound = this.#bound.get(name)
    if (bound?.session === session && bound.left === undefined) await bound.binding.remove('keep')
  }

  /** The host is gone: bindings lead nowhere, what waits for outcomes fails with `reason`. */
  detach(reason: string): void {
    this.#attached?.sender.detach(reason)
    this.#attached = undefined
    this.#services.executors.detach(reason)
    for (const { binding } of this.#bound.values()) binding.detach(reason)
    this.#bound.clear()
  }
}
