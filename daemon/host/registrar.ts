// registrar.ts: from the host's answer to a registration to a node's binding on its executor, and what is known by
// name while an attachment lasts: bindings, places, the sender. Which nodes there are, and why, is the daemon's.
import type { Leave } from '../../shm/ring.js'
import type { Log } from '../process/node.js'
import { NodeBinding, type Place } from './binding.js'
import type { Directory } from './directory.js'
import type { InboxCounts, InboxOptions } from './inbox.js'
import { Letters } from './letters.js'
import type { Lives } from './lives.js'
import type { LoadedNode } from './loader.js'
import { Sender } from './sender.js'
import type { Session } from './session.js'
import type { Binding, Register } from './supervisor.js'

/** A node that wants a place, over all attachments. */
export interface Tenant {
  readonly loaded: LoadedNode
  readonly counts: InboxCounts
  /** Makes its coroutines. */
  readonly lives: Lives
  /** Whether transitions of the interface of that name reach it. */
  readonly wanted: (name: string) => boolean
  readonly log: Log
}

/** A node that has one. */
export interface Bound {
  readonly binding: Binding
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
}

interface Attached {
  readonly session: Session
  readonly sender: Sender
}

/** The registrations of one daemon, one attachment after the other. */
export class Registrar {
  readonly #services: RegistrarServices
  readonly #bound = new Map<string, Given & { readonly binding: NodeBinding }>()
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
    if (how === 'discard' && this.#bound.get(name) === bound) this.#bound.delete(name)
    return session.remove(place.slot, place.generation, how)
  }

  /** There is a host. */
  attach(session: Session): void {
    this.#attached = { session, sender: new Sender(session.executor) }
  }

  /** How the supervisor of `tenant` gets it registered with the present host. */
  register(tenant: Tenant): Register {
    const session = this.#attached?.session
    if (session === undefined) throw new Error('there is no host to register a node with')
    const { loaded, lives, log, counts, wanted } = tenant
    const { now, directory } = this.#services
    return async ask => {
      const place = await session.register(ask).finally(() => {
        // When its supervisor has heard of it.
        setImmediate(() => directory.settle(ask.name))
      })
      if (place.carried > 0) log.info({ carried: place.carried }, `${place.carried} events were waiting`)
      const { name, deadLetters } = loaded.config
      const letters = deadLetters && new Letters(name, deadLetters, counts, log)
      const inbox = { counts, wanted, letters, rejected: rejections(log, counts) }
      const binding: NodeBinding = new NodeBinding(loaded, place, session.executor, inbox, {
        now,
        log,
        runtime: port => lives.begin(port),
        close: ({ slot, generation }) => session.closeNode(slot, generation),
        remove: (_, how) => this.#give(ask.name, given, how),
        directory,
      })
      const given = { binding, place, session, left: undefined }
      this.#bound.set(ask.name, given)
      return binding
    }
  }

  /** The host is gone: bindings lead nowhere, what waits for outcomes fails with `reason`. */
  detach(reason: string): void {
    this.#attached?.sender.detach(reason)
    this.#attached = undefined
    for (const { binding } of this.#bound.values()) binding.detach(reason)
    this.#bound.clear()
  }
}

function rejections(log: Log, counts: InboxCounts): InboxOptions['rejected'] {
  return (error, seq, kept) => {
    // The first of them, the second, the fourth: a sender that is wrong is wrong often.
    if ((counts.rejected & (counts.rejected - 1)) !== 0) return
    const text = error instanceof Error ? error.message : String(error)
    const what = kept ? 'does not fit and is a dead letter now' : 'was skipped'
    log.warn({ seq, rejected: counts.rejected }, `an event ${what}: ${text}`)
  }
}
