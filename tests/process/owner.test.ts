// Whose an error is that nobody awaited. In a process of its own, because mocha ends a run on such errors.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, it } from 'mocha'
import { dismiss, enrol, findSuspects } from '../../daemon/process/owner.js'
import { Folder } from '../support/folder.js'

const run = promisify(execFile)
const dist = new URL('../../', import.meta.url).href

// Two nodes from two modules, each with an error of the given kind that `run` never sees; prints who is said to own it.
async function owners(kind: string, follow: boolean): Promise<string[]> {
  using folder = new Folder()
  const module = (name: string) =>
    folder.write(
      `${name}.mjs`,
      `import { processNode } from '${dist}daemon/index.js'
       export default processNode({ async run(vm, node) {
         await vm.sleep(0)
         ${kind}
         await node.inbox.recv()
       } })`,
    )
  const main = folder.write(
    'main.mjs',
    `import { NodeRuntime, ownerOf } from '${dist}daemon/process/runtime.js'
     import { followContexts } from '${dist}daemon/process/owner.js'
     ${follow ? 'followContexts(true)' : 'followContexts(false)'}
     const told = []
     const tell = error => { const owner = ownerOf(error); told.push(owner?.name ?? 'nobody'); owner?.fail(error) }
     process.on('unhandledRejection', tell)
     process.on('uncaughtException', tell)
     const quiet = { debug() {}, info() {}, warn() {}, error() {} }
     const never = { take() {}, takeBatch: () => [], release() {}, closed: () => false, deadline() {}, late() {}, count() {} }
     const start = async path => {
       const definition = (await import('file://' + path)).default
       const name = path.split('/').at(-1)
       return new NodeRuntime(definition, { ...never, name, options: {}, log: quiet, codeUrl: 'file://' + path + ':',
         now: () => performance.now(), enqueue: () => true, cli: async () => { throw new Error('no') } }).run()
     }
     const ended = await Promise.all(process.argv.slice(2).map(start))
     console.log(JSON.stringify([...told.sort(), ...ended.map(result => result.how)]))`,
  )
  const { stdout } = await run(process.execPath, [main, module('first'), module('second')], { timeout: 30_000 })
  return JSON.parse(stdout)
}

const both = ['first.mjs', 'second.mjs', 'failed', 'failed']

describe('owner of an error', () => {
  const anywhere = {
    'a rejection of an error made in its module': `Promise.reject(new Error('forgotten'))`,
    'an error thrown in a callback of its module': `setTimeout(() => { throw new Error('in a callback') }, 1)`,
    'a forgotten vm.cli that failed': `void vm.cli('show version')`,
    'a forgotten vm.timeout': `void vm.timeout(0, node.inbox)`,
    'a forgotten vm.timeout whose work fails': `void vm.timeout(1, async () => { throw { stack: 'of nobody' } })`,
  }
  for (const [name, code] of Object.entries(anywhere)) {
    for (const follow of [false, true]) {
      it(`${name}, ${follow ? 'following contexts' : 'by the error alone'}`, async () => {
        assert.deepEqual(await owners(code, follow), both)
      })
    }
  }

  it('something that is no error at all: by its context', async () => {
    assert.deepEqual(await owners(`Promise.reject('text')`, true), both)
    assert.deepEqual(await owners(`setTimeout(() => { throw 5 }, 1)`, true), both)
  })

  it('nobody’s, if it cannot be told', async () => {
    const lonely = `setTimeout(() => { node.inbox.recv = 0 }, 1); Promise.reject('text'); setTimeout(() => process.exit(console.log('["nobody"]')), 20)`
    assert.deepEqual(await owners(lonely, false), ['nobody'])
  })

  it('suspects: whose module is in the stack, else all that live; none has ended, and none for a fault of corod', () => {
    const owner = (name: string) => ({ name, codeUrl: `/suspects/${name.slice(0, 1)}.ts:` })
    const [a1, a2, b, c] = [owner('a1'), owner('a2'), owner('b'), owner('c')]
    const error = (...places: string[]) => ({ stack: ['Error: x', ...places.map(at => `    at f (${at})`)].join('\n') })
    const own = new URL('../../daemon/host/daemon.js', import.meta.url)
    for (const one of [a1, a2, b, c]) enrol(one)
    dismiss(c)
    // Nodes of other tests in this process may live, too.
    const ours = (reason: unknown) => findSuspects(reason)?.filter(one => [a1, a2, b, c].some(own => own === one))
    try {
      assert.deepEqual(findSuspects(error('/suspects/a.ts:1:1', `${own.href}:1:1`)), [a1, a2])
      assert.deepEqual(ours(error('/suspects/helper.ts:1:1', 'node:internal/timers:1:1')), [a1, a2, b])
      assert.deepEqual(ours(error('node:net:1611:16')), [a1, a2, b])
      assert.deepEqual(ours(null), [a1, a2, b])
      assert.deepEqual(findSuspects(error('/suspects/c.ts:1:1')), [])
      assert.equal(findSuspects(error(`${own.href}:1:1`, 'node:internal/timers:1:1')), undefined)
    } finally {
      for (const one of [a1, a2, b]) dismiss(one)
    }
  })
})
