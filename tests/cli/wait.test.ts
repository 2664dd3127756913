import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { type Served, serve } from '../control/plane.js'
import { Folder } from '../support/folder.js'
import { corod } from './corod.js'

describe('cli: send --wait', () => {
  let served: Served
  beforeEach(async () => {
    served = await serve()
  })
  afterEach(() => served[Symbol.asyncDispose]())

  const send = (...args: string[]) => corod(['--socket', served.socket, 'send', ...args])
  const reply = { n: '18446744073709551615', data: 'AQL/', text: 'größe' }

  it('prints the reply; with --json also its place', async () => {
    const { code, stdout, stderr } = await send('--wait', 'echo', 'get', '{"key": 1}')
    assert.deepEqual([code, JSON.parse(stdout), stderr], [0, reply, ''])
    assert.deepEqual((await send('echo', 'get', '--wait', '--json')).json(), { seq: '2', reply })
  })

  it('its value stands behind a =, never in the next word', async () => {
    await send('--wait', 'echo', 'get')
    await send('echo', 'get', '--wait=70')
    using folder = new Folder()
    await send('echo', 'get', `@${folder.write('one.json', '{"key": 5}')}`, '--wait')
    assert.deepEqual(
      served.plane.asked.map(({ ms, value }) => [ms, value]),
      [
        [5000, {}],
        [70, {}],
        [5000, { key: 5 }],
      ],
    )
  })

  const ends: [string, number, string][] = [
    ['refused', 1, 'corod: the node refused: no such key\n'],
    ['silent', 75, 'corod: the node did not answer in time: no answer came in time\n'],
    ['died', 69, 'corod: the node ended before it answered\n'],
    ['no-reply', 1, 'corod: the message declares no reply: it declares none\n'],
  ]
  for (const [type, status, text] of ends) {
    it(`${type}: status ${status}`, async () => {
      const { code, stdout, stderr } = await send('echo', type, '--wait')
      assert.deepEqual([code, stdout, stderr], [status, '', text])
    })
  }

  it('wrong usage is told', async () => {
    for (const args of [
      ['echo', 'get', '--wait=0'],
      ['echo', 'get', '--wait=x'],
      ['echo', 'get', '--wait=9999999'],
      ['echo', 'get', '[{}]', '--wait'],
      ['echo', 'get', '-', '--wait'],
    ])
      assert.equal((await send(...args)).code, 2, args.join(' '))
    assert.deepEqual(served.plane.asked, [])
  })
})
