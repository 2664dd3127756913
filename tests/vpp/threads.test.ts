// threads.test.ts: events from worker threads: complete, in order, without the worker barrier, and told when full.
import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { waitFor } from '../support/wait.js'
import { Peer, type PeerEvent } from './peer.js'
import { needVpp, Vpp } from './vpp.js'

// VPP pins main and each worker to a core of its own, and refuses to start with more threads than cores.
const cores = availableParallelism()
const workers = cores >= 3 ? 2 : 1

/** Checks each sender's order of {sender, number} as it comes. */
class Ledger {
  readonly last = new Map<bigint, bigint>()
  count = 0
  wrong: string | undefined

  take(event: PeerEvent): void {
    const sender = event.payload.readBigUInt64LE(0)
    const number = event.payload.readBigUInt64LE(8)
    if (number !== (this.last.get(sender) ?? 0n) + 1n)
      this.wrong ??= `sender ${sender}: ${number} after ${this.last.get(sender)}`
    this.last.set(sender, number)
    this.count++
  }
}

describe('vpp: events from every thread', function () {
  this.timeout(120_000)
  let vpp: Vpp
  before(async function () {
    needVpp(this, 2)
    const why = workers === 1 ? ': VPP gives every thread a core of its own; two workers need 3' : ''
    console.log(`    ${workers} worker${workers > 1 ? 's' : ''} on ${cores} cores${why}`)
    vpp = await Vpp.start({ workers })
  })
  after(async () => {
    await vpp?.[Symbol.asyncDispose]()
  })
  afterEach(() => assert.ok(vpp.running, vpp.output))

  const barriers = async () => Number(/barriers (\d+)/.exec(await vpp.cli('corod-test show'))?.[1])

  /** Starts `count` events on each thread, and gives VPP's barriers from then to when `done`. */
  async function run(count: number, done: () => Promise<unknown>): Promise<number> {
    for (let thread = 0; thread <= workers; thread++) await vpp.cli(`corod-test send flood 1 ${count} thread ${thread}`)
    const before = await barriers()
    await done()
    return (await barriers()) - before
  }

  it('takes a million from main and from workers at once, complete and in order, without the barrier', async () => {
    using peer = await Peer.attach(vpp.socket)
    const ledger = new Ledger()
    const node = await peer.node('flood', { codes: [{ code: 1, maxSize: 16 }], eventRing: 1 << 20 })
    node.onEvent = event => ledger.take(event)
    await peer.ready()
    const each = 1_000_000 / (1 + workers)
    const total = Math.floor(each) * (1 + workers)
    const flooded = await run(Math.floor(each), () =>
      waitFor(`all events, got ${ledger.count}`, () => ledger.count === total || ledger.wrong !== undefined, {
        ms: 90_000,
      }),
    )
    assert.equal(ledger.wrong, undefined)
    assert.equal(ledger.count, total)
    assert.equal(ledger.last.size, 1 + workers)
    assert.equal(flooded, await run(0, async () => {}), 'barriers with and without events')
    assert.doesNotMatch(await vpp.cli('corod-test show'), /failed [1-9]/)
  })

  it('tells a worker that the backlog is full, keeps what was on its way, and goes on', async () => {
    using peer = await Peer.attach(vpp.socket)
    const node = await peer.node('narrow', { codes: [{ code: 1, maxSize: 16 }], eventRing: 4096, backlog: 100 })
    const other = await peer.node('wide', { codes: [{ code: 1, maxSize: 16 }] })
    await peer.ready()
    const ledger = new Ledger()
    node.onEvent = event => ledger.take(event)
    peer.close() // nobody takes any
    // More than a worker's ring holds, so that it is told however slow main is.
    await vpp.cli('corod-test send narrow 1 50000 thread 1')
    await waitFor('"full"', async () => /sender 1 .* full [1-9]/.test(await vpp.cli('corod-test show')))
    assert.match(await vpp.cli('show corod threads'), /narrow: backlog full, \d+ bytes wait/)
    assert.equal(other.events.length, 0)

    using again = await Peer.attach(vpp.socket)
    const back = await again.node('narrow', { codes: [{ code: 1, maxSize: 16 }], eventRing: 4096, backlog: 100 })
    back.onEvent = event => ledger.take(event)
    await again.ready()
    await waitFor('all events', () => ledger.count === 50_000 || ledger.wrong !== undefined)
    assert.equal(ledger.wrong, undefined)
    assert.match(await vpp.cli('corod-test show'), /sender 1 sent 50000 of 50000 .* failed 0/)
  })

  it('loses nothing that a worker sends while a daemon changes its node', async () => {
    using peer = await Peer.attach(vpp.socket)
    const ledger = new Ledger()
    const register = async (next: string[]) => {
      const node = await peer.node('changing', { codes: [{ code: 1, maxSize: 16 }], next })
      node.onEvent = event => ledger.take(event)
      return node
    }
    let node = await register([])
    await peer.ready()
    await vpp.cli('corod-test send changing 1 2000 thread 1 every 1')
    const nexts = [['ip4-lookup'], ['ip6-lookup', 'error-drop'], []]
    for (let change = 0; ledger.count < 2000 && ledger.wrong === undefined; change++) {
      const before = ledger.count
      await peer.remove(node, 'keep')
      node = await register(nexts[change % nexts.length] as string[])
      await waitFor('more events', () => ledger.count > before || ledger.count === 2000)
    }
    assert.equal(ledger.wrong, undefined)
    assert.match(await vpp.cli('corod-test show'), /sender 1 sent 2000 of 2000 .* failed 0/)
  })

  it('tells a worker at once that its handle is stale, and later refusals are counted', async () => {
    using peer = await Peer.attach(vpp.socket)
    const node = await peer.node('fleeting')
    await vpp.cli('corod-test send fleeting 7 3 thread 1')
    await waitFor('late refusals', async () => /fleeting: 3 refused/.test(await vpp.cli('show corod threads')))
    await vpp.cli('corod-test send fleeting 1 1000000000 thread 1')
    await peer.remove(node)
    await waitFor('"stale"', async () => /sender 1 .* failed 22/.test(await vpp.cli('corod-test show')))
  })

  it('stops for 1,000 new nodes in a hundred short barriers, not a long one', async () => {
    using peer = await Peer.attach(vpp.socket)
    await vpp.cli('corod-test count-nodes')
    const before = await barriers()
    await Promise.all(Array.from({ length: 1000 }, (_, i) => peer.node(`more-${i}`)))
    assert.ok((await barriers()) - before >= 100)
    const shown = await vpp.cli('corod-test show')
    const most = Number(/most nodes made in one pass (\d+)/.exec(shown)?.[1])
    assert.ok(most > 1 && most <= 10, `${most} in one pass`)
    // Recorded, not asserted: it has in it whatever else the worker's core did meanwhile.
    console.log(`      ${/longest stop of a worker .*/.exec(shown)?.[0]}, ${(await barriers()) - before} barriers`)
    await peer.ready()
  })

  it('tells in the log that a command waits while the workers are stopped, and how to refuse it', async () => {
    using peer = await Peer.attach(vpp.socket)
    const node = await peer.node('holds-up')
    await peer.ready()
    assert.equal((await node.cli('show version hold-up-workers for a while')).status, 'OK')
    const log = await vpp.cli('show log')
    assert.match(log, /notice +corod +daemon attached: process \d+ \(peer\)/)
    assert.match(
      log,
      /error +corod +the command 'show version hold-up.*' of a node waits.*cli-refuse \{ hold-up-workers \}/,
    )
  })

  it('rings an idle main thread for each event, and nobody while events flow', async () => {
    using peer = await Peer.attach(vpp.socket)
    const node = await peer.node('woken', { codes: [{ code: 1, maxSize: 16 }] })
    await peer.ready()
    const rings = async () => Number(/vpp_wk_0(?:\s+\d+){3}\s+(\d+)/.exec(await vpp.cli('show corod threads'))?.[1])
    /** How often the bell woke main's epoll. */
    const wakes = async () => Number(/^ *\d+ +0 +(\d+) .* corod threads$/m.exec(await vpp.cli('show files'))?.[1])
    const before = await rings()
    const woken = await wakes()
    await vpp.cli('corod-test send woken 1 25 thread 1 every 20')
    await node.got(25)
    const idle = (await rings()) - before
    assert.ok(idle > 10 && idle <= 25, `${idle} rings for 25 events, one every 20 ms`)
    assert.equal((await wakes()) - woken, idle, 'wakes of main')
    await vpp.cli('corod-test send woken 1 100000 thread 1')
    await node.got(100_025)
    const flowing = (await rings()) - before - idle
    assert.ok(flowing < 10_000, `${flowing} rings for 100,000 events at once`)
  })
})
