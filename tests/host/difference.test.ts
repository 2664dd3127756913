import assert from 'node:assert/strict'
import { loadConfig } from '../../daemon/config/load.js'
import { type Difference, difference, type Version } from '../../daemon/host/difference.js'
import type { LoadedNode } from '../../daemon/host/modules/loader.js'
import { Folder } from '../support/folder.js'

/** A configuration with its nodes; a module's URL is its path, but for those that `code` gives another one. */
function version(yaml: string, code: Readonly<Record<string, string>> = {}): Version {
  using folder = new Folder()
  const config = loadConfig(folder.write('corod.yaml', yaml))
  const fixed = { ...config, file: '/corod.yaml', host: { ...config.host, socket: config.host.socket } }
  const nodes = config.nodes.map(node => {
    const settings = { ...node, module: node.module.replace(folder.path, '') }
    return { config: settings, url: code[node.name] ?? settings.module } as unknown as LoadedNode
  })
  return { config: { ...fixed, nodes: nodes.map(node => node.config) }, nodes }
}

const names = (nodes: readonly LoadedNode[]) => nodes.map(node => node.config.name)
const why = (changed: Difference['changed']) =>
  Object.fromEntries(changed.map(({ node, why }) => [node.config.name, why]))
const plain = 'nodes:\n  a: { module: ./a.ts }\n  b: { module: ./b.ts, options: { n: [1, { x: 2 }] } }\n'

describe('the difference of two configurations', () => {
  it('is nothing between two readings of one file', () => {
    const { unchanged, ...rest } = difference(version(plain), version(plain))
    assert.deepEqual(names(unchanged), ['a', 'b'])
    assert.deepEqual(Object.values(rest).flat(), [])
  })

  it('knows added, removed and unchanged nodes, wherever they stand in the file', () => {
    const after = version('nodes:\n  c: { module: ./c.ts }\n\n  b: { module: ./b.ts, options: { n: [1, { x: 2 }] } }\n')
    const { added, removed, unchanged, changed } = difference(version(plain), after)
    assert.deepEqual([names(added), names(removed), names(unchanged), changed], [['c'], ['a'], ['b'], []])
  })

  const restarts: readonly [string, string, readonly string[]][] = [
    ['the path of its module', 'module: ./other.ts', ['module']],
    ['its options', 'module: ./a.ts, options: { every: 1 }', ['options']],
    ['its peers', 'module: ./a.ts, peers: { to: b }', ['peers.to']],
    ['its queue', 'module: ./a.ts, queue: { backlog: 5, overflow: drop-oldest }', ['queue.backlog', 'queue.overflow']],
    ['its executor', 'module: ./a.ts, executor: worker', ['executor']],
    ['its interfaces', 'module: ./a.ts, interfaces: [eth*]', ['interfaces']],
    ['its delivery', 'module: ./a.ts, delivery: at-most-once', ['delivery']],
  ]
  for (const [what, node, keys] of restarts) {
    it(`changes a node by ${what}`, () => {
      const { changed, adjusted, unchanged } = difference(
        version(plain),
        version(plain.replace('module: ./a.ts', node)),
      )
      assert.deepEqual(why(changed), { a: keys })
      assert.deepEqual([adjusted, names(unchanged)], [[], ['b']])
    })
  }

  it('changes the nodes of an executor whose settings change', () => {
    const yaml = (more: string) => `${more}nodes:\n  a: { module: ./a.ts, executor: slow }\n  b: { module: ./b.ts }\n`
    const before = version(yaml('executors: { slow: { max-heap: 128MiB } }\n'))
    const { changed, unchanged } = difference(before, version(yaml('executors: { slow: { max-heap: 256MiB } }\n')))
    assert.deepEqual([why(changed), names(unchanged)], [{ a: ['executors.slow.max-heap'] }, ['b']])
  })

  it('leaves nodes of the main thread alone, whose settings take a restart', () => {
    const after = version(`executors: { main: { spin: 50us } }\n${plain}`)
    const { unchanged, needsRestart } = difference(version(`executors: { main: {} }\n${plain}`), after)
    assert.deepEqual([names(unchanged), needsRestart], [['a', 'b'], ['executors.main.spin']])
  })

  it('changes a node by the code of its module', () => {
    const { changed } = difference(version(plain), version(plain, { b: 'file:///b-2.mjs' }))
    assert.deepEqual(why(changed), { b: ['code'] })
  })

  it('adjusts a node by what is read when it is needed', () => {
    const more = 'module: ./a.ts, grace: 1s, restart: { policy: always, max: 1m }'
    const { changed, adjusted } = difference(version(plain), version(plain.replace('module: ./a.ts', more)))
    assert.deepEqual(changed, [])
    assert.deepEqual(why(adjusted), { a: ['restart.policy', 'restart.max', 'grace'] })
  })

  it('changes a node in which one key of each kind changed', () => {
    const more = 'module: ./a.ts, grace: 1s, delivery: at-most-once'
    const { changed, adjusted } = difference(version(plain), version(plain.replace('module: ./a.ts', more)))
    assert.deepEqual([why(changed), adjusted], [{ a: ['delivery', 'grace'] }, []])
  })

  it('says which settings apply at once and which take a restart', () => {
    const after = `host: { socket: /other.sock, ping-interval: 2s, reconnect: { max: 1m } }
control: { mode: '0600', limits: { body: 1MiB } }
log: { level: debug }
signals: [dhcp-client-process]
${plain}`
    const { settings, needsRestart, unchanged } = difference(version(plain), version(after))
    assert.deepEqual(settings, ['host.reconnect.max', 'host.ping-interval', 'log.level', 'signals'])
    assert.deepEqual(needsRestart, ['host.socket', 'control.mode', 'control.limits.body'])
    const less = difference(version(after), version(plain))
    assert.deepEqual(less.needsRestart, ['host.socket', 'control.mode', 'control.limits.body', 'signals'])
    assert.deepEqual(names(unchanged), ['a', 'b'])
  })
})
