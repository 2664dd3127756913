// Errors: their codes are stable, listed in the docs, and known to the docs only.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'mocha'
import {
  ChannelClosedError,
  CliError,
  errorCodes,
  NodeStoppedError,
  PeerDiedError,
  ProcessError,
  ReceiverBusyError,
  RefusedError,
  TimeoutError,
  UnansweredError,
  UndeliveredError,
} from '../../daemon/process/errors.js'
import { root } from '../support/folder.js'

const each: ProcessError[] = [
  new TimeoutError(),
  new ChannelClosedError(),
  new ReceiverBusyError('inbox'),
  new NodeStoppedError('x'),
  new CliError('show', 'CLI_FAILED', 'no'),
  new UndeliveredError('peer', 'FULL', 'its queue is full'),
  new RefusedError('peer', 'no'),
  new UnansweredError('peer'),
  new PeerDiedError('peer'),
]

describe('errors', () => {
  it('every class has its own code and name', () => {
    for (const error of each) {
      assert.ok(error.code in errorCodes)
      assert.equal(error.name, error.constructor.name)
      assert.ok(error instanceof Error && error instanceof ProcessError)
      for (const other of each) {
        assert.equal(error instanceof (other.constructor as typeof ProcessError), error === other)
      }
    }
    assert.equal(new Set(each.map(error => error.code)).size, each.length)
  })

  it('errors of another copy of this package are recognised', async () => {
    const path = new URL('../../daemon/process/errors.js?copy', import.meta.url).href
    const copy = (await import(path)) as { TimeoutError: typeof TimeoutError }
    assert.notEqual(copy.TimeoutError, TimeoutError)
    const foreign: unknown = new copy.TimeoutError()
    assert.ok(foreign instanceof TimeoutError)
    assert.ok(foreign instanceof ProcessError)
    assert.equal(foreign instanceof NodeStoppedError, false)
  })

  it('a class derived by an author is its own', () => {
    class Mine extends CliError {}
    const mine = new Mine('a', 'CLI_FAILED', 'b')
    assert.ok(mine instanceof Mine && mine instanceof CliError)
    assert.equal(new CliError('a', 'CLI_FAILED', 'b') instanceof Mine, false)
  })

  it('docs/writing-a-node.md lists the same codes with the same meaning', () => {
    const text = readFileSync(join(root, 'docs', 'writing-a-node.md'), 'utf8')
    const rows = [...text.matchAll(/^\| `(ERR_\w+)` \| (.*) \|$/gm)].map(match => [match[1], match[2]])
    assert.deepEqual(Object.fromEntries(rows), errorCodes)
  })
})
