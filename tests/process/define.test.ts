// Definitions: what is refused before a node ever runs, and what the host reads.
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { z } from 'zod'
import { message } from '../../daemon/message/message.js'
import { compileNode, isProcessNode, processNode, registrationLimits } from '../../daemon/process/define.js'
import { checkOptions } from '../../daemon/process/options.js'
import { limits } from '../../shm/ring.js'
import { finish } from './port.js'

const run = async () => {}

/** So many names, each with a text. */
const named = (count: number) => Array.from({ length: count }, (_, i) => [`n${i}`, 'text'] as const)

describe('processNode', () => {
  it('is recognised, also one of another copy of this package', () => {
    const node = processNode({ run })
    assert.equal(isProcessNode(node), true)
    assert.equal(isProcessNode({ ...node }), true)
    assert.equal(isProcessNode({ run }), false)
    assert.equal(isProcessNode(undefined), false)
    assert.deepEqual(compileNode(node).counters, [])
  })

  it('may have as much of everything as a host takes', () => {
    const { next, counters, codes } = limits
    assert.deepEqual(registrationLimits, { next, counters, messages: codes })
    const full = compileNode(
      processNode({
        next: named(next).map(([name]) => name),
        counters: Object.fromEntries(named(counters)),
        messages: Object.fromEntries(named(codes).map(([name], i) => [name, message(i)])),
        run,
      }),
    )
    assert.deepEqual([full.next.length, full.counters.length, full.table.codes.length], [next, counters, codes])
  })

  it('cannot be changed afterwards', () => {
    assert.throws(() => Object.assign(processNode({ run }), { run: undefined }), TypeError)
  })

  const refused: [string, () => unknown, RegExp][] = [
    ['no run', () => processNode({} as { run: typeof run }), /a function "run"/],
    ['an empty next node', () => processNode({ next: [''], run }), /next node ""/],
    ['a next node with a space', () => processNode({ next: ['ip4 lookup'], run }), /1 to 63 printable/],
    ['a next node twice', () => processNode({ next: ['a', 'b', 'a'], run }), /twice/],
    ['a counter name of VPP’s path', () => processNode({ counters: { 'a/b': 'text' }, run }), /counter "a\/b"/],
    ['a counter without text', () => processNode({ counters: { a: '' }, run }), /1 to 127 bytes/],
    ['a counter with a long text', () => processNode({ counters: { a: 'ä'.repeat(64) }, run }), /1 to 127 bytes/],
    ['a counter with a line break', () => processNode({ counters: { a: 'a\nb' }, run }), /control characters/],
    [
      'an unknown severity',
      () =>
        processNode({
          counters: { a: { text: 'a', severity: 'fatal' as 'info' } },
          run,
        }),
      /severity info, warn or error/,
    ],
    [
      'more next nodes than a host takes',
      () => processNode({ next: named(65).map(([name]) => name), run }),
      /next: 65 /,
    ],
    ['more counters', () => processNode({ counters: Object.fromEntries(named(129)), run }), /counters: 129 .* 128/],
    [
      'more messages',
      () => processNode({ messages: Object.fromEntries(named(257).map(([name], i) => [name, message(i)])), run }),
      /messages: 257 .* 256/,
    ],
    ['a bad message table', () => processNode({ messages: { gap: message(1) }, run }), /"gap": the name is reserved/],
  ]
  for (const [what, define, expected] of refused) {
    it(`refuses ${what}`, () => assert.throws(define, expected))
  }
})

describe('options', () => {
  const schema = z.object({
    every: z.number().default(5),
    list: z.array(z.string()),
  })

  it('of a schema: the value it made, or each issue with its path', async () => {
    assert.deepEqual(await checkOptions(schema, { list: [] }), {
      value: { every: 5, list: [] },
    })
    const checked = await checkOptions(schema, { every: 'x', list: ['a', 1] })
    assert.ok('issues' in checked)
    assert.deepEqual(
      checked.issues.map(issue => issue.path),
      [['every'], ['list', 1]],
    )
  })

  it('without a schema: as they are', async () => {
    assert.deepEqual(await checkOptions(undefined, { a: 1 }), {
      value: { a: 1 },
    })
  })

  it('paths of key objects are read too', async () => {
    const validate = () => ({
      issues: [{ message: 'no', path: [{ key: 'a' }, 0] }, { message: 'all' }],
    })
    assert.deepEqual(await checkOptions({ '~standard': { version: 1, vendor: 'test', validate } }, {}), {
      issues: [
        { message: 'no', path: ['a', 0] },
        { message: 'all', path: [] },
      ],
    })
  })
})

describe('node.count and node.enqueue', () => {
  it('refuse at run time what the compiler refuses', async () => {
    await finish(async (_vm, node) => {
      const loose = node as unknown as {
        count(counter: string, by?: number): void
        enqueue(next: string, packet: Uint8Array, to?: object): boolean
      }
      assert.throws(() => loose.count('nope'), {
        code: 'ERR_INVALID_ARGUMENT',
        message: /no counter "nope"/,
      })
      assert.throws(() => loose.enqueue('nope', Uint8Array.of(1)), {
        message: /no next node "nope"/,
      })
    })
  })

  it('refuse numbers and packets that no host could take', async () => {
    const definition = processNode({
      next: ['ip4-lookup'],
      counters: { seen: 'seen' },
      async run(_vm, node) {
        for (const by of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) assert.throws(() => node.count('seen', by))
        for (const size of [0, 9217]) assert.throws(() => node.enqueue('ip4-lookup', new Uint8Array(size)), /1 to 9216/)
        assert.throws(() => node.enqueue('ip4-lookup', 'text' as unknown as Uint8Array), /Uint8Array/)
        for (const to of [{ rx: -1 }, { tx: 2 ** 32 }, { flags: 0.5 }]) {
          assert.throws(() => node.enqueue('ip4-lookup', Uint8Array.of(1), to), /32-bit/)
        }
        assert.equal(node.enqueue('ip4-lookup', new Uint8Array(9216)), true)
      },
    })
    const { TestNode } = await import('./port.js')
    assert.deepEqual(await new TestNode(definition).ended, { how: 'returned' })
  })
})
