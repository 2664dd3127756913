import assert from 'node:assert/strict'
import { Folder } from '../support/folder.js'
import { corod } from './corod.js'

const echo = (reply: string) => `import { message, processNode, u8 } from 'corod'
export default processNode({
  messages: { say: message(1, { n: u8 }) },
  next: ['error-drop'],
  counters: { said: 'said' },
  async run(vm, node) {
    for await (const event of node.inbox) {
      await vm.sleep(node.options.wait ?? 5)
      node.enqueue('error-drop', Uint8Array.of(${reply}))
      node.count('said')
    }
  },
})
`
const recording = [
  { corod: 'recording', version: 1, node: 'echo', start: 1000, options: { wait: 10 } },
  { at: 2, event: 'say', seq: '1', time: 1.9, fields: { n: 7 } },
  { at: 12.1, timer: 12, after: 10 },
  { at: 12.1, enqueue: 'error-drop', packet: 'Bw==' },
  { at: 12.1, count: 'said', by: 1 },
]
  .map(line => `${JSON.stringify(line)}\n`)
  .join('')

describe('cli: replay', () => {
  let folder: Folder
  beforeEach(() => {
    folder = new Folder()
    folder.write('r.ndjson', recording)
    folder.write('same.mjs', echo('event.n'))
    folder.write(
      'other.ts',
      echo('event.n + 1').replace('node.options.wait ?? 5', '(node.options.wait as number) ?? 5'),
    )
  })
  afterEach(() => folder[Symbol.dispose]())

  const replay = (args: readonly string[], input?: string) =>
    corod(['replay', ...args], { cwd: folder.path, ...(input === undefined ? {} : { input }) })

  it('a node that does the same: one line and 0', async () => {
    const { code, stdout, stderr } = await replay(['r.ndjson', 'same.mjs'])
    assert.deepEqual([code, stdout, stderr], [0, 'same.mjs does what was recorded\n', ''])
  })

  it('a node that does not: the difference and 1', async () => {
    const { code, stdout, stderr } = await replay(['r.ndjson', 'other.ts'])
    assert.deepEqual([code, stderr], [1, ''])
    assert.deepEqual(stdout.split('\n'), [
      '--- recorded',
      '+++ replayed',
      '@@ 2.000 ms say #1 {"n":7} @@',
      '-      12.100 ms  enqueue error-drop 1 bytes 07',
      '+      12.100 ms  enqueue error-drop 1 bytes 08',
      '       12.100 ms  count said 1',
      '1 removed, 1 added, 0 events not delivered',
      '',
    ])
  })

  it('--json: the same as one object', async () => {
    const good = await replay(['r.ndjson', 'same.mjs', '--json'])
    const nothing = { removed: 0, added: 0, undelivered: [], end: null, diff: '' }
    assert.deepEqual([good.code, good.json()], [0, { same: true, ...nothing }])
    const bad = await replay(['r.ndjson', 'other.ts', '--json'])
    const { diff, ...rest } = bad.json<{ diff: string }>()
    assert.deepEqual([bad.code, rest], [1, { same: false, removed: 1, added: 1, undelivered: [], end: null }])
    assert.match(diff, /enqueue/)
  })

  it('the recording from standard input, and other options', async () => {
    const { code, stdout } = await replay(['-', 'same.mjs', '--options', '{"wait": 3}'], recording)
    assert.equal(code, 0, stdout)
    const late = await replay(['-', 'same.mjs', '--options', '{"wait": 30}'], recording)
    assert.equal(late.code, 1)
    assert.match(late.stdout, /^2 removed, 0 added/m)
  })

  it('what cannot be replayed: the reason in one line', async () => {
    folder.write('bad.ndjson', `${recording}nonsense\n`)
    folder.write('none.ndjson', recording.replace(',"options":{"wait":10}', ''))
    folder.write('bare.mjs', 'export const a = 1\n')
    for (const [args, code, why] of [
      [['r.ndjson'], 2, /missing required argument 'MODULE'/],
      [['away.ndjson', 'same.mjs'], 2, /^corod: away\.ndjson: no such file\n$/],
      [['.', 'same.mjs'], 2, /^corod: \.: this is a folder\n$/],
      [['bad.ndjson', 'same.mjs'], 2, /^corod: bad\.ndjson: line 6: not JSON\n$/],
      [['none.ndjson', 'same.mjs'], 2, /^corod: the recording has no options/],
      [['r.ndjson', 'same.mjs', '--options', '[]'], 2, /^corod: --options: not a JSON object/],
      [['r.ndjson', 'away.mjs'], 78, /^corod: there is no file .*\/away\.mjs\n$/],
      [['r.ndjson', 'bare.mjs'], 78, /^corod: .*bare\.mjs has no default export/],
    ] as const) {
      const ran = await replay(args)
      assert.deepEqual([ran.code, ran.stdout], [code, ''], args.join(' '))
      assert.match(ran.stderr, why)
    }
  })
})
