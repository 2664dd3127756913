import assert from 'node:assert/strict'
import {
  bytes,
  f64,
  i64,
  interfaceChange,
  ip6,
  json,
  mac,
  message,
  processNode,
  signal,
  text,
} from '../../daemon/index.js'
import type { ProcessNode } from '../../daemon/process/node.js'
import type { RecordingLine } from '../../daemon/record/format.js'
import { RecordingError, readRecording } from '../../daemon/record/reader.js'
import { recordPort } from '../../daemon/record/recorder.js'
import { type NodeSetup, testNode } from '../../daemon/testing/index.js'
import { TestPort } from '../process/port.js'

class Lines {
  text = ''
  write(line: string): void {
    this.text += line
  }
  get lines(): readonly RecordingLine[] {
    return readRecording(this.text).lines
  }
  /** Without what is about time. */
  get deeds(): readonly RecordingLine[] {
    return this.lines.filter(line => !('timer' in line) && !('now' in line))
  }
}

const node = processNode({
  messages: {
    all: message(1, { n: i64, f: f64, to: ip6, at: mac, name: text(4), raw: bytes(4), more: json }),
    datum: signal(2),
    link: interfaceChange,
  },
  async run(_, { inbox }) {
    for await (const _event of inbox);
  },
})

describe('record: what is written', () => {
  it('the head: whose it is, when it began, its options', async () => {
    const sink = new Lines()
    await testNode(node, { name: 'uplink', start: 77.5, options: { a: [1, { b: 'x' }] }, record: sink })
    const { head } = readRecording(sink.text)
    assert.deepEqual(head, {
      corod: 'recording',
      version: 1,
      node: 'uplink',
      start: 77.5,
      options: { a: [1, { b: 'x' }] },
    })
  })

  it('options that JSON cannot say are left out', () => {
    const cyclic: Record<string, unknown> = {}
    cyclic.self = cyclic
    for (const options of [{ a: 1n }, { a: new Date(0) }, { a: [() => 1] }, { a: Number.NaN }, cyclic]) {
      const sink = new Lines()
      const port = new TestPort()
      port.options = options
      recordPort(port, { next: [], counters: [], peers: [] }, sink)
      assert.equal('options' in readRecording(sink.text).head, false)
    }
  })

  it('events, as the local socket takes them', async () => {
    const sink = new Lines()
    await using kit = await testNode(node, { record: sink })
    await kit.advance(2.5)
    const raw = Uint8Array.of(0, 255)
    kit.send('all', {
      n: -(2n ** 63n),
      f: Number.NaN,
      to: '::1',
      at: '02:00:00:00:00:01',
      name: 'é',
      raw,
      more: [null, 'x'],
    })
    await kit.settle()
    await kit.advance(1)
    kit.send('datum', { data: 2n ** 64n - 1n }, { attempts: 2, time: kit.now - 0.25 })
    kit.gap(2)
    kit.transition('eth0', 'link', { link: true })
    await kit.close()
    const link = { index: 1, admin: false, link: true, mtu: 1500, mac: '02:fe:00:00:00:01', family: 0, prefix: 0 }
    assert.deepEqual(sink.lines, [
      {
        at: 2.5,
        event: 'all',
        seq: '1',
        time: 2.5,
        fields: {
          n: '-9223372036854775808',
          f: 'NaN',
          to: '::1',
          at: '02:00:00:00:00:01',
          name: 'é',
          raw: 'AP8=',
          more: [null, 'x'],
        },
      },
      {
        at: 3.5,
        event: 'datum',
        seq: '2',
        time: 3.25,
        fields: { data: '18446744073709551615' },
        redelivered: true,
        attempts: 2,
      },
      { at: 3.5, event: 'gap', seq: '4', time: 3.5, fields: { first: '3', last: '4', count: '2' } },
      { at: 3.5, event: 'link', seq: '5', time: 3.5, fields: { ...link, change: 'link', name: 'eth0' } },
      { at: 3.5, close: true },
      { at: 3.5, end: 'returned' },
    ])
  })

  const recorded = async (run: ProcessNode['run'], setup: NodeSetup = {}) => {
    const sink = new Lines()
    const definition = processNode({
      next: ['error-drop', 'ip4-lookup'],
      counters: { a: 'a', b: 'b' },
      run: run as never,
    })
    const kit = await testNode(definition, { ...setup, record: sink })
    return { kit, sink }
  }
  type Context = { count(name: string, by?: number): void; enqueue(next: string, p: Uint8Array, to?: object): boolean }

  it('commands, by name: counts, packets, refused ones too', async () => {
    const { sink, kit } = await recorded(async (vm, context) => {
      const { count, enqueue } = context as Context
      count.call(context, 'b')
      await vm.sleep(1.0004)
      count.call(context, 'a', 7)
      enqueue.call(context, 'ip4-lookup', Uint8Array.of(1, 2, 3), { rx: 4, flags: 8 })
      await vm.sleep(1)
      enqueue.call(context, 'error-drop', Uint8Array.of(9), { tx: 0 })
    })
    await kit.advance(2)
    kit.room = 0
    await kit.advance(1)
    assert.deepEqual(sink.deeds, [
      { at: 0, count: 'b', by: 1 },
      { at: 1, count: 'a', by: 7 },
      { at: 1, enqueue: 'ip4-lookup', packet: 'AQID', rx: 4, flags: 8 },
      { at: 2, enqueue: 'error-drop', packet: 'CQ==', tx: 0, refused: true },
      { at: 2, end: 'returned' },
    ])
  })

  it('commands of the CLI, and their answers', async () => {
    const { sink, kit } = await recorded(
      async vm => {
        await vm.cli('good')
        await vm.cli('bad').catch(() => {})
      },
      { cli: { good: { text: 'fine\n', after: 12 }, bad: { failed: 'no', status: 'CLI_BUSY', output: 'half' } } },
    )
    await kit.advance(20)
    assert.deepEqual(sink.deeds, [
      { at: 0, cli: 1, command: 'good' },
      { at: 12, answer: 1, text: 'fine\n' },
      { at: 12, cli: 2, command: 'bad' },
      { at: 12, answer: 2, failed: '"bad": no', status: 'CLI_BUSY', output: 'half' },
      { at: 12, end: 'returned' },
    ])
  })

  it('timers: when they were due and when that was seen', async () => {
    const sink = new Lines()
    const port = new TestPort()
    const recorder = recordPort(port, { next: [], counters: [], peers: [] }, sink)
    recorder.deadline(port.time + 10)
    recorder.now()
    port.time += 9
    recorder.now(true)
    port.time += 1.3
    recorder.now()
    recorder.now(true)
    recorder.now(true)
    recorder.now()
    assert.equal(port.nearest, 1010)
    recorder.end({ how: 'stopped' })
    // Looks that only check are no part of it; the first of them that finds the timer due is when it went off.
    assert.deepEqual(sink.lines, [
      { at: 10.3, now: [0, 10.3] },
      { at: 10.3, timer: 10, after: 10 },
      { at: 10.3, now: [10.3] },
      { at: 10.3, end: 'stopped' },
    ])
  })

  it('one that is left says so, and nothing more', () => {
    const sink = new Lines()
    const port = new TestPort()
    const recorder = recordPort(
      port,
      { next: [], counters: [{ name: 'a', text: '', severity: 'info' }], peers: [] },
      sink,
    )
    recorder.count(0, 1)
    assert.equal(recorder.recording, true)
    port.time += 2
    recorder.leave()
    assert.equal(recorder.recording, false)
    recorder.count(0, 1)
    recorder.now()
    port.put('x')
    assert.equal(recorder.take()?.type, 'x')
    assert.deepEqual(port.counted, [
      [0, 1],
      [0, 1],
    ])
    recorder.end({ how: 'returned' })
    assert.deepEqual(sink.lines, [
      { at: 0, count: 'a', by: 1 },
      { at: 2, end: 'left' },
    ])
  })

  it('a failure, with its error', async () => {
    const { sink, kit } = await recorded(async vm => {
      await vm.sleep(1)
      throw new RangeError('too far')
    })
    await assert.rejects(kit.advance(1), RangeError)
    assert.deepEqual(sink.lines.at(-1), { at: 1, end: 'failed', error: 'RangeError: too far' })
  })

  it('each life is a recording of its own', async () => {
    const { sink, kit } = await recorded(async (_, context) => (context as Context).count.call(context, 'a'))
    await kit.restart()
    const heads = sink.text.split('\n').filter(line => line.includes('"corod":"recording"'))
    assert.equal(heads.length, 2)
  })

  it('a sink that cannot be written ends the recording, not the node', async () => {
    let writes = 0
    const sink = {
      write() {
        if (++writes > 1) throw new Error('disk full')
      },
    }
    const definition = processNode({
      async run(vm) {
        await vm.sleep(5)
        await vm.sleep(5)
      },
    })
    await using kit = await testNode(definition, { record: sink })
    await kit.advance(10)
    assert.deepEqual(kit.result, { how: 'returned' })
    assert.equal(writes, 2)
    assert.match(kit.logs[0]?.text ?? '', /the recording ends here/)
  })
})

describe('record: what is read', () => {
  const head = '{"corod":"recording","version":1,"node":"a","start":0}\n'

  it('a last line that was cut off is left out', () => {
    assert.deepEqual(readRecording(`${head}{"at":1,"count":"a","by":1}\n{"at":2,"cou`).lines, [
      { at: 1, count: 'a', by: 1 },
    ])
  })

  it('what is no recording is told with its line', () => {
    const faults: [string, RegExp][] = [
      ['', /^line 1: there is no complete line/],
      [head.trimEnd(), /^line 1: there is no complete line/],
      ['hello\n', /^line 1: not JSON/],
      ['[]\n', /^line 1: not an object/],
      ['{"type":"enable"}\n', /^line 1: no recording/],
      [head.replace('1,', '9,'), /^line 1: version 9 of the format: this corod reads 1/],
      [head.replace('"start":0', '"start":"x"'), /^line 1: "node" or "start"/],
      [`${head}nonsense\n`, /^line 2: not JSON/],
      [`${head}{"at":1}\n`, /^line 2: none of event, timer/],
      [`${head}{"count":"a","by":1}\n`, /^line 2: "at" is missing/],
      [`${head}{"at":1,"count":"a","by":-1}\n`, /^line 2: "by" is not what it can be/],
      [`${head}{"at":1,"enqueue":"a","packet":"%"}\n`, /^line 2: "packet"/],
      [`${head}{"at":1,"event":"a","seq":"x","time":0,"fields":{}}\n`, /^line 2: "seq"/],
      [`${head}{"at":1,"end":"died"}\n`, /^line 2: "end"/],
      [`${head}{"at":2,"close":true}\n{"at":1,"close":true}\n`, /^line 3: "at" goes back from 2 to 1/],
    ]
    for (const [source, message] of faults) {
      assert.throws(
        () => readRecording(source),
        (error: unknown) => error instanceof RecordingError && message.test(error.message),
        source,
      )
    }
  })
})
