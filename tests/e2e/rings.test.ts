// Rings that are full, and replies that are longer than theirs: nothing is lost that was not said to be.
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it } from 'mocha'
import { Folder, root } from '../support/folder.js'
import { packets } from '../support/pcapng.js'
import { startDaemon, startStandalone } from '../support/service.js'
import { waitFor } from '../support/wait.js'

const busy = `${root}/dist/tests/e2e/nodes/busy.js`
/** Of one node, unless it asks for another: `reply_ring` of the core. */
const replyRing = 16 * 1024

const yaml = (folder: Folder, more = '') =>
  `nodes:\n  busy: { module: ${busy}, options: { file: ${folder.at('busy.ndjson')} } }\n${more}`

/** What the node wrote, once there are `count` lines. */
function told<T>(folder: Folder, count: number): Promise<T[]> {
  return waitFor(`${count} lines`, () => {
    if (!existsSync(folder.at('busy.ndjson'))) return undefined
    const lines = readFileSync(folder.at('busy.ndjson'), 'utf8').split('\n').slice(0, -1)
    return lines.length === count ? lines.map(line => JSON.parse(line) as T) : undefined
  })
}

describe('end to end: full rings', function () {
  this.timeout(60_000)

  it('a full command ring: enqueue says so, what it took leaves, and every count arrives', async () => {
    using folder = new Folder()
    await using host = await startStandalone(folder)
    await using daemon = startDaemon(folder, yaml(folder))
    await daemon.running()
    const asked = 20_000
    await daemon.client.send('busy', { type: 'flood', packets: asked })
    const [first] = await told<{ sent: number; full: number }>(folder, 1)
    assert.ok(first !== undefined && first.sent > 0 && first.full > 0, JSON.stringify(first))
    assert.equal(first.sent + first.full, asked)
    // There is room again, also in the ring of somebody who asks for little.
    await daemon.client.send('busy', { type: 'flood', packets: 1 })
    assert.deepEqual((await told(folder, 2))[1], { sent: 1, full: 0 })
    await waitFor('the packets', () => packets(host.pcap).length === first.sent + 1)
    await waitFor('the counts', async () => {
      const errors = await host.cli('show errors')
      const count = (text: string) => Number(new RegExp(`(\\d+) +busy +${text}`).exec(errors)?.[1])
      return count('busy packets sent') === first.sent + 1 && count('busy packets without room') === first.full
    })
    assert.equal((await daemon.client.status()).host.attachments, 1)
  })

  it('a reply longer than its ring arrives whole', async () => {
    using folder = new Folder()
    await using host = await startStandalone(folder)
    const names = Array.from({ length: 400 }, (_, i) => `${'long-name-'.repeat(5)}${i}`)
    const others = names.map(name => `  ${name}: { module: ${busy}, options: { file: /dev/null } }\n`)
    await using daemon = startDaemon(folder, yaml(folder, others.join('')))
    await daemon.running()
    await daemon.client.send('busy', [
      { type: 'ask', command: 'show corod nodes' },
      { type: 'ask', command: 'no such command' },
      { type: 'ask', command: 'show version' },
    ])
    const [long, wrong, short] = await told<{ output: string }>(folder, 3)
    const output = long?.output ?? ''
    assert.ok(output.length > 2 * replyRing, `only ${output.length} bytes`)
    const lines = (text: string) => text.split('\n').map(line => line.split(/ +/).slice(0, 2).join(' '))
    assert.deepEqual(lines(output), lines(await host.cli('show corod nodes')))
    for (const name of names) assert.ok(output.includes(` ${name} `), name)
    assert.equal(wrong?.output, 'refused: CLI_FAILED')
    assert.equal(short?.output, await host.cli('show version'))
  })
})
