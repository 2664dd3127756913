// kit.ts: what a test of a node holds in its hands. Only types and convenience: stage.ts does the work.

import type { InterfaceChangeKind } from '../message/interface.js'
import type { AnyEvent, Messages } from '../message/message.js'
import type { DefinedNode, ProcessNode } from '../process/node.js'
import type { MessagesOfPeer, Peers, ReplyTo } from '../process/peers.js'
import type { RunResult } from '../process/runtime.js'
import type { CliScript } from './cli.js'
import { EventMaker, type InterfaceState } from './events.js'
import { ObservedNode } from './observed.js'
import { checkedOptions } from './options.js'
import type { NamesOf, PeerScript, ScriptFor } from './peers.js'
import type { CallAnswer, PendingCall } from './questions.js'
import type { Callable, FieldArguments, NodeSetup, SendArguments, Sendable, TransitionArguments } from './setup.js'
import { scriptedSignals } from './signals.js'
import { defaultLimit } from './spin.js'
import { Stage } from './stage.js'

/**
 * Starts a node in memory: the real runtime on a clock that stands until the test moves it, with commands that are
 * written down and go nowhere. Resolves when the node waits for the first time, or has ended.
 *
 * @example
 * await using kit = await testNode(beacon, { options: { every: 100 } })
 * kit.send('enable', { dest: '198.51.100.7' })
 * await kit.advance(1000)
 * assert.equal(kit.counters.sent, 11)
 * @throws the node's error, if it fails at once; OptionsError for options that its schema refuses.
 */
export async function testNode<
  const M extends Messages,
  const Next extends string,
  const Counter extends string,
  Data,
  Options,
  P extends Peers = Record<never, never>,
  const Signalled extends string = never,
>(
  definition: DefinedNode<M, Next, Counter, Data, Options, P, Signalled>,
  setup: NodeSetup = {},
): Promise<NodeKit<M, Next, Counter, P>> {
  const options = await checkedOptions(definition.options, setup.options ?? {})
  const kit = new NodeKit<M, Next, Counter, P>(definition as ProcessNode, setup, options)
  await kit.settle()
  return kit
}

/** A node under test. Made by `testNode()`; make it with `await using`, so that it ends with the test. */
export class NodeKit<
    M extends Messages = Messages,
    Next extends string = string,
    Counter extends string = string,
    P extends Peers = Peers,
  >
  extends ObservedNode<M, Next, Counter, P>
  implements AsyncDisposable
{
  readonly #events: EventMaker
  readonly #lostSignals = new Map<string, string>()
  // The failure that a method has thrown.
  #told: RunResult | undefined

  /** @internal For {@link testNode}. `options` are checked. */
  constructor(definition: ProcessNode, setup: NodeSetup, options: unknown) {
    const { name = 'test', start = 1_000_000, limit = defaultLimit, record } = setup
    super(new Stage(definition, { name, options, start, limit, record }))
    this.stage.port.signalled = scriptedSignals(this.#lostSignals)
    this.#events = new EventMaker(definition.messages, this.stage.compiled.table)
    for (const [command, script] of Object.entries(setup.cli ?? {})) this.onCli(command, script)
  }

  // ---- what the node gets

  /**
   * Sends an event. It arrives when the test goes on (`settle`, `advance`, …), together with all others that were sent
   * until then: as one batch, in their order.
   *
   * @param type one of the messages of the node.
   * @param fields the fields of that message; left out if it has none.
   * @param setup whether it is redelivered, and the like.
   * @returns its sequence number.
   * @throws MessageError for fields that do not fit; Error if the node has ended, or its inbox was closed.
   */
  send<Type extends Sendable<M>>(type: Type, ...[fields, setup]: SendArguments<M[Type]>): bigint {
    return this.#put(this.#events.make(this.now, type, fields, setup))
  }

  /**
   * Sends an event whose sender waits for the reply, for a message that was made with `call`. It arrives like one of
   * `send`.
   *
   * @param type one of the messages that were made by `call()`.
   * @param fields the fields of that message; left out if it has none.
   * @returns the call: its `answer` is there when the node has given one.
   * @throws MessageError for fields that do not fit; Error if the node has ended, or its inbox was closed.
   */
  call<Type extends Callable<M>>(type: Type, ...[fields]: FieldArguments<M[Type]>): PendingCall<ReplyTo<M[Type]>> {
    const { book, calls } = this.stage.port
    const { event, call } = this.#events.call(this.now, type, fields, ({ seq }, answer) =>
      book.answer(this.now, seq, answer),
    )
    const seq = this.#put(event)
    calls.add(event, call)
    return {
      seq,
      get answer() {
        return call.answer as CallAnswer<ReplyTo<M[Type]>> | undefined
      },
    }
  }

  /**
   * The host dropped the next `count` events, because the node's queue was full: they take their sequence numbers, and
   * the node gets a `gap`.
   *
   * @param count at least 1; the default.
   * @returns the sequence number of the gap.
   */
  gap(count = 1): bigint {
    return this.#put(this.#events.gap(this.now, count))
  }

  /**
   * A transition of an interface, for a node that lists `interfaceChange`. The interface keeps the state that it had
   * but for what is given; at first it is down, with an index and a MAC address of its own and an MTU of 1500.
   *
   * @param name of the interface.
   * @param change what the transition is about.
   * @param state what is different from now on.
   * @returns its sequence number.
   * @example kit.transition('eth0', 'link', { link: true })
   */
  transition(...[name, change, state]: TransitionArguments<M>): bigint {
    const event = this.#events.transition(
      this.now,
      name,
      change as InterfaceChangeKind,
      (state ?? {}) as InterfaceState,
    )
    return this.#put(event)
  }

  /**
   * Answers a command of the host's CLI, or all that a pattern matches, from now on; the newest answer goes first.
   * Without one a command fails, and says so.
   *
   * @param command the whole command line, or a pattern of it.
   * @param script what it is answered with.
   * @example
   * kit.onCli('show version', 'vpp v26.06')
   * kit.onCli(/^show /, { failed: 'unknown input' })
   * kit.onCli('show runtime', { text: '…', after: 250 })
   */
  onCli(command: string | RegExp, script: CliScript): void {
    this.stage.cli.on(command, script)
  }

  /**
   * What a peer does with each event of that name from now on: a reply, a refusal, a loss. Without this, what is sent is
   * taken, and a call fails, and says so.
   *
   * @param peer as the definition calls it.
   * @param type one of its messages.
   * @param script what it does.
   * @example
   * kit.onPeer('store', 'get', { reply: { value: 'x' } })
   * kit.onPeer('store', 'get', ({ key }) => (key === 0 ? { refused: 'no such key' } : { reply: { value: `${key}` } }))
   * kit.onPeer('store', 'put', { undelivered: 'FULL' })
   */
  onPeer<Key extends keyof P & string, Type extends NamesOf<MessagesOfPeer<P[Key]>>>(
    peer: Key,
    type: Type,
    script: ScriptFor<MessagesOfPeer<P[Key]>[Type]>,
  ): void {
    this.stage.others.on(peer, type, script as PeerScript)
  }

  /**
   * What the host does with signals to a process node from now on; without this they are done.
   *
   * @param status the host's name for why not, such as `NODE_UNKNOWN` or `HOST_AWAY`; undefined: they are done.
   */
  onSignal(target: string, status: string | undefined): void {
    if (status === undefined) this.#lostSignals.delete(target)
    else this.#lostSignals.set(target, status)
  }

  /** Packets that the host still has room for; each takes one off. Set it to 0, and `node.enqueue` returns false. At first: no limit. */
  get room(): number {
    return this.stage.port.room
  }

  set room(packets: number) {
    this.stage.port.room = packets
  }

  // ---- time

  /**
   * Has `action` done in `ms` milliseconds of virtual time: for events on a schedule. What is due at the same moment
   * happens in the order in which it was planned, and before timers of the node.
   *
   * @param ms from now; 0 and less: at the present time.
   * @example kit.after(250, () => kit.send('disable'))
   */
  after(ms: number, action: () => void): void {
    if (Number.isNaN(ms)) throw new RangeError('NaN is no time')
    this.stage.clock.at(this.now + ms, action)
  }

  /**
   * Lets everything happen that needs no time: what was sent arrives, timers that are due go off, answers of the CLI
   * come, `vm.yield()` returns, and the node runs until it waits for time or for something new. Of what is not the
   * kit's, such as a file or a socket, this does not wait.
   *
   * @throws what the node threw; once.
   */
  async settle(): Promise<void> {
    await this.stage.settle()
    this.#tell()
  }

  /**
   * Lets virtual time pass, and at each moment at which something is due everything settle.
   *
   * @param ms milliseconds, from 0.
   * @throws what the node threw, at the time at which it did; once.
   */
  async advance(ms: number): Promise<void> {
    if (!(ms >= 0) || ms === Number.POSITIVE_INFINITY) throw new RangeError(`time cannot pass by ${ms} ms`)
    await this.stage.pass(this.now + ms, () => this.#failed)
    this.#tell()
  }

  /**
   * Lets time pass until something is true; it is asked whenever everything has settled.
   *
   * @param condition what is to become true.
   * @param options.within milliseconds of virtual time, an hour by default.
   * @throws Error if it does not become true within that time, or nothing is left that could happen; what the node threw.
   */
  async until(condition: () => boolean, { within = 3_600_000 } = {}): Promise<void> {
    let held = false
    const holds = () => {
      held = condition()
      return held
    }
    const start = this.now
    const { next: last } = await this.#pass(start + within, holds)
    if (held) return
    const what = `${condition}`.replace(/\s+/g, ' ').replace(/^\(\) => /, '')
    const waits = `the node ${this.#state}, ${this.queued} events wait`
    if (last === Number.POSITIVE_INFINITY) {
      throw new Error(`this never becomes true: ${what}: nothing more is going to happen (${waits})`)
    }
    throw new Error(`this did not become true within ${within} ms of virtual time: ${what} (${waits})`)
  }

  // ---- life and death

  /**
   * Closes the inbox: it ends after what was sent. Then settles.
   *
   * @returns how the node ended; undefined: it still runs, for example because it waits for a timer.
   */
  async close(): Promise<RunResult | undefined> {
    this.stage.close()
    await this.settle()
    return this.result
  }

  /**
   * Destroys the node: its waits reject with NodeStoppedError, `vm.signal` aborts. Then settles.
   *
   * @returns how it ended; undefined: it still runs, and waits for something that takes no part in stopping.
   */
  async destroy(): Promise<RunResult | undefined> {
    this.stage.destroy()
    await this.settle()
    return this.result
  }

  /**
   * A new life of the node, as after a crash of the daemon: ends the present one, if it runs; what it had in hand is
   * delivered again, marked `redelivered`, before all else. Counters and commands go on. Then settles.
   *
   * @throws Error if the node does not stop; what the new life threw.
   */
  async restart(): Promise<void> {
    if (this.running && (await this.destroy()) === undefined) throw new Error('the node does not stop')
    this.stage.restart()
    await this.settle()
  }

  /** Destroys the node if it runs. @throws what the node threw, if nobody was told yet. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.running) await this.destroy()
    this.#tell()
  }

  #put(event: AnyEvent): bigint {
    if (this.stage.closed) throw new Error('the inbox was closed: nobody can send to this node any more')
    if (this.result?.how === 'returned') throw new Error('the node has returned: nobody takes this event')
    this.stage.send(event)
    return event.seq
  }

  async #pass(end: number, done: () => boolean): Promise<{ next: number }> {
    await this.stage.pass(end, () => this.#failed || done())
    this.#tell()
    return { next: this.stage.next }
  }

  get #failed(): boolean {
    return this.result?.how === 'failed' && this.#told !== this.result
  }

  get #state(): string {
    const { result } = this
    return result === undefined ? 'runs' : `has ${result.how}`
  }

  #tell(): void {
    const { result } = this
    if (result?.how !== 'failed' || result === this.#told) return
    this.#told = result
    throw result.error
  }
}
