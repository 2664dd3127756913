// supervisor.ts: the life of one node: registered with the host, started, started again by its policy, stopped in two
// steps (close, then destroy after the grace time), over all attachments. Knows no ring.
import type { Leave, NodeAsk } from '../../shm/ring.js'
import type { Log } from '../process/node.js'
import type { RunResult } from '../process/runtime.js'
import { HostAwayError, HostRefusedError } from './attachment/session.js'
import { Backoff } from './backoff.js'
import type { LoadedNode } from './modules/loader.js'
import type { NodeReport, NodeState } from './report.js'
import { type Decision, RestartPolicy } from './restart.js'
import { type InboxCounts, snapshot } from './slots/counts.js'

/** What runs a coroutine: NodeRuntime of daemon/process. */
export interface Runtime {
  run(): Promise<RunResult>
  ready(): void
  tick(): void
  close(): void
  destroy(): void
  fail(error: unknown): void
}

/** A node's place in one attachment: NodeBinding of binding.ts. */
export interface Binding {
  readonly slot: number
  /** The host's index of the process node. */
  readonly index: number
  /** The host closed the inbox: the coroutine is not started again. */
  readonly ended: boolean
  /** Makes a coroutine that lives on this binding; wakes go to it from now on. */
  runtime(): Runtime
  /** The coroutine ended. What it had in hand is released if it returned, else kept for the next one. */
  settle(result: RunResult): void
  /** Nothing is handed over any more; what is queued stays with the host. */
  close(): void
  /** Closes the node to its senders; the inbox ends behind what they had sent. Resolves when the host knows it. */
  finish(): Promise<void>
  /**
   * Gives the node back to the host. `discard`: it is closed to its senders and unregistered; `keep`: it stays with its
   * queue, which goes on filling, until it is registered again; `park`: it stays, closed and idle. The number of events
   * that were discarded.
   */
  remove(how: Leave): Promise<number>
  /**
   * The coroutine does not end although it was destroyed. True: its executor is ended for it, and `evict` will be
   * called; otherwise it is given up.
   */
  abandon?(error: Error): boolean
}

/** How a supervisor gets its node registered; `ask` is what registration needs to know. */
export type Register = (ask: NodeAsk, node: Supervisor) => Promise<Binding>

interface Run {
  readonly runtime: Runtime
  readonly binding: Binding
  readonly since: number
  timer: NodeJS.Timeout | undefined
}

const executorId = 0
/** After `destroy` a coroutine has so long, ms, before it is given up: it waits for something that never comes. */
const lastWaitMs = 1000

/** Supervises one node. */
export class Supervisor {
  #node: LoadedNode
  readonly #log: Log
  readonly #counts: Readonly<InboxCounts>
  #policy: RestartPolicy
  #registering: Backoff
  #state: NodeState = 'waiting-for-host'
  #register: Register | undefined
  #binding: Binding | undefined
  #run: Run | undefined
  #timer: NodeJS.Timeout | undefined
  /** While it waits for its next start: when that is. */
  #due = 0
  #restarts = 0
  #runs = 0
  #lastError: string | undefined
  #stopping: (() => void) | undefined
  #answered = Promise.resolve()

  constructor(node: LoadedNode, log: Log, counts: Readonly<InboxCounts>) {
    this.#node = node
    this.#log = log
    this.#counts = counts
    this.#policy = new RestartPolicy(node.config.restart)
    this.#registering = new Backoff(node.config.restart)
  }

  get node(): LoadedNode {
    return this.#node
  }

  get state(): NodeState {
    return this.#state
  }

  /** Its place in the present attachment, while senders may use it. */
  get binding(): Binding | undefined {
    return this.#binding
  }

  report(): NodeReport {
    const { config, table } = this.#node
    const binding = this.#binding
    return {
      name: config.name,
      module: config.module,
      state: this.#state,
      restarts: this.#restarts,
      ...snapshot(this.#counts),
      ...(this.#lastError === undefined ? {} : { lastError: this.#lastError }),
      ...(binding === undefined ? {} : { slot: binding.slot, index: binding.index }),
      messages: table.names,
      executor: config.executor,
    }
  }

  /** From now on with other settings: those that are read when they are needed. */
  adjust(node: LoadedNode): void {
    this.#node = node
    this.#policy = new RestartPolicy(node.config.restart)
    this.#registering = new Backoff(node.config.restart)
  }

  /**
   * There is a host: registers the node and starts it, not before `before`. Resolves when the host has answered; never
   * rejects.
   */
  attach(register: Register, before?: Promise<unknown>): Promise<void> {
    this.#answered = this.#attach(register, before)
    return this.#answered
  }

  async #attach(register: Register, before?: Promise<unknown>, state: NodeState = 'starting'): Promise<void> {
    if (this.#stopping !== undefined) return
    this.#register = register
    clearTimeout(this.#timer)
    if (this.#run === undefined) this.#state = state
    try {
      const binding = await register(this.#ask(), this)
      if (this.#register !== register || this.#stopping !== undefined) return
      this.#binding = binding
      this.#registering.reset()
      if (before === undefined) this.#start()
      else void before.then(() => this.#binding === binding && this.#start())
    } catch (error) {
      if (this.#register === register && !(error instanceof HostAwayError)) this.#refused(error, register)
    }
  }

  /** Resolves when no registration is on its way. */
  get answered(): Promise<void> {
    return this.#answered
  }

  /** The host is away: the coroutine stops, and is started again when a host is there. */
  detach(): void {
    this.#register = undefined
    this.#binding = undefined
    clearTimeout(this.#timer)
    this.#enter(this.#run === undefined ? 'waiting-for-host' : 'stopping')
    if (this.#run !== undefined) this.#end(this.#run)
  }

  /**
   * Stops for good: close, destroy after the grace time. `drain`: the node is closed to its senders, and its coroutine
   * gets what they had sent; otherwise what is queued stays with the host. Resolves when the coroutine ended or was
   * given up.
   */
  stop(how?: 'drain'): Promise<void> {
    clearTimeout(this.#timer)
    return new Promise(resolve => {
      const before = this.#stopping
      this.#stopping = () => {
        before?.()
        resolve()
      }
      this.#enter('stopping')
      const run = this.#run
      if (run === undefined) this.#stopped()
      else if (how === 'drain') {
        run.binding.finish().catch(() => run.runtime.close())
        this.#destroyLater(run)
      } else {
        run.binding.close()
        this.#end(run)
      }
    })
  }

  /**
   * Ends the coroutine as failed if `runtime` is its own: an error came from its code, but not through its coroutine.
   * Whether it was.
   */
  blame(runtime: unknown, error: unknown): boolean {
    const run = this.#run
    if (run === undefined || run.runtime !== runtime) return false
    run.runtime.fail(error)
    this.#giveUpLater(run)
    return true
  }

  /**
   * The executor of its registration has died, and the coroutine with it: it is registered again, with its queue, and
   * started. `error`: what it may have to do with that; `culprit`: it caused it, so that it has failed, and its restart
   * policy says when it is started. One that did not is started at once, and that is no failure of it.
   */
  evict(binding: Binding, error: Error | undefined, culprit: boolean): void {
    const run = this.#run?.binding === binding ? this.#run : undefined
    if (run === undefined && this.#binding !== binding) return
    clearTimeout(run?.timer)
    if (run !== undefined) this.#run = undefined
    if (error !== undefined && culprit && run !== undefined) this.#failed(error)
    else if (error !== undefined) this.#lastError = error.message
    const register = this.#register
    if (this.#stopping !== undefined) this.#stopped()
    else if (register === undefined) this.#enter('waiting-for-host')
    else if (this.#binding === undefined) this.#enter('starting')
    else if (this.#binding !== binding) this.#start()
    else this.#return(register, binding, run, culprit)
  }

  /** What its report has as its last error, although it goes on. */
  note(text: string): void {
    this.#lastError = text
  }

  #return(register: Register, binding: Binding, run: Run | undefined, culprit: boolean): void {
    const now = performance.now()
    let wait = Math.max(0, this.#due - now)
    if (run !== undefined) {
      wait = 0
      if (culprit) {
        const decision = this.#policy.ended(true, now, now - run.since)
        if (!decision.again) {
          this.#retire(binding, true)
          return
        }
        this.#wait(decision)
        wait = decision.wait
      }
    }
    let due = () => {}
    const before = new Promise<void>(resolve => {
      due = resolve
    })
    this.#answered = this.#attach(register, before, wait > 0 ? this.#state : 'starting')
    this.#due = now + wait
    this.#timer = setTimeout(due, wait)
  }

  #enter(state: NodeState): void {
    this.#state = state
  }

  #ask(): NodeAsk {
    const { config, next, counters, table } = this.#node
    return {
      name: config.name,
      executor: executorId,
      eventRing: config.queue.ring,
      backlog: config.queue.backlog,
      backlogBytes: config.queue.bytes,
      overflow: config.queue.overflow,
      next,
      counters,
      codes: table.codes,
    }
  }

  /** The host does not take the node: another one has its name, a next node is missing. It may later. */
  #refused(error: unknown, register: Register): void {
    const wait = this.#registering.next()
    const status = error instanceof HostRefusedError ? `${error.status}: ` : ''
    const text = `${status}${error instanceof Error ? error.message : error}`
    if (text !== this.#lastError) this.#log.error({ retryMs: Math.round(wait) }, `the host refused the node: ${text}`)
    this.#lastError = text
    this.#enter('backing-off')
    this.#timer = setTimeout(() => void this.attach(register), wait)
  }

  #start(): void {
    const binding = this.#binding
    if (binding === undefined || this.#run !== undefined) return
    const run: Run = { runtime: binding.runtime(), binding, since: performance.now(), timer: undefined }
    this.#run = run
    if (this.#runs++ > 0) this.#restarts++
    this.#enter('running')
    run.runtime.run().then(result => this.#ended(run, result))
  }

  /** Asks the coroutine to end: its inbox is closed now, everything else after the grace time. */
  #end(run: Run): void {
    run.runtime.close()
    this.#destroyLater(run)
  }

  #destroyLater(run: Run): void {
    if (run.timer !== undefined) return
    const { grace } = this.#node.config
    run.timer = setTimeout(() => {
      this.#log.warn(`did not finish within ${grace} ms after its inbox was closed: stopped`)
      run.runtime.destroy()
      this.#giveUpLater(run)
    }, grace)
  }

  #giveUpLater(run: Run): void {
    clearTimeout(run.timer)
    run.timer = setTimeout(() => {
      const error = new Error('waits for something that never comes: every await must end when vm.signal aborts')
      if (run.binding.abandon?.(error) === true) return
      this.#log.error(error.message)
      this.#ended(run, { how: 'failed', error })
    }, lastWaitMs)
  }

  #ended(run: Run, result: RunResult): void {
    if (this.#run !== run) return
    clearTimeout(run.timer)
    this.#run = undefined
    const failed = result.how === 'failed'
    if (failed) this.#failed(result.error)
    run.binding.settle(result)
    if (this.#stopping !== undefined) this.#stopped()
    else if (this.#binding === undefined) this.#enter(this.#register === undefined ? 'waiting-for-host' : 'starting')
    else if (this.#binding !== run.binding) this.#start()
    else this.#next(run, failed)
  }

  #failed(error: unknown): void {
    this.#lastError = error instanceof Error ? error.message : String(error)
    this.#log.error({ err: error instanceof Error ? error : new Error(String(error)) }, `failed: ${this.#lastError}`)
  }

  #next(run: Run, failed: boolean): void {
    const now = performance.now()
    const decision: Decision = run.binding.ended ? { again: false } : this.#policy.ended(failed, now, now - run.since)
    if (!decision.again) {
      this.#retire(run.binding, failed)
      return
    }
    this.#wait(decision)
    this.#due = now + decision.wait
    this.#timer = setTimeout(() => this.#start(), decision.wait)
  }

  #wait({ crashLoop, wait }: Extract<Decision, { again: true }>): void {
    this.#enter(crashLoop ? 'crash-loop' : 'backing-off')
    if (crashLoop) this.#log.error({ retryMs: wait }, 'is in a crash loop')
  }

  /** It runs no more: its senders are told, what is still queued is counted by the host. */
  #retire(binding: Binding, failed: boolean): void {
    this.#binding = undefined
    this.#enter(failed ? 'stopped' : 'idle')
    binding.remove('park').then(
      discarded => {
        if (discarded > 0) this.#log.warn({ discarded }, `${discarded} events were still queued when it ended`)
        else this.#log.info(failed ? 'ended' : 'returned')
      },
      error => {
        if (!(error instanceof HostAwayError)) this.#log.error({ err: error }, 'could not be closed in the host')
      },
    )
  }

  #stopped(): void {
    this.#enter('stopped')
    this.#binding = undefined
    this.#register = undefined
    this.#stopping?.()
  }
}
