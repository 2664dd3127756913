import assert from 'node:assert/strict'
import { ConfigError } from '../../daemon/config/problems.js'
import { type Served, serve } from '../control/plane.js'
import { corod } from './corod.js'

const problem = { file: '/c.yaml', line: 3, col: 7, path: 'nodes.a.grace', message: "'soon' is not a duration" }

describe('cli: reload', () => {
  let served: Served
  beforeEach(async () => {
    served = await serve()
  })
  afterEach(() => served[Symbol.asyncDispose]())

  const reload = (...args: string[]) => corod(['--socket', served.socket, 'reload', ...args])

  it('says what was done, a line for each kind', async () => {
    const { code, stdout, stderr } = await reload()
    assert.deepEqual([code, stderr], [0, ''])
    assert.deepEqual(stdout.trimEnd().split('\n'), [
      'changed: echo (code, options)',
      'added: new',
      'unchanged: 1 node',
      'not applied, for a restart of the daemon: host.socket',
    ])
    assert.equal((await reload('--quiet')).stdout, '')
  })

  it('says that nothing changed', async () => {
    const report = await served.plane.reload()
    const nothing = { ...report, added: [], changed: [], needsRestart: [], unchanged: ['a', 'b'] }
    served.plane.reloaded = async () => nothing
    assert.equal((await reload()).stdout, 'nothing changed: 2 nodes\n')
  })

  it('prints the report for programs', async () => {
    const { code, stdout } = await reload('--json')
    assert.equal(code, 0)
    assert.deepEqual(JSON.parse(stdout), await served.plane.reload())
  })

  it('ends with status 1 if a node does not run, and says why', async () => {
    const report = await served.plane.reload()
    served.plane.reloaded = async () => ({ ...report, failed: [{ name: 'new', error: 'NEXT_UNKNOWN: no\nsuch' }] })
    const { code, stderr } = await reload()
    assert.deepEqual([code, stderr], [1, 'corod: node new does not run: NEXT_UNKNOWN: no\\nsuch\n'])
    assert.deepEqual([(await reload('--json')).code, (await reload('--json')).stderr], [1, ''])
  })

  it('ends with status 78 for a bad file, and says what is wrong where', async () => {
    served.plane.reloaded = () => Promise.reject(new ConfigError([problem]))
    const { code, stdout, stderr } = await reload()
    assert.deepEqual([code, stdout], [78, ''])
    assert.equal(stderr, "/c.yaml:3:7: nodes.a.grace: 'soon' is not a duration\ncorod: nothing was changed\n")
    const json = await reload('--json')
    assert.deepEqual([json.code, json.stderr], [78, ''])
    assert.deepEqual(JSON.parse(json.stdout), { ok: false, problems: [problem] })
  })

  it('ends with status 69 when there is no daemon', async () => {
    const { code, stderr } = await corod(['--socket', `${served.socket}.not`, 'reload'])
    assert.equal(code, 69)
    assert.match(stderr, /no daemon is listening/)
  })
})
