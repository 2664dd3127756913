// fake-link.ts: the attach socket's far end, driven by a test.
import type { LinkLike, OpenLink } from '../../daemon/host/attachment/session.js'
import { type HostMessage, type NodeAsk, RingError } from '../../shm/ring.js'
import { FakeRing } from './fake-ring.js'

export const welcome: HostMessage = {
  kind: 'welcome',
  version: 1,
  hostPid: 4711,
  epoch: 0xabcn,
  host: 'fake',
  release: '1.2',
  maxNodes: 10,
  maxExecutors: 1,
  maxEvent: 4096,
}

/** One connection as the host sees it. It answers as a good host does, unless told to be silent. */
export class FakeLink implements LinkLike {
  readonly ring = new FakeRing()
  readonly asked: { readonly kind: string; readonly call: number; readonly what?: unknown }[] = []
  readonly program: string[] = []
  readonly on: Parameters<OpenLink>[1]
  closed = 0
  silent = false
  #slots = 0

  constructor(on: Parameters<OpenLink>[1]) {
    this.on = on
  }

  say(message: HostMessage): void {
    // Never from inside a question: the real one answers from the loop.
    setImmediate(() => this.closed === 0 && this.on.message(message))
  }

  /** The host dies. */
  die(reason = 'the host closed the connection'): void {
    this.closed++
    this.on.closed(reason)
  }

  hello(program: string): void {
    this.program.push(program)
    if (!this.silent) this.say(welcome)
  }

  addExecutor(call: number, id: number): void {
    this.#ask('executor', call, { kind: 'executor', call, id })
  }

  addNode(call: number, ask: NodeAsk): void {
    const slot = ++this.#slots
    this.#ask(
      'node',
      call,
      { kind: 'node', call, slot, generation: 5, node: 100 + slot, carried: 0, seq: 0n },
      ask.name,
    )
  }

  closeNode(call: number, slot: number): void {
    this.#ask('close', call, { kind: 'nodeClosed', call, slot, waiting: 3 }, slot)
  }

  removeNode(call: number, slot: number): void {
    this.#ask('remove', call, { kind: 'removed', call, slot, discarded: 2 }, slot)
  }

  allowSignal(call: number, node: string): void {
    this.#ask('signal', call, { kind: 'ready', call, removed: 0, discarded: 0 }, node)
  }

  ready(call: number): void {
    this.#ask('ready', call, { kind: 'ready', call, removed: 0, discarded: 0 })
  }

  ping(call: number): void {
    this.#ask('ping', call, { kind: 'pong', call })
  }

  shareExecutor(id: number): { executor: number; token: number } {
    return { executor: id, token: 1000 + id }
  }

  shareSlot(slot: number): { slot: number; executor: number; token: number } {
    return { slot, executor: 1, token: slot }
  }

  executor(_id: number, onWake: (count: number) => void): never {
    this.ring.wake = onWake
    return this.ring as never
  }

  close(): void {
    this.closed++
  }

  #ask(kind: string, call: number, answer: HostMessage, what?: unknown): void {
    this.asked.push({ kind, call, what })
    if (!this.silent) this.say(answer)
  }
}

/** Opens fake links; `absent` is thrown instead of opening one. */
export class FakeHost {
  readonly links: FakeLink[] = []
  attempts = 0
  absent: RingError | undefined
  prepare: (link: FakeLink) => void = () => {}

  readonly open: OpenLink = (_path, on) => {
    this.attempts++
    if (this.absent !== undefined) throw this.absent
    const link = new FakeLink(on)
    this.prepare(link)
    this.links.push(link)
    return link
  }

  get last(): FakeLink {
    return this.links.at(-1)!
  }
}

export const noSocket = new RingError('ENOENT', 'cannot connect: no such file')
