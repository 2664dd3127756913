import assert from 'node:assert/strict'
import { prettyLine } from '../../daemon/host/log.js'
import { matcher } from '../../daemon/host/pattern.js'

describe('pretty log', () => {
  const time = '2026-01-02T10:15:01.123Z'

  it('has the time, the level, the node, the text and the fields', () => {
    const line = prettyLine({ level: 'info', time, msg: 'enabled', node: 'beacon', dest: '10.0.0.1', n: 3 }, false)
    assert.equal(line, '10:15:01.123 info  beacon: enabled dest=10.0.0.1 n=3\n')
  })

  it('has the stack of an error on lines of its own', () => {
    const line = prettyLine({ level: 'error', time, msg: 'failed', err: { stack: 'Error: x\n at y' } }, false)
    assert.equal(line, '10:15:01.123 error failed\n    Error: x\n     at y\n')
  })

  it('lets nobody move the cursor', () => {
    const line = prettyLine({ level: 'warn', time, msg: 'a\x1b[2Jb\nc', s: '\x1b]0;x\x07' }, false)
    assert.ok(!line.slice(0, -1).includes('\x1b') && !line.slice(0, -1).includes('\n'), line)
  })

  it('is coloured only if asked', () => {
    assert.ok(prettyLine({ level: 'warn', time, msg: 'x' }, true).includes('\x1b[33m'))
  })
})

describe('interface patterns', () => {
  it('are those of a shell, not regular expressions', () => {
    const wanted = matcher(['eth?', 'Gig*/0/*', 'a.b', '[x]'])
    assert.deepEqual(['eth0', 'eth', 'eth10', 'GigabitEthernet8/0/1', 'a.b', 'axb', '[x]', 'x'].filter(wanted), [
      'eth0',
      'GigabitEthernet8/0/1',
      'a.b',
      '[x]',
    ])
  })

  it('of none match nothing, and * everything', () => {
    assert.equal(matcher([])('eth0'), false)
    assert.equal(matcher(['x', '*'])('line\nbreak'), true)
  })
})
