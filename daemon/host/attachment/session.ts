// session.ts: one conversation with one host, from HELLO to the end of its socket: questions and their answers.
// Who decides when to start another one is attachment.ts.
import type { HostMessage, Leave, Link, NodeAsk, SharedExecutor, SharedSlot } from '../../../shm/ring.js'
import { NodeExecutor } from '../slots/executor.js'

/** What a session needs of shm/ring.ts; tests give a fake. */
export type LinkLike = Pick<
  Link,
  | 'hello'
  | 'addExecutor'
  | 'shareExecutor'
  | 'addNode'
  | 'shareSlot'
  | 'closeNode'
  | 'removeNode'
  | 'allowSignal'
  | 'ready'
  | 'ping'
  | 'close'
> & {
  executor(...args: Parameters<Link['executor']>): ReturnType<Link['executor']>
}

export type OpenLink = (path: string, on: Parameters<typeof Link.open>[1]) => LinkLike

type Of<K extends HostMessage['kind']> = Extract<HostMessage, { kind: K }>
export type Welcome = Of<'welcome'>
export type Refused = Of<'refused'>
export type Registered = Of<'node'>

/** The host said no, with a status of shm/ring.ts; `text` says what would be right. */
export class HostRefusedError extends Error {
  readonly status: string
  constructor(status: string, text: string) {
    super(text)
    this.name = 'HostRefusedError'
    this.status = status
  }
}

/** The host is away, or went away before it answered. */
export class HostAwayError extends Error {
  constructor(message: string) {
    super(message)
    this.name = 'HostAwayError'
  }
}

export interface SessionEvents {
  /** The executor is there: nodes may be registered. */
  attached(session: Session): void
  /** The host does not want us; the session should be closed. */
  refused(message: Refused): void
  /** Any sign of life. */
  heard(): void
  /** The end, exactly once, unless `close` was called. */
  lost(reason: string): void
}

interface Asked {
  resolve(message: HostMessage): void
  reject(error: Error): void
}

const executorId = 0

/** A conversation. Every promise it gave rejects with HostAwayError when it ends. */
export class Session {
  readonly #link: LinkLike
  readonly #on: SessionEvents
  readonly #asked = new Map<number, Asked>()
  readonly #signals: readonly string[]
  readonly #spin: number
  #calls = 0
  #welcome: Welcome | undefined
  #executor: NodeExecutor | undefined
  readonly #executors = new Set<number>()
  #ended = false

  /**
   * Connects and says HELLO. `spin`: milliseconds that this thread looks for events before it sleeps.
   * @throws RingError if nobody is there.
   */
  constructor(open: OpenLink, path: string, program: string, signals: readonly string[], on: SessionEvents, spin = 0) {
    this.#spin = spin
    this.#on = on
    this.#signals = signals
    this.#link = open(path, { message: message => this.#message(message), closed: reason => this.#lost(reason) })
    this.#link.hello(program)
  }

  /** Defined once attached. */
  get welcome(): Welcome {
    if (this.#welcome === undefined) throw new HostAwayError('the host has not answered yet')
    return this.#welcome
  }

  /** Defined once attached. */
  get executor(): NodeExecutor {
    if (this.#executor === undefined) throw new HostAwayError('the host has not answered yet')
    return this.#executor
  }

  /** Registers a node. Questions are pipelined: ask for many, then wait. @throws HostRefusedError, HostAwayError */
  register(ask: NodeAsk): Promise<Registered> {
    return this.#ask('node', call => this.#link.addNode(call, ask))
  }

  /** Asks the host for another executor, of a worker thread; once for each number. @throws HostRefusedError, HostAwayError */
  async addExecutor(id: number): Promise<void> {
    if (this.#executors.has(id)) return
    if (this.#welcome !== undefined && id >= this.#welcome.maxExecutors) {
      const text = `the host has doorbells for ${this.#welcome.maxExecutors} threads: let nodes share executors`
      throw new HostRefusedError('LIMIT', text)
    }
    await this.#ask('executor', call => this.#link.addExecutor(call, id))
    this.#executors.add(id)
  }

  /** An executor for another thread. @throws RingError */
  shareExecutor(id: number): SharedExecutor {
    return this.#link.shareExecutor(id)
  }

  /** A slot for the thread that has its executor. @throws RingError */
  shareSlot(slot: number): SharedSlot {
    return this.#link.shareSlot(slot)
  }

  /** The host broke the contract, as another thread saw it: ends the session. */
  fault(text: string): void {
    this.#lost(`the host broke the contract: ${text}`)
  }

  /** Closes a node to its senders; its inbox ends behind what they had sent. */
  async closeNode(slot: number, generation: number): Promise<void> {
    await this.#ask('nodeClosed', call => this.#link.closeNode(call, slot, generation))
  }

  /** Gives a node back; its slot must not be touched any more. The number of events that were discarded. */
  async remove(slot: number, generation: number, how: Leave): Promise<number> {
    this.#executor?.unbind(slot)
    const { discarded } = await this.#ask('removed', call => this.#link.removeNode(call, slot, generation, how))
    return discarded
  }

  /** Lets commands signal a native process node from now on. @throws HostRefusedError, HostAwayError */
  async allow(name: string): Promise<void> {
    await this.#ask('ready', call => this.#link.allowSignal(call, name))
  }

  /** Ends registration: nodes of an earlier attachment that were not claimed are removed. */
  ready(): Promise<Of<'ready'>> {
    return this.#ask('ready', call => this.#link.ready(call))
  }

  ping(): Promise<Of<'pong'>> {
    return this.#ask('pong', call => this.#link.ping(call))
  }

  /** Ends it from our side; `lost` is not called. */
  close(reason: string): void {
    if (!this.#ended) this.#end(reason)
  }

  #ask<K extends HostMessage['kind']>(kind: K, put: (call: number) => void): Promise<Of<K>> {
    if (this.#ended) return Promise.reject(new HostAwayError('the host is away'))
    const call = ++this.#calls
    return new Promise<Of<K>>((resolve, reject) => {
      this.#asked.set(call, {
        reject,
        resolve: message =>
          message.kind === kind
            ? resolve(message as Of<K>)
            : reject(new HostRefusedError('MALFORMED', `the host answered ${kind} with ${message.kind}`)),
      })
      put(call)
    })
  }

  #message(message: HostMessage): void {
    if (this.#ended) return
    this.#on.heard()
    if (message.kind === 'welcome') this.#welcomed(message)
    else if (message.kind === 'refused') this.#on.refused(message)
    else this.#answered(message)
  }

  #answered(message: Exclude<HostMessage, Welcome | Refused>): void {
    const asked = this.#asked.get(message.call)
    this.#asked.delete(message.call)
    if (message.kind === 'failed') asked?.reject(new HostRefusedError(message.status, message.text))
    else asked?.resolve(message)
  }

  #welcomed(welcome: Welcome): void {
    this.#welcome = welcome
    const executor = this.#ask('executor', call => this.#link.addExecutor(call, executorId))
    const signals = this.#signals.map(name => this.#ask('ready', call => this.#link.allowSignal(call, name)))
    Promise.all([executor, ...signals]).then(
      () => this.#attach(welcome),
      error => this.#lost(`the host refused the attachment: ${error.message}`),
    )
  }

  #attach(welcome: Welcome): void {
    if (this.#ended) return
    try {
      this.#executor = new NodeExecutor(
        onWake => this.#link.executor(executorId, onWake, { spin: this.#spin }),
        welcome.maxEvent,
        error => this.#lost(`the host broke the contract: ${error instanceof Error ? error.message : error}`),
      )
    } catch (error) {
      this.#lost(error instanceof Error ? error.message : String(error))
      return
    }
    this.#on.attached(this)
  }

  #lost(reason: string): void {
    if (this.#ended) return
    this.#end(reason)
    this.#on.lost(reason)
  }

  #end(reason: string): void {
    this.#ended = true
    this.#executor?.detach()
    this.#link.close()
    const asked = [...this.#asked.values()]
    this.#asked.clear()
    for (const one of asked) one.reject(new HostAwayError(reason))
  }
}
