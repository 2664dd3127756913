import assert from 'node:assert/strict'
import { anchorOf, linked } from '../../daemon/reference/links.js'

describe('reference/links', () => {
  it('anchors are those of GitHub: small, without punctuation, numbered when they come again', () => {
    const taken = new Map<string, number>()
    assert.equal(anchorOf('Message', taken), 'message')
    assert.equal(anchorOf('message', taken), 'message-1')
    assert.equal(anchorOf('vm.sleep', taken), 'vmsleep')
    assert.equal(anchorOf('Kinds of fields', taken), 'kinds-of-fields')
    assert.equal(anchorOf('message', taken), 'message-2')
  })

  const places = new Map([
    ['Timer', { file: 'api.md', anchor: 'timer' }],
    ['Vm.sleep', { file: 'api.md', anchor: 'vmsleep' }],
    ['channel', { file: 'api.md', anchor: 'channel' }],
    ['NodeKit', { file: 'api-testing.md', anchor: 'nodekit' }],
  ])
  const on = (file: string, text: string, name = '') => linked(text, { file, name }, places)

  it('names in backticks become links, also by the variable that one writes', () => {
    assert.equal(on('api.md', 'a `Timer`, `vm.sleep(1)`'), 'a [`Timer`](#timer), [`vm.sleep(1)`](#vmsleep)')
    assert.equal(on('api.md', '`channel()`, not `channel`'), '[`channel()`](#channel), not `channel`')
    assert.equal(on('api.md', '`readonly Timer[]` `Timer<X>`'), '[`readonly Timer[]`](#timer) [`Timer<X>`](#timer)')
  })

  it('to another page with its file, to its own place not at all', () => {
    assert.equal(on('api.md', '`NodeKit`'), '[`NodeKit`](api-testing.md#nodekit)')
    assert.equal(on('api-testing.md', '`Timer`'), '[`Timer`](api.md#timer)')
    assert.equal(on('api.md', '`Timer`', 'Timer'), '`Timer`')
  })

  it('what is a link already, no name, or unknown stays', () => {
    for (const text of ['[`Timer`](x.md)', '`a b`', '`Unknown`', '`vm.nothing`', 'Timer'])
      assert.equal(on('api.md', text), text)
  })
})
