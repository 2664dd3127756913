// Executors on worker threads: complete, in order, and gone without a trace when their threads are.
import assert from 'node:assert/strict'
import { Worker } from 'node:worker_threads'
import { discardShared, type HostMessage, RingError, type SharedExecutor, View } from '../../shm/ring.js'
import { Arrivals, FakeHost, held, TestLink } from './fake.js'
import { Attached, RealHost } from './real.js'
import type { Order, Then, Told } from './view-worker.js'

/** A worker thread with a view. */
class Thread {
  readonly worker = new Worker(new URL('./view-worker.js', import.meta.url))
  readonly says = new Arrivals<Told>()
  readonly exited = new Promise<number>(resolve => this.worker.once('exit', resolve))
  readonly errors: Error[] = []

  constructor() {
    this.worker.on('message', (told: Told) => this.says.push(told))
    this.worker.on('error', error => this.errors.push(error as Error))
  }

  order(order: Order): void {
    this.worker.postMessage(order)
  }

  async told<K extends string>(key: K): Promise<Extract<Told, Record<K, unknown>>> {
    return this.says.next((t): t is Extract<Told, Record<K, unknown>> => key in t)
  }

  async open(shared: SharedExecutor, then: Then = 'tell', spin = 0): Promise<void> {
    this.order({ open: shared, then, spin })
    await this.told('opened')
  }

  /** Ends the thread where it stands. */
  async end(): Promise<void> {
    await this.worker.terminate()
    await this.exited
  }
}

/** Shares a node's slot with a thread. */
async function give(t: TestLink, slot: number, thread: Thread): Promise<void> {
  thread.order({ add: t.link.shareSlot(slot) })
  await thread.told('added')
}

function misuse(call: () => void, code = 'MISUSE'): void {
  assert.throws(call, (error: unknown) => error instanceof RingError && error.code === code)
}

describe('view', () => {
  let host: RealHost
  before(async () => {
    host = await RealHost.start()
  })
  after(() => host.stop())

  type Node = HostMessage & { kind: 'node' }

  /** An attachment whose executor 0 has node `here` on this thread; executor 1 is for others. */
  async function attached(): Promise<Attached> {
    const a = await Attached.to(host.socket, 'here')
    a.test.link.addExecutor(a.test.call(), 1)
    await a.test.answer('executor')
    return a
  }

  async function nodeThere(a: Attached, name = 'there'): Promise<Node> {
    return a.test.node({
      name,
      executor: 1,
      counters: [{ name: 'seen', text: '', severity: 'info' }],
      codes: [{ code: 1, maxSize: 64 }],
    })
  }

  function send(a: Attached, node: Node, payload: string): boolean {
    return a.executor.send(0, 0, node.slot, node.generation, 1, Buffer.from(payload))
  }

  it('takes events on two threads at once, complete and in order', async () => {
    const a = await attached()
    const thread = new Thread()
    await thread.open(a.test.link.shareExecutor(1))
    const node = await nodeThere(a)
    await give(a.test, node.slot, thread)
    const total = 20_000
    let sent = 0
    let here = 0
    const more = () => {
      for (const event of a.events.splice(0)) {
        assert.equal(event.payload, String(here++))
        a.executor.take(a.slot, 1)
      }
      a.executor.release(a.slot)
      while (sent < total && sent - here < 100) {
        if (!send(a, node, String(sent))) break
        while (!a.executor.send(0, 0, a.slot, a.generation, 1, Buffer.from(String(sent)))) a.executor.flush() // its half of the pair must follow
        sent++
      }
      a.executor.flush()
      return here === total
    }
    const all = a.until(more)
    more()
    let there = 0
    while (there < total)
      for (const event of (await thread.told('events')).events) {
        assert.deepEqual([event.payload, event.again], [String(there), false])
        there++
      }
    await all
    await thread.end()
    a.test.link.close()
  }).timeout(30_000)

  it('survives 50 threads that end anywhere, and gives their events to the next', async () => {
    const a = await attached()
    let rounds = 0
    const goesOn = a.until(() => {
      for (const event of a.events.splice(0)) {
        assert.equal(event.payload, String(rounds++)) // nothing of this node is lost or repeated meanwhile
        a.executor.take(a.slot, 1)
        a.executor.send(0, 0, a.slot, a.generation, 1, Buffer.from(String(rounds)))
      }
      a.executor.release(a.slot)
      return false
    })
    a.send(0, '0')
    const round = async (i: number) => {
      const then = (['spin', 'tell', 'hold', 'exit', 'throw'] as const)[i % 5] as Then
      const seenBefore = rounds
      const thread = new Thread()
      await thread.open(a.test.link.shareExecutor(1), then, i % 2 ? 0 : 10) // some end while they look
      const node = await nodeThere(a)
      await give(a.test, node.slot, thread)
      for (const payload of ['a', 'b', 'c']) assert.ok(send(a, node, `${payload}${i}`))
      a.executor.flush()
      const told = [...(await thread.told('events')).events]
      assert.equal(told[0]?.payload, `a${i}`)
      // Handed over was all that came at once, or the first of it. Only who tells on releases.
      const handed = then === 'hold' ? 1 : told.length
      if (then === 'tell') while (told.length < 3) told.push(...(await thread.told('events')).events)
      if (then !== 'exit' && then !== 'throw') await thread.end()
      await thread.exited
      a.test.link.removeNode(a.test.call(), node.slot, node.generation, 'keep')
      assert.equal((await a.test.answer('removed')).discarded, 0)

      const next = new Thread()
      await next.open(a.test.link.shareExecutor(1))
      const again = await nodeThere(a)
      assert.deepEqual([again.slot, again.generation], [node.slot, node.generation])
      await give(a.test, again.slot, next)
      if (then !== 'tell') {
        assert.equal(again.carried, 3)
        const events = []
        while (events.length < 3) events.push(...(await next.told('events')).events)
        assert.deepEqual(
          events.map(e => [e.payload, e.again, e.attempts]),
          ['a', 'b', 'c'].map((p, n) => [`${p}${i}`, n < handed, n < handed ? 1 : 0]),
        )
      }
      next.order({ remove: again.slot })
      await next.told('removed')
      a.test.link.removeNode(a.test.call(), again.slot, again.generation)
      await a.test.answer('removed')
      next.order({ close: true })
      await next.exited
      assert.deepEqual(next.errors, [])
      while (rounds === seenBefore) await new Promise(resolve => setImmediate(resolve))
    }
    await round(0)
    const before = held()
    for (let i = 1; i <= 25; i++) await round(i) // two threads each
    assert.deepEqual(held(), before)
    void goesOn
    a.test.link.close()
  }).timeout(60_000)

  it('carries commands and their outcomes past the main thread', async () => {
    const a = await attached()
    const view = View.open(
      a.test.link.shareExecutor(1),
      () => woken(),
      why => assert.fail(why),
    )
    const node = await nodeThere(a)
    view.addSlot(a.test.link.shareSlot(node.slot))
    const buffer = new Uint8Array(65_536)
    let output = ''
    let woken: () => void = () => {}
    const done = new Promise<void>(resolve => {
      woken = () => {
        const got = view.executor.replies(node.slot, buffer, 0)
        output += Buffer.from(buffer.subarray(0, got)).toString()
        if (/corod/.test(output)) resolve()
      }
    })
    assert.equal(view.executor.count(node.slot, 0, 5), true)
    assert.equal(view.executor.cli(node.slot, 9, 'show version'), true)
    view.executor.flush()
    await done
    view.close()
    a.test.link.close()
  })

  it('opens on many threads at once', async () => {
    const a = await attached()
    const threads = Array.from({ length: 8 }, () => new Thread())
    for (let i = 2; i < 10; i++) {
      a.test.link.addExecutor(a.test.call(), i)
      await a.test.answer('executor')
    }
    await Promise.all(threads.map((thread, i) => thread.open(a.test.link.shareExecutor(i + 2))))
    await Promise.all(
      threads.map(async (thread, i) => {
        const node = await a.test.node({ name: `many-${i}`, executor: i + 2, codes: [{ code: 1, maxSize: 64 }] })
        await give(a.test, node.slot, thread)
        send(a, node, `for ${i}`)
      }),
    )
    a.executor.flush()
    for (const [i, thread] of threads.entries())
      assert.match((await thread.told('events')).events[0]?.payload ?? '', /^for/, `${i}`)
    await Promise.all(threads.map(thread => thread.end()))
    a.test.link.close()
  }).timeout(30_000)

  it('sees the end of the attachment at its doorbell', async () => {
    const before = held()
    const a = await attached()
    const thread = new Thread()
    await thread.open(a.test.link.shareExecutor(1))
    await give(a.test, (await nodeThere(a)).slot, thread)
    a.test.link.close()
    assert.match((await thread.told('ended')).ended, /doorbell of executor 1/)
    assert.equal(held().mappings, before.mappings)
    thread.order({ close: true })
    await thread.exited
  })

  it('is refused what is used, foreign, invented or over', async () => {
    const before = held()
    const a = await attached()
    const { link } = a.test
    const wake = () => {}
    misuse(() => link.shareExecutor(0)) // open, and the daemon's own slot is on it
    misuse(() => link.shareExecutor(7))
    misuse(() => link.shareSlot(a.slot)) // in use here
    misuse(() => link.shareSlot(0))
    misuse(() => link.shareSlot(99))
    assert.throws(() => link.shareSlot(-1), RangeError)
    const lost = link.shareExecutor(1)
    const shared = link.shareExecutor(1)
    misuse(() => View.open(lost, wake, wake), 'GONE')
    misuse(() => link.executor(1, wake))
    for (const token of [0, 1, 2 ** 52, shared.token + 2 ** 20])
      misuse(() => View.open({ executor: 1, token }, wake, wake), 'GONE')
    assert.throws(() => View.open({ executor: 1, token: -1 }, wake, wake), RangeError)
    assert.throws(() => View.open({ executor: 1, token: 'x' as unknown as number }, wake, wake), RangeError)
    assert.throws(() => View.open(shared, 5 as unknown as () => void, wake), TypeError)
    const view = View.open(shared, wake, why => assert.fail(why))
    misuse(() => View.open(shared, wake, wake), 'GONE')
    misuse(() => link.shareExecutor(1)) // the view has it
    const node = await nodeThere(a)
    const slot = link.shareSlot(node.slot)
    misuse(() => link.shareSlot(node.slot))
    misuse(() => View.open({ executor: 1, token: slot.token }, wake, wake))
    view.addSlot(slot)
    misuse(() => view.addSlot(slot), 'GONE')
    misuse(() => link.removeNode(50, node.slot, node.generation)) // the view has it
    misuse(() => view.removeSlot(0))
    view.removeSlot(node.slot)
    misuse(() => view.removeSlot(node.slot))
    assert.equal(view.executor.drain(node.slot, new Uint8Array(64), 0), 0)
    link.removeNode(50, node.slot, node.generation)
    await a.test.answer('removed')
    const second = await nodeThere(a, 'second')
    const unused = link.shareSlot(second.slot)
    discardShared(unused)
    discardShared(unused)
    misuse(() => view.addSlot(unused), 'GONE')
    view.close()
    view.close()
    misuse(() => view.addSlot(unused))
    misuse(() => view.removeSlot(1))
    view.executor.flush()
    assert.equal(view.executor.count(node.slot, 0, 1), false)
    const again = link.shareExecutor(1) // the first view is closed
    misuse(() => View.open({ ...again, executor: 2 }, wake, wake)) // uses it up
    misuse(() => View.open(again, wake, wake), 'GONE')
    const last = link.shareExecutor(1)
    link.close()
    misuse(() => View.open(last, wake, wake), 'GONE')
    misuse(() => link.shareExecutor(1))
    assert.equal(held().mappings, before.mappings)
  })
})

describe('view of a host that does wrong', () => {
  it('ends at a malformed record, and the link goes on', async () => {
    const before = held()
    const host = await FakeHost.start()
    const t = new TestLink(host.socket)
    await t.attach(() => {})
    t.link.addExecutor(t.call(), 1)
    await t.answer('executor')
    const ends = new Arrivals<string>()
    const view = View.open(
      t.link.shareExecutor(1),
      count => {
        for (const slot of view.executor.slots.subarray(0, count))
          try {
            view.executor.drain(slot, new Uint8Array(8192), 0)
          } catch (error) {
            assert.equal((error as RingError).code, 'MALFORMED')
          }
      },
      why => ends.push(why),
    )
    const { slot, generation } = await t.node({ executor: 1 })
    view.addSlot(t.link.shareSlot(slot))
    host.order(`tail ${slot} 4`)
    assert.match(await ends.next(), /malformed record or cursor from the host: event ring of slot 1/)
    assert.equal(view.executor.drain(slot, new Uint8Array(8192), 0), 0)
    misuse(() => view.removeSlot(slot))
    t.link.ping(70)
    assert.equal((await t.answer('pong')).call, 70)
    t.link.removeNode(71, slot, generation)
    await t.answer('removed')
    t.link.close()
    await host.stop()
    assert.deepEqual(held(), before)
  })

  it('ends when the host closes its doorbell only, which no other executor notices', async () => {
    const host = await FakeHost.start()
    const t = new TestLink(host.socket)
    await t.attach(() => {})
    t.link.addExecutor(t.call(), 1)
    await t.answer('executor')
    const ends = new Arrivals<string>()
    View.open(
      t.link.shareExecutor(1),
      () => {},
      why => ends.push(why),
    )
    host.order('close-bell 1')
    assert.match(await ends.next(), /doorbell of executor 1/)
    t.link.ping(70)
    await t.answer('pong')
    assert.equal(t.ends.waiting.length, 0)
    t.link.close()
    await host.stop()
  })
})
