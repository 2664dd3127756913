// fake.ts: drives tests/shm/fake-host.c: starts it, gives it orders, waits for what it says.
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { type Executor, type ExecutorOptions, type HostMessage, Link, type NodeAsk } from '../../shm/ring.js'

const program = fileURLToPath(new URL('../../../build/shm/corod-fake-host', import.meta.url))

/** Values that arrive one by one, and waits for the next one that fits. Nothing that came is missed. */
export class Arrivals<T> {
  readonly #all: T[] = []
  #wake: (() => void)[] = []

  push(value: T): void {
    this.#all.push(value)
    const wake = this.#wake
    this.#wake = []
    for (const w of wake) w()
  }

  /** Takes out the first value that fits, now or when it comes. */
  async next<S extends T>(fits: (value: T) => value is S): Promise<S>
  async next(fits?: (value: T) => boolean): Promise<T>
  async next(fits: (value: T) => boolean = () => true): Promise<T> {
    for (;;) {
      const at = this.#all.findIndex(fits)
      if (at >= 0) return this.#all.splice(at, 1)[0] as T
      await new Promise<void>(resolve => this.#wake.push(resolve))
    }
  }

  get waiting(): readonly T[] {
    return this.#all
  }
}

/** A running fake host in a folder of its own. */
export class FakeHost {
  readonly folder = mkdtempSync(join(tmpdir(), 'corod-shm-'))
  readonly socket = join(this.folder, 'host.sock')
  readonly says = new Arrivals<string>()
  readonly #child: ChildProcessByStdio<Writable, Readable, null>

  private constructor(wrongs: readonly string[]) {
    this.#child = spawn(program, [this.socket, ...wrongs], { stdio: ['pipe', 'pipe', 'inherit'] })
    createInterface(this.#child.stdout).on('line', line => this.says.push(line))
  }

  static async start(...wrongs: string[]): Promise<FakeHost> {
    const host = new FakeHost(wrongs)
    await host.said(/^listening/)
    return host
  }

  order(line: string): void {
    this.#child.stdin.write(`${line}\n`)
  }

  /** The next line that matches. */
  async said(pattern: RegExp): Promise<string> {
    return this.says.next(line => pattern.test(line))
  }

  /** Orders, and waits for the answer. */
  async ask(line: string, pattern: RegExp): Promise<string> {
    this.order(line)
    return this.said(pattern)
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  async stop(): Promise<void> {
    this.#child.stdin.end()
    if (this.#child.exitCode === null && this.#child.signalCode === null)
      await new Promise(resolve => this.#child.once('exit', resolve))
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** A link whose messages and end are collected. */
export class TestLink {
  readonly messages = new Arrivals<HostMessage>()
  readonly ends = new Arrivals<string>()
  readonly link: Link
  #call = 1

  constructor(socket: string) {
    const { messages, ends } = this
    this.link = Link.open(socket, { message: m => messages.push(m), closed: why => ends.push(why) })
  }

  async answer<K extends HostMessage['kind']>(kind: K): Promise<HostMessage & { kind: K }> {
    return this.messages.next((m): m is HostMessage & { kind: K } => m.kind === kind)
  }

  call(): number {
    return this.#call++
  }

  /** Greets and asks for executor 0. */
  async attach(onWake: (executor: Executor, count: number) => void, options: ExecutorOptions = {}): Promise<Executor> {
    this.link.hello('test')
    await this.answer('welcome')
    this.link.addExecutor(this.call(), 0)
    await this.answer('executor')
    const executor: Executor = this.link.executor(0, count => onWake(executor, count), options)
    return executor
  }

  async node(ask: Partial<NodeAsk> = {}): Promise<HostMessage & { kind: 'node' }> {
    this.link.addNode(this.call(), {
      name: 'n',
      executor: 0,
      overflow: 'reject',
      next: [],
      counters: [],
      codes: [],
      ...ask,
    })
    return this.answer('node')
  }
}

/** Descriptors of this process that are sockets, pipes or memfds, and mappings of memfds. */
export function held(): { descriptors: number; mappings: number } {
  const descriptors = readdirSync('/proc/self/fd').filter(fd => {
    try {
      return /^(socket|pipe):|memfd:/.test(readlinkSync(`/proc/self/fd/${fd}`))
    } catch {
      return false
    }
  }).length
  const mappings = readFileSync('/proc/self/maps', 'utf8').match(/memfd:/g)?.length ?? 0
  return { descriptors, mappings }
}
