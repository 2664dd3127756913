import assert from 'node:assert/strict'
import type { DeadLetter, LettersSettled } from '../../daemon/host/report.js'
import { type Served, serve } from '../control/plane.js'
import { corod } from './corod.js'

function letter(n: number, more: Partial<DeadLetter> = {}): DeadLetter {
  const reason = { name: 'TypeError', message: 'boom\nat once' }
  const time = '2026-01-01T00:00:00.000Z'
  return { id: `id${n}`, time, node: 'echo', type: 'ping', code: 1, seq: `${n}`, attempts: 3, reason, ...more }
}

describe('cli: dead-letters', () => {
  let served: Served
  beforeEach(async () => {
    served = await serve()
  })
  afterEach(() => served[Symbol.asyncDispose]())

  const run = (...args: string[]) => corod(['--socket', served.socket, 'dead-letters', ...args])

  it('of all nodes, as a table', async () => {
    const { type: _, ...untyped } = letter(2, {
      attempts: 0,
      code: 99,
      reason: { name: 'MessageError', message: 'no' },
    })
    served.plane.letters = [letter(1), untyped]
    const { code, stdout, stderr } = await run()
    assert.deepEqual([code, stderr], [0, ''])
    assert.deepEqual(stdout.trimEnd().split('\n'), [
      'SINCE                     NODE  TYPE     SEQ  ATTEMPTS  ID   REASON',
      '2026-01-01T00:00:00.000Z  echo  ping     1    3         id1  TypeError: boom\\nat once',
      '2026-01-01T00:00:00.000Z  echo  code 99  2    -         id2  MessageError: no',
    ])
  })

  it('none: says so', async () => {
    assert.deepEqual((({ code, stdout }) => [code, stdout])(await run('echo')), [0, 'no dead letters\n'])
  })

  it('more than the limit: how many more', async () => {
    served.plane.letters = Array.from({ length: 5 }, (_, n) => letter(n))
    const { stdout } = await run('echo', '--limit', '2')
    assert.match(stdout, /id3.*\n.*id4.*\nand 3 older ones: see --limit\n$/)
  })

  it('--json: everything', async () => {
    served.plane.letters = [letter(1, { value: { x: '18446744073709551615' } })]
    const ran = await run('echo', '--json')
    assert.deepEqual(ran.json(), served.plane.letters)
  })

  it('--resend and --drop say what they did, and what could not be', async () => {
    const done = await run('echo', '--resend')
    assert.deepEqual([done.code, done.stdout], [0, '1 sent again, 2 left\n'])
    const some = await run('echo', '--drop', '--id', 'a,b')
    assert.deepEqual([some.code, some.stdout], [0, '1 dropped, 2 left\n'])
    assert.deepEqual(served.plane.settled, [
      { how: 'resend', ids: undefined },
      { how: 'drop', ids: ['a', 'b'] },
    ])
    const answers: [LettersSettled['failures'][number]['code'], number][] = [
      ['INVALID', 1],
      ['UNKNOWN', 1],
      ['FULL', 75],
      ['HOST_AWAY', 69],
    ]
    for (const [code, exit] of answers) {
      const failures = [{ id: 'id7', code, detail: 'because' }]
      served.plane.settleLetters = async () => ({ done: 0, left: 1, failures })
      const ran = await run('echo', '--resend')
      assert.deepEqual([ran.code, ran.stdout, ran.stderr], [exit, '0 sent again, 1 left\n', 'corod: id7: because\n'])
      assert.deepEqual((await run('echo', '--resend', '--json')).json(), { done: 0, left: 1, failures })
    }
  })

  it('wrong usage: one line, and 2', async () => {
    for (const args of [
      ['--resend'],
      ['echo', '--resend', '--drop'],
      ['echo', '--id', 'a'],
      ['echo', '--limit', '0'],
    ]) {
      const { code, stderr } = await run(...args)
      assert.deepEqual([code, stderr.split('\n').length], [2, 2], stderr)
    }
    assert.equal((await run('ecko')).code, 1)
  })
})
