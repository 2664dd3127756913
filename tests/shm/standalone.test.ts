// The daemon's side against the real standalone host: everything that the fake host cannot prove.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Executor, flags, kinds, Link, now, type RingError, record } from '../../shm/ring.js'
import { held, TestLink } from './fake.js'

const program = fileURLToPath(new URL('../../../build/release/corod-standalone', import.meta.url))

interface Head {
  readonly kind: number
  readonly flags: number
  readonly attempts: number
  readonly type: number
  readonly seq: bigint
  readonly payload: string
}

/** An attachment with one node, whose records and outcomes are collected. */
class Attached {
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

  static async to(socket: string, name = 'node'): Promise<Attached> {
    const a = new Attached(socket)
    a.executor = await a.test.attach((executor, count) => {
      for (const slot of executor.slots.subarray(0, count)) a.#collect(executor, slot)
      a.onWake()
    })
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
      for (let got = read(slot, this.#buffer, 0); got > 0; got = read(slot, this.#buffer, 0)) {
        const view = new DataView(this.#buffer.buffer, 0, got)
        for (let at = 0; at < got; at += (view.getUint32(at + record.size, true) + 7) & ~7)
          into.push({
            kind: view.getUint8(at + record.kind),
            flags: view.getUint8(at + record.flags),
            attempts: view.getUint16(at + record.attempts, true),
            type: view.getUint32(at + record.type, true),
            seq: view.getBigUint64(at + record.seq, true),
            payload: Buffer.from(
              this.#buffer.subarray(at + record.bytes, at + view.getUint32(at + record.size, true)),
            ).toString(),
          })
      }
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

describe('standalone host', () => {
  let folder: string
  let socket: string
  let host: ChildProcess
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'corod-real-'))
    socket = join(folder, 'host.sock')
    host = spawn(program, ['--socket', socket, '--no-interfaces', '--log-level', 'error'], { stdio: 'inherit' })
    for (;;) {
      try {
        Link.open(socket, { message: () => {}, closed: () => {} }).close()
        return
      } catch (error) {
        assert.ok(['ENOENT', 'ECONNREFUSED'].includes((error as RingError).code), String(error))
        assert.equal(host.exitCode, null, 'the host has ended')
        await new Promise(resolve => setImmediate(resolve))
      }
    }
  })
  after(async () => {
    host.kill('SIGTERM')
    if (host.exitCode === null) await new Promise(resolve => host.once('exit', resolve))
    rmSync(folder, { recursive: true, force: true })
  })

  it('carries a message in and its acceptance back', async () => {
    const a = await Attached.to(socket)
    assert.equal(a.send(77, 'hello'), true)
    await a.until(() => a.events.length > 0 && a.outcomes.length > 0)
    assert.deepEqual([a.events[0]?.kind, a.events[0]?.type, a.events[0]?.payload], [kinds.event, 1, 'hello'])
    assert.deepEqual([a.outcomes[0]?.kind, a.outcomes[0]?.type, a.outcomes[0]?.seq], [kinds.outcome, 0, 77n])
    a.executor.take(a.slot, 1)
    a.executor.release(a.slot)
    a.test.link.close()
  })

  it('runs a CLI command and gives its output', async () => {
    const a = await Attached.to(socket)
    a.executor.cli(a.slot, 5, 'show version')
    a.executor.flush()
    await a.until(() => a.outcomes.some(o => (o.flags & flags.more) === 0))
    assert.ok(a.outcomes.every(o => o.seq === 5n && o.type === 0))
    assert.match(a.outcomes.map(o => o.payload).join(''), /corod/)
    a.test.link.close()
  })

  it('counts and enqueues', async () => {
    const a = await Attached.to(socket)
    a.executor.count(a.slot, 0, 3)
    assert.equal(a.executor.enqueue(a.slot, 9, 1, 0xffffffff, 0xffffffff, 0, Buffer.alloc(64)), true)
    assert.equal(a.executor.enqueue(a.slot, 10, 7, 0, 0, 0, Buffer.alloc(64)), true)
    a.executor.cli(a.slot, 11, 'show errors')
    a.executor.flush()
    await a.until(() => a.outcomes.some(o => o.seq === 11n && (o.flags & flags.more) === 0))
    assert.equal(a.outcomes.find(o => o.seq === 9n)?.type, 0)
    assert.notEqual(a.outcomes.find(o => o.seq === 10n)?.type, 0)
    assert.match(
      a.outcomes
        .filter(o => o.seq === 11n)
        .map(o => o.payload)
        .join(''),
      /3\s.*node.*things sent/,
    )
    a.test.link.close()
  })

  it('relays a deadline', async () => {
    const a = await Attached.to(socket)
    for (let i = 0; i < 20; i++) {
      const at = now() + 1.37
      a.executor.deadline(a.slot, at)
      await a.until(() => now() >= at)
    }
    a.test.link.close()
  })

  it('does not lose a wake-up in 20,000 messages that each cause the next', async () => {
    const a = await Attached.to(socket)
    let seen = 0
    const done = a.until(() => {
      a.outcomes.length = 0
      for (const event of a.events.splice(0)) {
        assert.equal(event.payload, String(seen))
        seen++
        a.executor.take(a.slot, 1)
        if (seen < 20_000) a.executor.send(0, 0, a.slot, a.generation, 1, Buffer.from(String(seen)))
      }
      a.executor.release(a.slot)
      return seen === 20_000
    })
    a.send(0, '0')
    await done
    a.test.link.close()
  })

  it('does not lose a deadline among 3,000 that are set, moved and cleared', async () => {
    const a = await Attached.to(socket)
    for (let i = 0; i < 3000; i++) {
      const at = now() + (i % 13) * 0.01
      a.executor.deadline(a.slot, at + 5)
      if (i % 3 === 0) a.executor.deadline(a.slot, Number.POSITIVE_INFINITY)
      if (i % 5 === 0) await new Promise(resolve => setImmediate(resolve))
      a.executor.deadline(a.slot, at)
      if (now() < at) await a.until(() => now() >= at)
    }
    a.test.link.close()
  }).timeout(30_000)

  it('delivers again what a dead daemon had in hand, marked, and the rest as it was', async () => {
    const first = await Attached.to(socket, 'phoenix')
    for (const payload of ['a', 'b', 'c']) first.send(0, payload)
    await first.until(() => first.events.length === 3)
    first.executor.take(first.slot, 1)
    first.executor.release(first.slot)
    first.executor.take(first.slot, 1)
    first.test.link.close()
    const second = await Attached.to(socket, 'phoenix')
    assert.equal(second.carried, 2)
    await second.until(() => second.events.length === 2)
    assert.deepEqual(
      second.events.map(e => [e.payload, e.flags & flags.redelivered, e.attempts, e.seq]),
      [
        ['b', flags.redelivered, 1, first.events[1]?.seq],
        ['c', 0, 0, first.events[2]?.seq],
      ],
    )
    second.executor.take(second.slot, 2)
    second.executor.release(second.slot)
    second.test.link.close()
  })

  it('refuses a second daemon with the pid of the first', async () => {
    const a = await Attached.to(socket)
    const other = new TestLink(socket)
    other.link.hello('second')
    const refused = await other.answer('refused')
    assert.deepEqual([refused.status, refused.pid], ['BUSY', process.pid])
    await other.ends.next()
    a.test.link.close()
  })

  it('gives everything back over 300 attachments', async () => {
    const hostHeld = () => ({
      descriptors: readdirSync(`/proc/${host.pid}/fd`).length,
      mappings: readFileSync(`/proc/${host.pid}/maps`, 'utf8').match(/memfd:/g)?.length ?? 0,
    })
    const round = async () => {
      const a = await Attached.to(socket)
      a.send(1, 'x')
      a.test.link.close()
    }
    for (let i = 0; i < 20; i++) await round()
    const here = held()
    for (let i = 0; i < 300; i++) await round()
    assert.deepEqual(held(), here)
    const last = await Attached.to(socket) // the host has seen the end of all before
    const there = hostHeld()
    last.test.link.close()
    for (let i = 0; i < 50; i++) await round()
    const again = await Attached.to(socket)
    assert.deepEqual(hostHeld(), there)
    again.test.link.close()
  }).timeout(30_000)
})
