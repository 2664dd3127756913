import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Lives } from '../../daemon/host/lives.js'
import type { LoadedNode } from '../../daemon/host/modules/loader.js'
import { message, processNode, u32 } from '../../daemon/index.js'
import { compileNode } from '../../daemon/process/define.js'
import type { ProcessNode } from '../../daemon/process/node.js'
import { ownerOf } from '../../daemon/process/runtime.js'
import { recordingsOf } from '../../daemon/record/file.js'
import { readRecording } from '../../daemon/record/reader.js'
import { TestPort } from '../process/port.js'
import { Folder } from '../support/folder.js'
import { Lines, nodeConfig } from './fake-config.js'

const definition = processNode({
  messages: { add: message(1, { n: u32 }), fail: message(2) },
  counters: { sum: 'the sum' },
  async run(_, node) {
    for await (const event of node.inbox) {
      if (event.type === 'fail') throw new Error('as asked')
      if (event.type === 'add') node.count('sum', event.n)
    }
  },
}) as ProcessNode

describe('lives', () => {
  let folder: Folder
  let log: Lines
  beforeEach(() => {
    folder = new Folder()
    log = new Lines()
  })
  afterEach(() => folder[Symbol.dispose]())

  function lives(record: LoadedNode['config']['record']): Lives {
    const compiled = compileNode(definition)
    const config = nodeConfig('a', { record })
    return new Lives({ config, definition, ...compiled, peers: [], options: {} } as unknown as LoadedNode, log)
  }

  async function live(made: Lives, ...types: string[]): Promise<TestPort> {
    const port = new TestPort()
    for (const type of types) port.put(type, { n: 3 })
    port.end()
    await made.begin(port).run()
    return port
  }

  const place = (size = 10_000) => ({ folder: folder.at('rec'), size, files: 5 })
  const texts = () => recordingsOf('a', folder.at('rec')).map(name => readFileSync(folder.at(`rec/${name}`), 'utf8'))

  it('without a record, nothing is written', async () => {
    const port = await live(lives(undefined), 'add')
    assert.deepEqual([port.counted, log.lines], [[[0, 3]], []])
  })

  it('each life is a recording of its own, with how it ended', async () => {
    const made = lives(place())
    await live(made, 'add')
    await live(made, 'add', 'fail')
    const ends = texts().map(text => readRecording(text).lines.at(-1))
    assert.deepEqual(
      ends.map(line => ({ ...line, at: 0 })),
      [
        { at: 0, end: 'returned' },
        { at: 0, end: 'failed', error: 'Error: as asked' },
      ],
    )
    assert.match(log.lines[0]!, /^info: is recorded/)
  })

  it('one that becomes too long ends, and the node goes on', async () => {
    const port = await live(lives(place(200)), 'add', 'add', 'add', 'add')
    assert.equal(port.counted.length, 4)
    assert.deepEqual(log.lines, ['info: is recorded'])
    assert.ok(texts()[0]!.length <= 200 && !texts()[0]!.includes('"end"'))
  })

  it('one that cannot be begun is told, and the node lives without', async () => {
    folder.write('rec', '')
    const port = await live(lives(place()), 'add')
    assert.deepEqual(port.counted, [[0, 3]])
    assert.equal(log.lines.length, 1)
    assert.match(log.lines[0]!, /^warn: cannot be recorded: E/)
  })

  it('an error is still known to be that of its coroutine', async () => {
    const made = lives(place())
    const port = new TestPort()
    port.put('add', { n: 1 })
    const life = made.begin(port)
    const running = life.run()
    life.fail(new Error('from elsewhere'))
    assert.equal(life.name, 'test')
    assert.equal((await running).how, 'failed')
    assert.equal(ownerOf(new Error('of nobody')), undefined)
  })
})
