// Many senders on many threads, and a coroutine that computes: what the origin's documentation promises or regrets, with
// real threads and the real programs. Threads of VPP: tests/vpp/threads.test.ts.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { describe, it } from 'mocha'
import { Folder, root } from '../support/folder.js'
import { startDaemon, startStandalone } from '../support/service.js'
import { waitFor } from '../support/wait.js'
import { openGate, recorded, recorderYaml } from './records.js'
import type { SenderTask } from './sender-thread.js'

async function sendOnThread(task: SenderTask): Promise<number> {
  const worker = new Worker(new URL('./sender-thread.js', import.meta.url), { workerData: task })
  try {
    const [accepted] = (await once(worker, 'message')) as [number]
    return accepted
  } finally {
    await worker.terminate()
  }
}

describe('end to end: parity: a sender on any thread', function () {
  this.timeout(60_000)

  it('many senders on many threads: all of it arrives, in the order of each', async () => {
    using folder = new Folder()
    await using host = await startStandalone(folder)
    openGate(folder)
    await using daemon = startDaemon(folder, recorderYaml(folder, '    queue: { backlog: 100000 }\n'))
    await daemon.running()
    const threads = 4
    const each = 1000
    const tasks = Array.from({ length: threads }, (_, i) => ({ socket: daemon.socket, from: i * each, count: each }))
    // The command line of the host is one more sender, inside of it.
    const inHost = (async () => {
      for (let n = 0; n < 50; n++) {
        const bytes = Buffer.alloc(4)
        bytes.writeUInt32LE(threads * each + n)
        await host.cli(`corod send rec 1 ${bytes.toString('hex')}`)
      }
    })()
    assert.deepEqual(await Promise.all(tasks.map(sendOnThread)), new Array(threads).fill(each))
    await inHost
    const total = threads * each + 50
    await waitFor('all events', async () => (await daemon.client.node('rec')).received === total)
    const next = Array.from({ length: threads + 1 }, (_, i) => i * each)
    const events = recorded(folder)
    for (const [i, { n = -1, seq }] of events.entries()) {
      assert.equal(seq, String(i + 1))
      assert.equal(n, next[Math.floor(n / each)]!++)
    }
    assert.equal(events.length, total)
    const mixed = events.some(({ n = 0 }, i) => i > 0 && Math.floor(n / each) !== Math.floor(events[i - 1]!.n! / each))
    assert.ok(mixed, 'they sent at the same time')
  })
})

describe('end to end: parity: the documented limit is gone', function () {
  this.timeout(60_000)

  it('while a coroutine computes without an await, its host answers, takes events, and goes on', async () => {
    using folder = new Folder()
    await using host = await startStandalone(folder)
    const module = `${root}/dist/tests/e2e/nodes/spinner.js`
    const options = `{ began: ${folder.at('began')}, until: ${folder.at('until')} }`
    await using daemon = startDaemon(folder, `nodes:\n  spin: { module: ${module}, options: ${options} }\n`)
    await daemon.running()
    await host.cli('corod send spin 1')
    await waitFor('the spin', () => existsSync(folder.at('began')))
    for (let n = 0; n < 20; n++) {
      await host.cli('show errors')
      await host.cli('corod send spin 2')
    }
    folder.write('until', '')
    const { value } = (await daemon.client.ask('spin', { type: 'sum' }, 20_000)).reply
    assert.equal(value, 20)
  })
})
