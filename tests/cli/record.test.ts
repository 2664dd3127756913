import assert from 'node:assert/strict'
import { type Served, serve } from '../control/plane.js'
import { corod } from './corod.js'

describe('cli: record', () => {
  let served: Served
  beforeEach(async () => {
    served = await serve()
  })
  afterEach(() => served[Symbol.asyncDispose]())

  const run = (...args: string[]) => corod(['--socket', served.socket, 'record', ...args])

  it('prints the file, and until when', async () => {
    const plain = await run('echo')
    assert.deepEqual([plain.code, plain.stdout, plain.stderr], [0, '/r/f\n', ''])
    await run('echo', '--for', '10m', '--max-size', '20MiB')
    assert.deepEqual(
      served.plane.recorded.map(({ order }) => order),
      [{}, { for: 600_000, size: 20 * 2 ** 20 }],
    )
    served.plane.record = async () => ({ folder: '/r', until: '2026-01-01T00:00:00Z' })
    assert.match((await run('echo')).stdout, /^echo will be recorded in \/r, until 2026.*; nothing has begun yet/)
    assert.deepEqual((await run('echo', '--json')).json(), { folder: '/r', until: '2026-01-01T00:00:00Z' })
  })

  it('--stop', async () => {
    const { code, stdout } = await run('echo', '--stop')
    assert.deepEqual([code, stdout], [0, 'echo is recorded no more\n'])
    assert.deepEqual(served.plane.recorded, [{ node: 'echo', order: undefined }])
  })

  it('wrong usage: one line, and 2', async () => {
    for (const args of [
      [],
      ['echo', '--for', '10'],
      ['echo', '--for', '30d'],
      ['echo', '--max-size', '1B'],
      ['echo', '--stop', '--for', '1s'],
    ]) {
      const { code, stderr } = await run(...args)
      assert.deepEqual([code, stderr.split('\n').length], [2, 2], stderr)
    }
    assert.deepEqual(served.plane.recorded, [])
    assert.equal((await run('ecko')).code, 1)
  })
})
