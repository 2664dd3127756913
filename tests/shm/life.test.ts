// Nothing is left behind: descriptors, mappings, worker threads that were cut short, links that were forgotten.
import assert from 'node:assert/strict'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Worker } from 'node:worker_threads'
import { Link } from '../../shm/ring.js'
import { FakeHost, held, TestLink } from './fake.js'

const ring = pathToFileURL(fileURLToPath(new URL('../../shm/ring.js', import.meta.url))).href

/** A worker that attaches to the host at `workerData` and then does `then`. */
function attachedWorker(socket: string, then: string): Worker {
  const code = `
    const { parentPort, workerData } = require('node:worker_threads')
    import(${JSON.stringify(ring)}).then(({ Link }) => {
      let executor
      const link = Link.open(workerData, {
        closed: why => parentPort.postMessage({ closed: why }),
        message: m => {
          if (m.kind === 'welcome') link.addExecutor(1, 0)
          if (m.kind === 'executor') {
            executor = link.executor(0, onWake)
            link.addNode(2, { name: 'n', executor: 0, overflow: 'reject', next: [], counters: [], codes: [] })
          }
          if (m.kind === 'node') parentPort.postMessage(m)
        },
      })
      const buffer = new Uint8Array(65536)
      const onWake = count => {
        for (const slot of executor.slots.subarray(0, count)) if (executor.drain(slot, buffer, 0)) { ${then} }
      }
      link.hello('worker')
    })`
  return new Worker(code, { eval: true, workerData: socket })
}

async function told<T>(worker: Worker): Promise<T> {
  return new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
}

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

/** Collects garbage and lets finalizers run. */
async function collect(): Promise<void> {
  gc()
  await new Promise(resolve => setImmediate(resolve))
}

describe('life of attachments', () => {
  let host: FakeHost
  beforeEach(async () => {
    host = await FakeHost.start()
  })
  afterEach(() => host.stop())

  async function attachAndClose(): Promise<void> {
    const t = new TestLink(host.socket)
    await t.attach(() => {})
    await t.node()
    t.link.close()
    await host.said(/^closed/)
  }

  it('opens and closes 1,000 attachments and keeps nothing', async () => {
    await attachAndClose()
    const before = held()
    for (let i = 0; i < 1000; i++) {
      await attachAndClose()
      if (i % 100 === 0) assert.deepEqual(held(), before)
    }
    assert.deepEqual(held(), before)
  }).timeout(60_000)

  it('keeps nothing of an attachment that is closed in the middle of everything', async () => {
    await attachAndClose()
    const before = held()
    for (let steps = 0; steps < 4; steps++) {
      const t = new TestLink(host.socket)
      if (steps > 0) t.link.hello('x')
      if (steps > 1) await t.answer('welcome')
      if (steps > 1) t.link.addExecutor(1, 0)
      if (steps > 2) await t.answer('executor')
      t.link.close()
      await host.said(/^closed/)
      assert.deepEqual(held(), before)
    }
  })

  it('may be closed from inside its own callbacks', async () => {
    const closed = new Promise<void>(resolve => {
      const link: Link = Link.open(host.socket, {
        closed: () => assert.fail('closed by itself'),
        message: m => {
          if (m.kind === 'welcome') link.addExecutor(1, 0)
          if (m.kind !== 'executor') return
          const executor = link.executor(0, () => {
            link.close()
            executor.flush()
            executor.close()
            resolve()
          })
        },
      })
      link.hello('x')
    })
    await closed
    await host.said(/^closed/)
  })

  it('works on when nobody refers to it', async () => {
    const wakes: number[] = []
    const forget = async () => {
      const t = new TestLink(host.socket)
      await t.attach((executor, count) => {
        wakes.push(...executor.slots.subarray(0, count))
        if (wakes.length > 3) t.link.close()
      })
      await t.node()
    }
    await forget()
    await collect()
    while (wakes.length <= 3) {
      const before = wakes.length
      await host.ask('events 1 1 8', /^left 0/)
      while (wakes.length === before) await collect()
    }
    await host.said(/^closed/)
  })

  it('is collected once it is closed, with everything that its callbacks refer to', async () => {
    const collected = new Set<string>()
    const registry = new FinalizationRegistry<string>(what => collected.add(what))
    const forget = async () => {
      const t = new TestLink(host.socket)
      const executor = await t.attach(() => void t)
      registry.register(t, 'callbacks')
      registry.register(t.link, 'link')
      registry.register(executor, 'executor')
      t.link.close()
    }
    await forget()
    while (collected.size < 3) await collect()
    await host.said(/^closed/)
  })

  it('works in a worker thread', async () => {
    const worker = attachedWorker(host.socket, 'parentPort.postMessage("drained")')
    assert.equal((await told<{ slot: number }>(worker)).slot, 1)
    const drained = told(worker)
    host.order('events 1 1 8')
    assert.equal(await drained, 'drained')
    await worker.terminate()
    await host.said(/^closed/)
  })

  it('survives the end of a worker that spins inside onWake', async () => {
    await attachAndClose()
    const before = held()
    for (let i = 0; i < 5; i++) {
      const worker = attachedWorker(host.socket, 'parentPort.postMessage("spins"); for (;;);')
      await told(worker)
      const spins = told(worker)
      host.order('events 1 1 8')
      assert.equal(await spins, 'spins')
      await worker.terminate()
      await host.said(/^closed/)
    }
    await attachAndClose() // the host and this thread go on
    assert.equal(held().mappings, before.mappings)
  })

  it('tells a worker that exits by itself nothing, and gives back what it held', async () => {
    const worker = attachedWorker(host.socket, 'process.exit()')
    await told(worker)
    const exited = new Promise(resolve => worker.once('exit', resolve))
    host.order('events 1 1 8')
    assert.equal(await exited, 0)
    await host.said(/^closed/)
  })

  it('carries 100 nodes on one doorbell', async () => {
    const seen = new Map<number, number>()
    const buffer = new Uint8Array(65536)
    const t = new TestLink(host.socket)
    const all = new Promise<void>(resolve => {
      void t
        .attach((executor, count) => {
          for (const slot of executor.slots.subarray(0, count)) {
            const got = executor.drain(slot, buffer, 0)
            if (got) seen.set(slot, (seen.get(slot) ?? 0) + got)
          }
          if (seen.size === 100) resolve()
        })
        .then(async () => {
          for (let i = 0; i < 100; i++) await t.node({ name: `n${i}` })
          for (let i = 1; i <= 100; i++) host.order(`events ${i} 3 8`)
        })
    })
    await all
    t.link.close()
  })
})
