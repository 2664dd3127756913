import assert from 'node:assert/strict'
import fc from 'fast-check'
import { suggest } from '../../daemon/config/suggest.js'

describe('config/suggest', () => {
  const known = ['socket', 'reconnect', 'ping-interval', 'ping-timeout', 'overflow', 'ring']

  it('finds a word with a letter missing, added, wrong or swapped', () => {
    for (const [word, meant] of [
      ['soket', 'socket'],
      ['sockett', 'socket'],
      ['sacket', 'socket'],
      ['sokcet', 'socket'],
      ['rnig', 'ring'],
    ] as const)
      assert.equal(suggest(word, known), meant)
  })

  it('takes other case, underscores and the beginning of a word for the word', () => {
    assert.equal(suggest('pingInterval', known), 'ping-interval')
    assert.equal(suggest('PING_TIMEOUT', known), 'ping-timeout')
    assert.equal(suggest('over', known), 'overflow')
  })

  it('says nothing about a word that is like none', () => {
    assert.equal(suggest('modules', known), undefined)
    assert.equal(suggest('', known), undefined)
    assert.equal(suggest('socket', []), undefined)
    assert.equal(suggest('s'.repeat(1_000_000), known), undefined)
  })

  it('knows every known word', () => {
    fc.assert(fc.property(fc.constantFrom(...known), word => suggest(word, known) === word))
  })
})
