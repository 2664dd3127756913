// The whole length: an event comes in by the socket, wakes a coroutine, and a packet leaves.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, it } from 'mocha'
import { Folder, root } from '../support/folder.js'
import { packets } from '../support/pcapng.js'
import { corod, startDaemon, startStandalone } from '../support/service.js'
import { waitFor } from '../support/wait.js'
import { executors, openGate, placed, recorded, recorderYaml } from './records.js'

for (const executor of executors)
  describe(`end to end: an event, a coroutine, a packet, on ${executor}`, function () {
    this.timeout(60_000)

    it('the beacon of docs/examples is switched on and off', async () => {
      using folder = new Folder()
      await using host = await startStandalone(folder)
      await using daemon = startDaemon(
        folder,
        placed(
          executor,
          `nodes:\n  beacon:\n    module: ${root}/docs/examples/beacon.ts\n    options: { every: 10, from: 192.0.2.77 }\n`,
        ),
      )
      await daemon.running()
      const on = await corod(['--socket', daemon.socket, 'send', 'beacon', 'enable', '{"dest": "10.1.2.3"}'])
      assert.deepEqual([on.code, on.stderr], [0, ''])
      const sent = await waitFor('packets', () => {
        const found = packets(host.pcap)
        return found.length >= 5 ? found : undefined
      })
      const addresses = Buffer.from([192, 0, 2, 77, 10, 1, 2, 3])
      for (const packet of sent)
        assert.equal(packet.indexOf(addresses), packet.length > 34 && packet[0] !== 0x45 ? 26 : 12)
      await waitFor('the counter', async () =>
        /\bbeacon\b.*beacons sent|beacons sent/.test(await host.cli('show errors')),
      )

      const off = await corod(['--socket', daemon.socket, 'send', 'beacon', 'disable'])
      assert.equal(off.code, 0)
      await daemon.logged('disabled', line => line.msg === 'disabled')
      assert.deepEqual(await daemon.program.kill(), { code: 0, signal: null })
      const ended = packets(host.pcap).length
      // A capture file that other programs read, too, where they are installed.
      const tshark = spawnSync('tshark', ['-r', host.pcap, '-T', 'fields', '-e', 'udp.dstport'], { encoding: 'utf8' })
      if (tshark.error === undefined) {
        assert.equal(tshark.status, 0)
        assert.deepEqual(
          tshark.stdout.trim().split('\n'),
          Array.from({ length: ended }, () => '9999'),
        )
      }
    })

    it('every kind of sending ends in the node, in order', async () => {
      using folder = new Folder()
      await using host = await startStandalone(folder)
      openGate(folder)
      await using daemon = startDaemon(folder, placed(executor, recorderYaml(folder)))
      await daemon.running()
      await daemon.client.send('rec', { type: 'number', n: 1 })
      await daemon.client.send('rec', [
        { type: 'number', n: 2 },
        { type: 'words', text: 'größe', id: '18446744073709551615', more: { deep: [1, null, 'x'] } },
      ])
      const stream = '{"n": 3}\n{"n": 4}\n{"type": "send", "text": "a packet of text"}\n'
      const sent = await corod(['--socket', daemon.socket, 'send', 'rec', 'number', '-'], stream)
      assert.deepEqual([sent.code, sent.stderr], [0, ''])
      const events = await waitFor('six events', () => (recorded(folder).length === 6 ? recorded(folder) : undefined))
      assert.deepEqual(
        events.map(event => event.n ?? event.text),
        [1, 2, 'größe', 3, 4, 'a packet of text'],
      )
      assert.deepEqual(
        events.map(event => event.seq),
        ['1', '2', '3', '4', '5', '6'],
      )
      assert.deepEqual([events[2]?.id, events[2]?.more], ['18446744073709551615', { deep: [1, null, 'x'] }])
      await waitFor('the packet', () => packets(host.pcap).some(packet => packet.includes('a packet of text')))
      await waitFor('the counter', async () =>
        /\b6\b.*events seen|events seen.*\b6\b/.test(await host.cli('show errors')),
      )
    })

    it('a stream of 200,000 events arrives complete and in order', async () => {
      using folder = new Folder()
      await using _host = await startStandalone(folder)
      openGate(folder)
      // As many as the backlog takes at once; the client is held up when it is full, by being told and trying again.
      await using daemon = startDaemon(
        folder,
        placed(executor, recorderYaml(folder, '    queue: { backlog: 300000, bytes: 64MiB }\n')),
      )
      await daemon.running()
      async function* source() {
        for (let n = 0; n < 200_000; n += 100) {
          yield Array.from({ length: 100 }, (_, i) => `{"type":"number","n":${n + i}}\n`).join('')
        }
      }
      const summary = await daemon.client.send('rec', source())
      assert.deepEqual([summary.accepted, summary.rejected, summary.lastSeq], [200_000, 0, '200000'])
      await waitFor('the last event', async () => (await daemon.client.node('rec')).received === 200_000)
      const events = recorded(folder)
      assert.equal(events.length, 200_000)
      assert.ok(events.every((event, i) => event.n === i && event.seq === String(i + 1) && !event.redelivered))
    })

    it('what is wrong is refused by name, and disturbs nothing', async () => {
      using folder = new Folder()
      await using _host = await startStandalone(folder)
      openGate(folder)
      await using daemon = startDaemon(folder, placed(executor, recorderYaml(folder)))
      await daemon.running()
      const send = (...args: string[]) => corod(['--socket', daemon.socket, 'send', ...args])
      const faults: [string[], number, RegExp][] = [
        [['nobody', 'number'], 1, /no node "nobody"/],
        [['rec', 'nothing'], 1, /nothing/],
        [['rec', 'number', '{"n": 4294967296}'], 1, /\/n/],
        [['rec', 'number', '{"m": 1}'], 1, /\/m/],
        [['rec', 'words', `{"text": "${'x'.repeat(33)}", "id": 1, "more": null}`], 1, /\/text/],
        [['rec', 'number', '{"n": 1'], 2, /JSON/],
      ]
      for (const [args, code, message] of faults) {
        const refused = await send(...args)
        assert.equal(refused.code, code, refused.stderr)
        assert.match(refused.stderr, message)
      }
      assert.equal((await send('rec', 'number', '{"n": 1}')).code, 0)
      await waitFor('the good one', () => recorded(folder).length === 1)
    })
  })
