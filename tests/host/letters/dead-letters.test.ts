import assert from 'node:assert/strict'
import { DeadLetters } from '../../../daemon/host/letters/dead-letters.js'
import type { DeadLetter } from '../../../daemon/host/letters/letter.js'
import { LetterFile } from '../../../daemon/host/letters/letter-file.js'
import { SendError } from '../../../daemon/host/report.js'
import { interfaceChange } from '../../../daemon/message/interface.js'
import { message, signal } from '../../../daemon/message/message.js'
import { u32 } from '../../../daemon/message/numbers.js'
import { MessageTable } from '../../../daemon/message/table.js'
import { Folder } from '../../support/folder.js'

const table = new MessageTable({ tick: message(7, { n: u32 }), alarm: signal(8), change: interfaceChange })

describe('dead letters, as operators see them', () => {
  let folder: Folder
  let file: LetterFile
  let sent: [number, number[]][]
  let refuse: (n: number) => SendError | undefined
  let letters: DeadLetters

  beforeEach(() => {
    folder = new Folder()
    file = new LetterFile('a', folder.at('d'), 1e6)
    sent = []
    refuse = () => undefined
    letters = new DeadLetters({
      file: () => file,
      table: () => table,
      async send(_, code, bytes) {
        const error = refuse(bytes[0] ?? 0)
        if (error !== undefined) throw error
        sent.push([code, [...bytes]])
        return { seq: 1n }
      },
    })
  })
  afterEach(() => folder[Symbol.dispose]())

  function put(n: number, more: Partial<DeadLetter> = {}): void {
    const reason = { name: 'Error', message: 'boom' }
    file.put({
      id: `id${n}`,
      time: '',
      node: 'a',
      type: 'tick',
      code: 1,
      seq: `${n}`,
      attempts: 3,
      value: { n },
      reason,
      ...more,
    })
  }

  const left = () => letters.list('a').map(({ id }) => id)

  it('are sent again in their order, by the codes of today, and are gone then', async () => {
    put(1)
    put(2)
    assert.deepEqual(await letters.settle('a', 'resend'), { done: 2, left: 0, failures: [] })
    assert.deepEqual(sent, [
      [7, [1, 0, 0, 0]],
      [7, [2, 0, 0, 0]],
    ])
    assert.deepEqual(left(), [])
  })

  it('two who want that at once do not send them twice', async () => {
    for (let n = 1; n <= 20; n++) put(n)
    const done = await Promise.all([letters.settle('a', 'resend'), letters.settle('a', 'resend')])
    assert.deepEqual(
      done.map(({ done }) => done),
      [20, 0],
    )
    assert.equal(sent.length, 20)
  })

  it('those that are named only; one that is not there is told', async () => {
    put(1)
    put(2)
    const { done, failures } = await letters.settle('a', 'drop', ['id2', 'id9'])
    assert.deepEqual([done, failures.map(({ id, code }) => [id, code]), left()], [1, [['id9', 'UNKNOWN']], ['id1']])
    assert.deepEqual(sent, [])
  })

  it('what does not fit stays, and stops nobody', async () => {
    put(1, { value: { n: -1 } })
    put(2, { type: 'gone', code: 3 })
    put(3, { type: 'change', value: {} })
    put(4)
    const { done, failures } = await letters.settle('a', 'resend')
    assert.deepEqual(
      failures.map(({ id, code }) => [id, code]),
      [
        ['id1', 'INVALID'],
        ['id2', 'INVALID'],
        ['id3', 'INVALID'],
      ],
    )
    assert.deepEqual([done, sent.length, left()], [1, 1, ['id1', 'id2', 'id3']])
  })

  it('bytes that fit by now are sent as they are', async () => {
    const bytes = (...all: number[]) => Buffer.from(all).toString('base64')
    const raw = { type: undefined, value: undefined } as unknown as Partial<DeadLetter>
    put(1, { ...raw, code: 7, bytes: bytes(9, 0, 0, 0) })
    put(2, { ...raw, code: 7, bytes: bytes(9) })
    const { failures } = await letters.settle('a', 'resend')
    assert.deepEqual(sent, [[7, [9, 0, 0, 0]]])
    assert.match(failures[0]?.detail ?? '', /4 bytes, not 1/)
  })

  it('a queue that is full stops it: none is overtaken', async () => {
    for (let n = 1; n <= 4; n++) put(n)
    refuse = n => (n === 2 ? new SendError('FULL', 'the backlog is full') : undefined)
    const { done, left: count, failures } = await letters.settle('a', 'resend')
    assert.deepEqual([done, count, failures.length, left()], [1, 3, 1, ['id2', 'id3', 'id4']])
  })
})
