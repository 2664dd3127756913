// What survives the death of the daemon, of a coroutine, of the host.
import assert from 'node:assert/strict'
import { existsSync, rmSync, statSync } from 'node:fs'
import { describe, it } from 'mocha'
import { Folder } from '../support/folder.js'
import { corod, startDaemon, startStandalone } from '../support/service.js'
import { waitFor } from '../support/wait.js'
import { executors, numbers, openGate, placed, recorded, recorderYaml } from './records.js'

for (const executor of executors)
  describe(`end to end: deaths, on ${executor}`, function () {
    this.timeout(60_000)

    it('kill -9 of the daemon: the event in hand comes again, marked; the others as if nothing had happened', async () => {
      using folder = new Folder()
      await using _host = await startStandalone(folder)
      {
        await using daemon = startDaemon(folder, placed(executor, recorderYaml(folder)))
        await daemon.running()
        const summary = await daemon.client.send('rec', numbers(1, 5000))
        await waitFor('the first event in hand', () => recorded(folder).length === 1)
        assert.ok(summary.accepted > 100)
        await daemon.program.kill('SIGKILL')
      }
      {
        // Killed again with the same event in hand: attempts are counted over attachments.
        await using daemon = startDaemon(folder, placed(executor, recorderYaml(folder)))
        await waitFor('the first event again', () => recorded(folder).length === 2)
        await daemon.program.kill('SIGKILL')
      }
      await using daemon = startDaemon(folder, placed(executor, recorderYaml(folder)))
      await waitFor('the first event for the third time', () => recorded(folder).length === 3)
      openGate(folder)
      const last = await waitFor('room', () => daemon.client.send('rec', { type: 'number', n: 0 }))
      const events = await waitFor('the last event', () => {
        const all = recorded(folder)
        return all.at(-1)?.seq === last.lastSeq ? all : undefined
      })
      assert.deepEqual(
        events.slice(0, 3).map(({ n, seq, redelivered, attempts }) => ({ n, seq, redelivered, attempts })),
        [
          { n: 1, seq: '1', redelivered: false, attempts: 0 },
          { n: 1, seq: '1', redelivered: true, attempts: 1 },
          { n: 1, seq: '1', redelivered: true, attempts: 2 },
        ],
      )
      const rest = events.slice(3, -1)
      assert.ok(rest.every((event, i) => event.n === i + 2 && event.seq === String(i + 2) && !event.redelivered))
      assert.equal(BigInt(last.lastSeq ?? 0), BigInt(rest.length + 2))
    })

    it('at-most-once: the event in hand is not delivered again', async () => {
      using folder = new Folder()
      const yaml = recorderYaml(folder, '    delivery: at-most-once\n')
      await using _host = await startStandalone(folder)
      {
        await using daemon = startDaemon(folder, placed(executor, yaml))
        await daemon.running()
        await daemon.client.send('rec', numbers(1, 3))
        await waitFor('the first event in hand', () => recorded(folder).length === 1)
        await daemon.program.kill('SIGKILL')
      }
      openGate(folder)
      await using _daemon = startDaemon(folder, placed(executor, yaml))
      await waitFor('the others', () => recorded(folder).at(-1)?.n === 3)
      assert.deepEqual(
        recorded(folder).map(event => event.n),
        [1, 2, 3],
      )
    })

    it('kill -9 at any moment of a stream: what was acknowledged arrives, nothing comes unmarked twice', async () => {
      using folder = new Folder()
      const yaml = recorderYaml(folder, '    queue: { backlog: 100000, bytes: 16MiB }\n')
      await using _host = await startStandalone(folder)
      openGate(folder)
      const acknowledged: number[] = []
      let next = 0
      for (let round = 0; round < 5; round++) {
        await using daemon = startDaemon(folder, placed(executor, yaml))
        await daemon.running()
        const killing = new Promise<void>(resolve => setTimeout(resolve, 5 + round * 40)).then(() =>
          daemon.program.kill('SIGKILL'),
        )
        for (;;) {
          const from = next
          next += 20
          const told = await daemon.client.send('rec', numbers(from, next - 1)).catch(() => undefined)
          if (told === undefined) break
          assert.equal(told.accepted, 20)
          for (let n = from; n < next; n++) acknowledged.push(n)
        }
        await killing
      }
      await using daemon = startDaemon(folder, placed(executor, yaml))
      await daemon.running()
      await daemon.client.send('rec', { type: 'number', n: 4_000_000_000 })
      const events = await waitFor('the last one', () => {
        const all = recorded(folder)
        return all.at(-1)?.n === 4_000_000_000 ? all : undefined
      })
      const arrived = new Set(events.map(event => event.n))
      assert.ok(acknowledged.length > 0)
      assert.deepEqual(
        acknowledged.filter(n => !arrived.has(n)),
        [],
      )
      // Marked is what was handed over, which the recorder may not have come to write down; unmarked is the first time.
      const seen = new Set<string>()
      for (const event of events) {
        if (seen.has(event.seq)) assert.ok(event.redelivered, `event ${event.seq} came twice, unmarked`)
        seen.add(event.seq)
      }
      const order = [...seen].map(Number)
      assert.deepEqual(
        order,
        order.map((_, i) => i + 1),
      )
    })

    it('kill -9 in the middle of work: no count of a finished event is lost, none is made twice', async () => {
      using folder = new Folder()
      const yaml = recorderYaml(folder, '    queue: { backlog: 100000, bytes: 16MiB }\n')
      await using host = await startStandalone(folder)
      const total = 20_000
      const written = () => statSync(folder.at('rec.ndjson'), { throwIfNoEntry: false })?.size ?? 0
      for (let round = 0; round < 5; round++) {
        rmSync(folder.at('gate'), { force: true })
        const before = written()
        await using daemon = startDaemon(folder, placed(executor, yaml))
        await daemon.running()
        if (round === 0) await daemon.client.send('rec', numbers(1, total))
        await waitFor('an event in hand', () => written() > before)
        openGate(folder)
        await waitFor('some work', () => written() > before + 5000, { every: 1 })
        await daemon.program.kill('SIGKILL')
      }
      assert.ok(recorded(folder).length < total, 'all was done before the last kill')
      await using daemon = startDaemon(folder, placed(executor, yaml))
      await waitFor('the last event', () => recorded(folder).at(-1)?.n === total, { every: 50 })
      const events = recorded(folder)
      assert.equal(new Set(events.map(event => event.seq)).size, total)
      // The recorder counts each event after it has written it down: between the two it may have been killed, but what it
      // was done with is counted, and what is counted was written down.
      const counted = async () => Number(/(\d+) +rec +events seen/.exec(await host.cli('show errors'))?.[1])
      await waitFor('the last count', async () => (await counted()) >= total)
      await daemon.program.kill()
      const seen = await counted()
      assert.ok(
        seen >= total && seen <= events.length,
        `${seen} counts of ${total} events, written ${events.length} times`,
      )
    })

    it('kill -9 while counts wait for room in the command ring: their events come again, no count is lost', async () => {
      using folder = new Folder()
      const yaml = recorderYaml(folder, '    queue: { backlog: 1000 }\n').replace('recorder.js', 'hoarder.js')
      await using host = await startStandalone(folder)
      const total = 600
      const counted = async () => Number(/(\d+) +rec +events seen/.exec(await host.cli('show errors'))?.[1] ?? 0)
      {
        await using daemon = startDaemon(folder, placed(executor, yaml))
        await daemon.running()
        await daemon.client.send('rec', numbers(1, total))
        await waitFor('an event in hand', () => recorded(folder).length === 1)
        // Nobody empties the command ring: packets fill it, and counts find no room.
        host.program.child.kill('SIGSTOP')
        openGate(folder)
        await waitFor('all events', () => recorded(folder).length === total)
        await daemon.program.kill('SIGKILL')
      }
      host.program.child.kill('SIGCONT')
      await waitFor('what was published', async () => (await counted()) > 0)
      await using daemon = startDaemon(folder, placed(executor, yaml))
      await daemon.running()
      // One that comes after all that are delivered again.
      await daemon.client.send('rec', numbers(total + 1, total + 1))
      await waitFor('the last event', () => recorded(folder).at(-1)?.n === total + 1, { every: 50 })
      const again = recorded(folder).filter(event => event.redelivered).length
      assert.ok(again > 0 && again < total, `${again} came again`)
      await waitFor(`the counts of ${total + 1} events`, async () => (await counted()) > total, { ms: 5000 })
    })

    it('a coroutine that throws gets its event again after the restart, marked', async () => {
      using folder = new Folder()
      openGate(folder)
      await using _host = await startStandalone(folder)
      await using daemon = startDaemon(folder, placed(executor, recorderYaml(folder, '    restart: { min: 10ms }\n')))
      await daemon.running()
      await daemon.client.send('rec', [{ type: 'number', n: 1 }, { type: 'fail' }, { type: 'number', n: 2 }])
      const events = await waitFor('the event again', () => {
        const all = recorded(folder).filter(event => event.type === 'fail')
        return all.length >= 2 ? all : undefined
      })
      assert.deepEqual([events[0]?.redelivered, events[1]?.redelivered], [false, true])
      assert.match((await daemon.client.node('rec')).lastError ?? '', /asked to fail/)
      assert.ok((await daemon.client.node('rec')).restarts >= 1)
      // The daemon and its socket go on.
      assert.equal((await daemon.client.status()).host.state, 'connected')
    })

    it('kill -9 of the host: sends fail at once, the daemon attaches again with a new epoch', async () => {
      using folder = new Folder()
      openGate(folder)
      await using host = await startStandalone(folder)
      await using daemon = startDaemon(
        folder,
        placed(executor, `host: { reconnect: { min: 10ms, max: 50ms } }\n${recorderYaml(folder)}`),
      )
      await daemon.running()
      const before = (await daemon.client.status()).host
      await daemon.client.send('rec', { type: 'number', n: 1 })
      await waitFor('the event', () => recorded(folder).length === 1)
      await host.program.kill('SIGKILL')
      await waitFor('the loss', async () => (await daemon.client.status()).host.state === 'connecting')
      const away = await corod(['--socket', daemon.socket, 'send', 'rec', 'number', '{"n": 2}'])
      assert.equal(away.code, 69, away.stderr)
      assert.match(away.stderr, /host/)
      assert.equal((await daemon.client.node('rec')).state, 'waiting-for-host')

      await using _again = await startStandalone(folder)
      await daemon.running()
      const after = (await daemon.client.status()).host
      assert.notEqual(after.epoch, before.epoch)
      assert.notEqual(after.pid, before.pid)
      assert.equal(after.attachments, 2)
      const told = await daemon.client.send('rec', { type: 'number', n: 3 })
      assert.equal(told.lastSeq, '1')
      await waitFor('the event after', () => recorded(folder).at(-1)?.n === 3)
      assert.deepEqual(
        recorded(folder).map(({ n, redelivered }) => [n, redelivered]),
        [
          [1, false],
          [3, false],
        ],
      )
    })

    it('a daemon that is there before its host finds it', async () => {
      using folder = new Folder()
      openGate(folder)
      await using daemon = startDaemon(folder, placed(executor, recorderYaml(folder)))
      await waitFor('the control socket', () => existsSync(daemon.socket))
      const early = await daemon.client.send('rec', { type: 'number', n: 1 }).catch(error => error)
      assert.deepEqual([early.code, early.exit], ['HOST_AWAY', 69])
      await using _host = await startStandalone(folder)
      await daemon.running()
      assert.equal((await daemon.client.send('rec', { type: 'number', n: 1 })).accepted, 1)
    })
  })
