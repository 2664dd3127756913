// Ending: at any moment, in order, with nothing left behind.
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, it } from 'mocha'
import { Folder } from '../support/folder.js'
import { startDaemon, startStandalone } from '../support/service.js'
import { waitFor } from '../support/wait.js'
import { numbers, openGate, recorded, recorderYaml } from './records.js'

/** What the daemon of a folder leaves there. */
function left(folder: Folder): string[] {
  return readdirSync(folder.path).filter(name => /^daemon\.sock|^\./.test(name))
}

describe('end to end: stopping', function () {
  this.timeout(120_000)

  it('SIGTERM at any moment of the start ends it with 0, and nothing is left', async () => {
    using folder = new Folder()
    await using _host = await startStandalone(folder)
    openGate(folder)
    const began = performance.now()
    {
      await using daemon = startDaemon(folder, recorderYaml(folder))
      await daemon.running()
      assert.deepEqual(await daemon.program.kill(), { code: 0, signal: null })
    }
    const whole = performance.now() - began
    const moments = 16
    let handled = 0
    // On a busy machine a start may take longer than the first one: then later moments are tried as well.
    for (let i = 0; i < moments || handled === 0; i++) {
      await using daemon = startDaemon(folder, recorderYaml(folder))
      await sleep((whole * i) / moments)
      const { code, signal } = await daemon.program.kill()
      // Before the first line of the program runs nobody can handle a signal.
      if (signal !== 'SIGTERM') {
        assert.equal(code, 0, daemon.program.output)
        handled++
      }
      assert.deepEqual(left(folder), [])
    }
  })

  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    it(`${signal} under load ends it with 0; what was acknowledged is there for the next one`, async () => {
      using folder = new Folder()
      await using _host = await startStandalone(folder)
      openGate(folder)
      const yaml = recorderYaml(folder, '    queue: { backlog: 100000, bytes: 16MiB }\n')
      let accepted = 0
      {
        await using daemon = startDaemon(folder, yaml)
        await daemon.running()
        const sending = (async () => {
          for (;;) accepted += (await daemon.client.send('rec', numbers(1, 50))).accepted
        })().catch(() => {})
        await waitFor('some events', () => recorded(folder).length > 500)
        assert.deepEqual(await daemon.program.kill(signal), { code: 0, signal: null })
        await sending
      }
      assert.deepEqual(left(folder), [])
      await using daemon = startDaemon(folder, yaml)
      await daemon.running()
      const last = await daemon.client.send('rec', { type: 'number', n: 9 })
      await waitFor('the last event', () => recorded(folder).at(-1)?.seq === last.lastSeq)
      const unique = new Set(recorded(folder).map(event => event.seq))
      // All that was acknowledged, and perhaps some whose acknowledgement was cut off.
      assert.ok(unique.size >= accepted + 1, `${unique.size} of ${accepted + 1}`)
      assert.equal(unique.size, Number(last.lastSeq))
    })
  }

  it('a coroutine that does not come to an end is given its grace time, then stopped', async () => {
    using folder = new Folder()
    await using _host = await startStandalone(folder)
    await using daemon = startDaemon(folder, recorderYaml(folder, '    grace: 100ms\n'))
    await daemon.running()
    await daemon.client.send('rec', numbers(1, 3))
    await waitFor('an event in hand', () => recorded(folder).length === 1)
    // The gate stays closed: the coroutine holds on to its event.
    assert.deepEqual(await daemon.program.kill(), { code: 0, signal: null })
    openGate(folder)
    await using _again = startDaemon(folder, recorderYaml(folder))
    await waitFor('all events', () => recorded(folder).at(-1)?.n === 3)
    assert.deepEqual(
      recorded(folder).map(({ n, redelivered }) => [n, redelivered]),
      [
        [1, false],
        [1, true],
        [2, false],
        [3, false],
      ],
    )
  })

  it('the host ends with 0 on SIGTERM, with a daemon attached, and removes its sockets', async () => {
    using folder = new Folder()
    await using host = await startStandalone(folder)
    await using daemon = startDaemon(folder, recorderYaml(folder))
    await daemon.running()
    assert.deepEqual(await host.program.kill(), { code: 0, signal: null })
    assert.deepEqual(
      readdirSync(folder.path).filter(name => /^(host|cli)\.sock/.test(name)),
      [],
    )
    assert.equal((await waitFor('the loss', async () => daemon.client.status())).pid, daemon.program.pid)
  })
})
