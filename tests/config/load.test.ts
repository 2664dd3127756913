import assert from 'node:assert/strict'
import { join, resolve } from 'node:path'
import fc from 'fast-check'
import { maxWorkers } from '../../daemon/config/executors.js'
import { type Config, loadConfig, loadControlSocket, locate, problemAt } from '../../daemon/config/load.js'
import { ConfigError } from '../../daemon/config/problems.js'
import { maxNodes } from '../../daemon/config/schema.js'
import { limits } from '../../shm/ring.js'
import { Folder } from '../support/folder.js'

describe('config/load', () => {
  let folder: Folder
  beforeEach(() => {
    folder = new Folder()
  })
  afterEach(() => folder[Symbol.dispose]())

  const load = (text: string): Config => loadConfig(folder.write('c.yaml', text))

  /** What is wrong with `text`, each as `line:col: path: message`. */
  function faults(text: string): string[] {
    const file = folder.write('c.yaml', text)
    try {
      loadConfig(file)
    } catch (error) {
      assert.ok(error instanceof ConfigError, String((error as Error).stack))
      return error.message.split('\n').map(line => {
        assert.ok(line.startsWith(`${file}:`), line)
        return line.slice(file.length + 1)
      })
    }
    return []
  }

  it('fills in every default', () => {
    const { nodes, file, host, control, log, signals, state } = load('nodes: { a: { module: a.js } }')
    assert.equal(file, folder.at('c.yaml'))
    assert.equal(state, '/var/lib/corod')
    assert.deepEqual(
      { host, control, log, signals },
      {
        host: {
          socket: '/run/vpp/corod.sock',
          reconnect: { min: 100, max: 5000 },
          pingInterval: 1000,
          pingTimeout: 5000,
        },
        control: {
          socket: '/run/corod/control.sock',
          mode: 0o660,
          limits: { body: 8 * 1024 ** 2, line: 65_536, headerTimeout: 5000, idleTimeout: 30_000, connections: 64 },
        },
        log: { level: 'info' },
        signals: [],
      },
    )
    assert.deepEqual(nodes, [
      {
        name: 'a',
        module: folder.at('a.js'),
        options: {},
        peers: {},
        executor: 'main',
        restart: { policy: 'on-failure', min: 100, max: 30_000, crashLoop: { count: 5, window: 60_000 } },
        queue: { backlog: 1024, bytes: 1024 ** 2, overflow: 'reject', ring: 65_536 },
        delivery: 'at-least-once',
        deadLetters: { after: 3, folder: '/var/lib/corod/dead-letters', size: 4 * 1024 ** 2 },
        record: undefined,
        interfaces: ['*'],
        grace: 5000,
        place: { file: folder.at('c.yaml'), line: 1, col: 10 },
      },
    ])
  })

  it('takes every key', () => {
    const config = load(`
host:
  socket: run/host.sock
  reconnect: { min: 10ms, max: 1m }
  ping-interval: 2s
  ping-timeout: 9s
control:
  socket: /tmp/corod.sock
  mode: 0600
  group: vpp
  limits: { body: 1MiB, line: 1KiB, header-timeout: 1s, idle-timeout: 1h, connections: 8 }
log: { level: debug }
signals: [dhcp-client-process, ip6-ra-process]
nodes:
  beacon-1:
    module: nodes/beacon.ts
    options: { dest: 192.0.2.1, deep: { list: [1, yes, null] } }
    executor: main
    restart: { policy: always, min: 1s, max: 2s, crash-loop: { count: 3, window: 10s } }
    queue: { backlog: 7, bytes: 8KiB, overflow: drop-oldest, ring: 4KiB }
    delivery: at-most-once
    interfaces: ['GigabitEthernet*', loop?]
    grace: 0ms
`)
    assert.equal(config.host.socket, folder.at('run/host.sock'))
    assert.deepEqual(config.host.reconnect, { min: 10, max: 60_000 })
    assert.equal(config.host.pingInterval, 2000)
    assert.equal(config.control.mode, 0o600)
    assert.equal(config.control.group, 'vpp')
    assert.deepEqual(config.control.limits, {
      body: 1024 ** 2,
      line: 1024,
      headerTimeout: 1000,
      idleTimeout: 3_600_000,
      connections: 8,
    })
    assert.equal(config.log.level, 'debug')
    assert.deepEqual(config.signals, ['dhcp-client-process', 'ip6-ra-process'])
    const [node] = config.nodes
    assert.equal(node?.name, 'beacon-1')
    assert.equal(node.module, folder.at('nodes/beacon.ts'))
    assert.deepEqual(node.options, { dest: '192.0.2.1', deep: { list: [1, 'yes', null] } })
    assert.deepEqual(node.restart, { policy: 'always', min: 1000, max: 2000, crashLoop: { count: 3, window: 10_000 } })
    assert.deepEqual(node.queue, { backlog: 7, bytes: 8192, overflow: 'drop-oldest', ring: 4096 })
    assert.equal(node.delivery, 'at-most-once')
    assert.deepEqual(node.interfaces, ['GigabitEthernet*', 'loop?'])
    assert.equal(node.grace, 0)
    assert.deepEqual(node.place, { file: folder.at('c.yaml'), line: 15, col: 3 })
  })

  it('takes the restart policy alone, with the defaults of the rest', () => {
    const [node] = load('nodes: { a: { module: a.js, restart: always } }').nodes
    assert.deepEqual(node?.restart, {
      policy: 'always',
      min: 100,
      max: 30_000,
      crashLoop: { count: 5, window: 60_000 },
    })
  })

  it('records nodes in the state folder, with bounds of their own; the command line records others', () => {
    const text =
      'state: s\nnodes: { a: { module: a.js, record: true }, b: { module: a.js, record: { files: 2 } }, c: { module: a.js, record: false } }'
    const size = 100 * 1024 ** 2
    const records = (config: Config) => config.nodes.map(node => node.record)
    const own = { folder: folder.at('s/recordings'), size, files: 10 }
    assert.deepEqual(records(load(text)), [own, { ...own, files: 2 }, undefined])
    const file = folder.write('c.yaml', text)
    const elsewhere = loadConfig(file, { state: 'elsewhere' })
    assert.equal(elsewhere.state, resolve('elsewhere'))
    assert.equal(elsewhere.nodes[0]?.record?.folder, resolve('elsewhere/recordings'))
    const named = { ...own, folder: resolve('rec') }
    assert.deepEqual(records(loadConfig(file, { record: { folder: 'rec' } })), [named, { ...named, files: 2 }, named])
    assert.deepEqual(records(loadConfig(file, { record: { folder: 'rec', names: ['c'] } })), [
      own,
      { ...own, files: 2 },
      named,
    ])
    assert.match(
      faults('state: ""\nnodes: { a: { module: a.js, record: often } }').join('\n'),
      /^1:8: state: is empty: .*\n2:37: nodes\.a\.record: /,
    )
  })

  it('has dead letters in the state folder, unless they are off', () => {
    const text =
      'state: s\nnodes: { a: { module: a.js, dead-letters: { after: 9 } }, b: { module: a.js, dead-letters: off } }'
    assert.deepEqual(
      load(text).nodes.map(node => node.deadLetters),
      [{ after: 9, folder: folder.at('s/dead-letters'), size: 4 * 1024 ** 2 }, undefined],
    )
    assert.deepEqual(faults('nodes: { a: { module: a.js, dead-letters: { after: 1 } } }'), [
      '1:52: nodes.a.dead-letters.after: 1 is too little: at least 2',
    ])
  })

  it('keeps the order of the file, whatever the names', () => {
    const { nodes } = load('nodes:\n  b: { module: a.js }\n  "10": { module: a.js }\n  "9": { module: a.js }\n')
    assert.deepEqual(
      nodes.map(node => node.name),
      ['b', '10', '9'],
    )
  })

  it('resolves modules against the file, not against the current folder', () => {
    const file = folder.write('c.yaml', 'nodes: { a: { module: ../x/a.mjs }, b: { module: /opt/b.js } }')
    const { nodes } = loadConfig(join(folder.path, '.', 'c.yaml'))
    assert.deepEqual(
      nodes.map(node => node.module),
      [resolve(folder.path, '../x/a.mjs'), '/opt/b.js'],
    )
    assert.equal(nodes[0]?.place.file, file)
  })

  it('lets the command line replace the sockets', () => {
    const file = folder.write('c.yaml', 'host: { socket: a }\nnodes: {}')
    const config = loadConfig(file, { hostSocket: '/x/host', controlSocket: 'rel' })
    assert.equal(config.host.socket, '/x/host')
    assert.equal(config.control.socket, resolve('rel'))
  })

  it('gives a node aliases of whole values, each its own copy', () => {
    const [a, b] = load(
      'nodes:\n  a: { module: a.js, options: &o { list: [1] }, queue: &q { backlog: 7 } }\n  b: { module: a.js, options: *o, queue: *q }\n',
    ).nodes
    assert.equal(b?.queue.backlog, 7)
    assert.deepEqual(b.options, { list: [1] })
    assert.notEqual(a?.options.list, b.options.list)
  })

  it('tells every fault at once, in order, with its place', () => {
    const text = `
host:
  soket: /x
  reconnect: { min: 5, max: 1 s }
  pingTimeout: 1s
control:
  mode: 0999
  group: []
  limits: { body: 64K, line: 64, connections: 0, timeout: 1s }
log: { level: verbose }
signals: dhcp
nodes:
  beacon:
    module: beacon.py
    overflow: reject
    queue: { overflow: drop-oldes, ring: 100KiB, backlog: many, bytes: 1.3B }
    restart: { polic: never, min: 5s, max: 1s }
  bad%name: { module: x.js }
  b: { restart: nevr, interfaces: [1, ""], delivery: 3, executor: 7, options: 3 }
  c: 7
  d:
  e: { restart: 3, module: '' }
  f: { restart: [], module: 7, grace: 9d }
extra: 1
`
    assert.deepEqual(faults(text), [
      "3:3: host.soket: unknown key, did you mean 'socket'?",
      '4:21: host.reconnect.min: 5 has no unit: write 5ms or 5s',
      "4:29: host.reconnect.max: '1 s' is not a duration: write 1s",
      "5:3: host.pingTimeout: unknown key, did you mean 'ping-timeout'?",
      "7:9: control.mode: '0999' is no file mode: write one such as '0660'",
      '8:10: control.group: expected text or a whole number, got a list',
      "9:19: control.limits.body: '64K' is not a size: write 64KiB",
      '9:30: control.limits.line: 64 has no unit: write 64B or 64KiB',
      '9:47: control.limits.connections: 0 is too little: at least 1',
      "9:50: control.limits.timeout: unknown key, did you mean 'idle-timeout'?",
      "10:15: log.level: 'verbose' is not one of error, warn, info, debug",
      "11:10: signals: expected a list, got 'dhcp'",
      '14:13: nodes.beacon.module: expected the path of a .js, .mjs or .ts file',
      "15:5: nodes.beacon.overflow: unknown key, it belongs to 'queue'",
      "16:24: nodes.beacon.queue.overflow: 'drop-oldes' is not one of reject, drop-oldest, drop-newest; did you mean drop-oldest?",
      '16:42: nodes.beacon.queue.ring: 100KiB is not a power of two: write 64KiB or 128KiB',
      "16:59: nodes.beacon.queue.backlog: expected a number, got 'many'",
      '16:72: nodes.beacon.queue.bytes: 1.3B is too little: at least 4KiB',
      "17:16: nodes.beacon.restart.polic: unknown key, did you mean 'policy'?",
      '17:44: nodes.beacon.restart.max: 1s is less than min (5s): raise max or lower min',
      "18:3: nodes: 'bad%name' is no name for a node, because of '%': use 1 to 63 of A-Z a-z 0-9 _ . -",
      '19:6: nodes.b.module: is missing: the module whose default export is the node, .js, .mjs or .ts; several nodes may use one',
      "19:17: nodes.b.restart: 'nevr' is not one of never, on-failure, always; did you mean never?",
      '19:36: nodes.b.interfaces[0]: expected text, got 1',
      "19:39: nodes.b.interfaces[1]: '' fits no interface name: 1 to 63 visible ASCII characters, * and ?",
      '19:54: nodes.b.delivery: 3 is not one of at-least-once, at-most-once',
      '19:67: nodes.b.executor: expected text, got 7',
      '19:79: nodes.b.options: expected a mapping, got 3',
      '20:6: nodes.c: expected a mapping, got 7',
      '21:5: nodes.d: has no value: expected a mapping, or leave the key out',
      '22:17: nodes.e.restart: 3 is not one of never, on-failure, always',
      '22:28: nodes.e.module: expected the path of a .js, .mjs or .ts file',
      '23:17: nodes.f.restart: expected one of never, on-failure, always or a mapping, got a list',
      '23:29: nodes.f.module: expected text, got 7',
      '23:39: nodes.f.grace: 9d is too much: at most 1h',
      '24:1: extra: unknown key, known here: host, control, log, state, signals, executors, nodes',
    ])
  })

  it('knows the executors: their limits, those that nodes name, and how many there may be', () => {
    const text =
      'executors: { slow: { max-heap: 64MiB, spin: 50us } }\nnodes: { a: { module: a.js, executor: slow } }\n'
    const { executors } = load(text)
    assert.deepEqual(executors, { slow: { maxHeap: 64 * 2 ** 20, maxStall: 5000, spin: 0.05 } })
    assert.deepEqual(
      faults(`executors:
  main: { max-heap: 1GiB, max-stall: 1s }
  odd: { max-stal: 1s, spin: 1s, max-heap: 1KiB }
nodes:
  a: { module: a.js, executor: ood }
  b: { module: a.js, executor: other }
`),
      [
        "2:21: executors.main.max-heap: main has no limit of its own, its heap is the daemon's: give the nodes that may leak another executor, or start the daemon with NODE_OPTIONS=--max-old-space-size=MEBIBYTES",
        "3:10: executors.odd.max-stal: unknown key, did you mean 'max-stall'?",
        '3:30: executors.odd.spin: 1s is too much: at most 10ms',
        '3:44: executors.odd.max-heap: 1KiB is too little: at least 8MiB',
        "5:32: nodes.a.executor: there is no executor 'ood': did you mean odd?",
        "6:32: nodes.b.executor: there is no executor 'other': write  executors: { other: {} }  or use worker",
      ],
    )
    assert.deepEqual(faults('executors: { bad%: {}, x: {} }\nnodes: { a: { module: a.js, executor: x } }'), [
      "1:14: executors: 'bad%' is no name for an executor, because of '%': use 1 to 63 of A-Z a-z 0-9 _ . -",
    ])
    const many = Array.from(
      { length: 18 },
      (_, i) => `  n${i}: { module: a.js, executor: ${i < 2 ? 'main' : 'worker'} }\n`,
    )
    assert.deepEqual(faults(`nodes:\n${many.slice(0, 17).join('')}`), [])
    assert.deepEqual(faults(`nodes:\n${many.join('')}`), [
      '19:34: nodes.n17.executor: this is worker thread 16, a daemon has 15 beside main: let nodes share one, by a name of `executors`',
    ])
    assert.equal(maxWorkers, limits.executors - 1)
  })

  it('refuses names that VPP would choke on, and says why', () => {
    const refused: [string, RegExp][] = [
      ["'%s'", /because of '%'/],
      ['a/b', /because of '\/'/],
      ["'a b'", /because of ' '/],
      ["''", /name is empty/],
      ['ä', /because of 'ä'/],
      ['"a\\0"', /because of '\\x00'/],
      ['-a', /starts with a letter, digit or _/],
      ['..', /starts with a letter, digit or _/],
      ['y'.repeat(64), /it has 64 characters/],
    ]
    for (const [name, why] of refused) {
      const found = faults(`nodes:\n  ${name}: { module: a.js }\n`)
      assert.equal(found.length, 1, found.join('\n'))
      assert.match(found[0]!, why)
      assert.match(found[0]!, /^2:3: nodes: /)
    }
    for (const name of ['y'.repeat(63), 'a', '_x', '0', 'A.b-c_9', 'constructor', 'toString'])
      assert.deepEqual(faults(`nodes: { ${name}: { module: a.js } }`), [], name)
  })

  it('refuses two nodes of one name', () => {
    assert.deepEqual(faults('nodes:\n  a: { module: a.js }\n  b: { module: b.js }\n  a: { module: a.js }\n'), [
      "4:3: nodes.a: the key 'a' is here twice (first in line 2): keep one",
    ])
    assert.match(faults('nodes: { 1: { module: a.js }, "1": { module: b.js } }')[0]!, /'1' is here twice/)
  })

  it('says what to write into an empty file and instead of a list', () => {
    for (const text of ['', '\n\n', '# nothing\n', '---\n', 'null'])
      assert.match(faults(text)[0]!, /^\d:\d: the file is empty: write at least {2}nodes: /, JSON.stringify(text))
    assert.match(faults('- a\n')[0]!, /^1:1: expected a mapping of sections, got a list/)
    assert.match(faults('hello')[0]!, /^1:1: expected a mapping of sections, got plain text/)
    assert.match(faults('host: {}\n')[0]!, /^1:1: nodes: is missing: /)
    assert.match(faults('nodes:\n')[0]!, /nodes: has no value: expected a mapping, such as {2}name: /)
    assert.match(faults('nodes:\n  - name: a\n')[0]!, /^2:3: nodes: expected a mapping, .* got a list/)
  })

  it('refuses file modes that are none or that shut out the daemon', () => {
    for (const mode of ['0660', "'0660'", '660', "'660'", '0600', '0777'])
      assert.deepEqual(
        faults(`control: { mode: ${mode} }\nnodes: {}`).filter(() => !/^'?660$/.test(mode)),
        [],
        mode,
      )
    assert.equal(load("control: { mode: '660' }\nnodes: {}").control.mode, 0o660)
    for (const mode of ['060', '0060', '0400'])
      assert.match(faults(`control: { mode: ${mode} }\nnodes: {}`)[0]!, /shuts out/)
    for (const mode of ['0o660', '432', 'rw', '01777', 'null', '[]'])
      assert.match(faults(`control: { mode: ${mode} }\nnodes: {}`)[0]!, /file mode/, mode)
  })

  it('refuses sockets that cannot be', () => {
    assert.match(faults(`host: { socket: /tmp/${'x'.repeat(120)} }\nnodes: {}`)[0]!, /^1:17: host.socket: .* 107/)
    assert.match(faults('control: { socket: "@abstract" }\nnodes: {}')[0]!, /no permissions/)
    assert.match(faults('control: { socket: "" }\nnodes: {}')[0]!, /is empty/)
    assert.match(faults('control: { socket: "a\\0b" }\nnodes: {}')[0]!, /NUL/)
  })

  it('refuses more nodes than an attachment has slots for', () => {
    const nodes = (count: number) =>
      `nodes:\n${Array.from({ length: count }, (_, i) => `  n${i}: { module: a.js }\n`).join('')}`
    assert.equal(load(nodes(maxNodes)).nodes.length, maxNodes)
    assert.match(faults(nodes(maxNodes + 1))[0]!, /more than 4095 nodes/)
  }).timeout(60_000)

  it('locates values for faults that are found later', () => {
    const config = load(
      'nodes:\n  a:\n    module: a.js\n    options: &o { x: [1, 2] }\n  b: { module: a.js, options: *o }\n',
    )
    const place = (...path: (string | number)[]) => {
      const { line, col } = locate(config, path)
      return `${line}:${col}`
    }
    assert.equal(place('nodes', 'a', 'module'), '3:13')
    assert.equal(place('nodes', 'a', 'options', 'x', 1), '4:26')
    assert.equal(place('nodes', 'b', 'options', 'x', 1), '4:26')
    assert.equal(place('nodes', 'a', 'queue', 'ring'), '3:5')
    assert.equal(place(), '1:1')
    assert.equal(locate({ ...config }, ['nodes', 'a', 'module']).line, 3)
    assert.deepEqual(problemAt(config, ['nodes', 'a', 'module'], 'no such file'), {
      file: folder.at('c.yaml'),
      line: 3,
      col: 13,
      path: 'nodes.a.module',
      message: 'no such file',
    })
  })

  it('finds the control socket of a file that is half-edited elsewhere', () => {
    const file = folder.write('c.yaml', 'control: { socket: c.sock }\nnodes: { a: { modul: 3 } }\nx: 1\n')
    assert.equal(loadControlSocket(file), folder.at('c.sock'))
    assert.equal(loadControlSocket(folder.write('d.yaml', 'nodes: {}')), '/run/corod/control.sock')
    assert.throws(() => loadControlSocket(folder.write('e.yaml', 'control: { socket: 3 }')), {
      name: 'ConfigError',
      message: `${folder.at('e.yaml')}:1:20: control.socket: expected text, got 3`,
    })
  })

  it('answers any text with a configuration or with problems in it, never with another error', () => {
    const word = fc.constantFrom(
      'nodes',
      'a',
      'module',
      'a.js',
      'host',
      'socket',
      '&x',
      '*x',
      '<<',
      '!t',
      '1',
      '5s',
      '~',
    )
    const mark = fc.constantFrom(
      ':',
      ': ',
      '\n',
      '\n  ',
      '\n    ',
      '- ',
      '[',
      ']',
      '{',
      '}',
      ', ',
      '"',
      "'",
      '|',
      '>',
      '\t',
      '#',
      '? ',
    )
    const text = fc.array(fc.oneof(word, mark, fc.string({ maxLength: 3 })), { maxLength: 40 }).map(all => all.join(''))
    fc.assert(
      fc.property(text, given => {
        for (const line of faults(given)) assert.match(line, /^\d+:\d+: \S/)
      }),
      { numRuns: 1000 },
    )
  })
})
