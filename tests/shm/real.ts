// real.ts: the real standalone host in a folder of its own, and an attachment with one node whose records are collected.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Executor, type ExecutorOptions, Link, type RingError, record } from '../../shm/ring.js'
import { TestLink } from './fake.js'

const program = fileURLToPath(new URL('../../../build/release/corod-standalone', import.meta.url))

/** A running standalone host. */
export class RealHost {
  readonly folder = mkdtempSync(join(tmpdir(), 'corod-real-'))
  readonly socket = join(this.folder, 'host.sock')
  readonly #process: ChildProcess

  private constructor() {
    const arguments_ = ['--socket', this.socket, '--no-interfaces', '--log-level', 'error']
    this.#process = spawn(program, arguments_, { stdio: ['ignore', 'ignore', 'inherit'] })
  }

  static async start(): Promise<RealHost> {
    const host = new RealHost()
    for (;;) {
      try {
        Link.open(host.socket, { message: () => {}, closed: () => {} }).close()
        return host
      } catch (error) {
        assert.ok(['ENOENT', 'ECONNREFUSED'].includes((error as RingError).code), String(error))
        assert.equal(host.#process.exitCode, null, 'the host has ended')
        await new Promise(resolve => setImmediate(resolve))
      }
    }
  }

  get pid(): number {
    return this.#process.pid ?? 0
  }

  async stop(): Promise<void> {
    const ended = new Promise(resolve => this.#process.once('exit', resolve))
    this.#process.kill('SIGTERM')
    if (this.#process.exitCode === null) await ended
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** A record without its payload's bytes. */
export interface Head {
  readonly kind: number
  readonly flags: number
  readonly attempts: number
  readonly type: number
  readonly seq: bigint
  readonly payload: string
}

/** The records in the first `n` bytes of a buffer. */
export function heads(buffer: Uint8Array, n: number): Head[] {
  const view = new DataView(buffer.buffer, buffer.byteOffset, n)
  const all: Head[] = []
  for (let at = 0; at < n; at += (view.getUint32(at + record.size, true) + 7) & ~7)
    all.push({
      kind: view.getUint8(at + record.kind),
      flags: view.getUint8(at + record.flags),
      attempts: view.getUint16(at + record.attempts, true),
      type: view.getUint32(at + record.type, true),
      seq: view.getBigUint64(at + record.seq, true),
      payload: Buffer.from(buffer.subarray(at + record.bytes, at + view.getUint32(at + record.size, true))).toString(),
    })
  return all
}

/** An attachment with one node, whose records and outcomes are collected. */
export class Attached {
  readonly test: TestLink
  readonly events: Head[] = []
  readonly outcomes: Head[] = []
  executor!: Executor
  slot = 0
  generation = 0
  carried = 0
  onWake: () => void = () => {}
  readonly #buffer = new Uint8Array(1 << 16)

  private constructor(socket: string) {
    this.test = new TestLink(socket)
  }

  static async to(socket: string, name = 'node', options: ExecutorOptions = {}): Promise<Attached> {
    const a = new Attached(socket)
    a.executor = await a.test.attach((executor, count) => {
      for (const slot of executor.slots.subarray(0, count)) a.#collect(executor, slot)
      a.onWake()
    }, options)
    const node = await a.test.node({
      name,
      next: ['ip4-lookup', 'error-drop'],
      counters: [{ name: 'sent', text: 'things sent', severity: 'info' }],
      codes: [{ code: 1, maxSize: 2048 }],
      commandRing: 65536,
    })
    a.slot = node.slot
    a.generation = node.generation
    a.carried = node.carried
    a.test.link.ready(a.test.call())
    await a.test.answer('ready')
    return a
  }

  #collect(executor: Executor, slot: number): void {
    for (const [into, read] of [
      [this.events, executor.drain.bind(executor)],
      [this.outcomes, executor.replies.bind(executor)],
    ] as const)
      for (let got = read(slot, this.#buffer, 0); got > 0; got = read(slot, this.#buffer, 0))
        into.push(...heads(this.#buffer, got))
  }

  async until(done: () => boolean): Promise<void> {
    if (done()) return
    await new Promise<void>(resolve => {
      this.onWake = () => done() && resolve()
    })
  }

  send(call: number, payload: string): boolean {
    const sent = this.executor.send(0, call, this.slot, this.generation, 1, Buffer.from(payload))
    this.executor.flush()
    return sent
  }
}
