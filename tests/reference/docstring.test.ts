import assert from 'node:assert/strict'
import { parseDocstring } from '../../daemon/reference/docstring.js'

describe('reference/docstring', () => {
  it('one line is text', () => {
    const doc = parseDocstring('/** What it does. */')
    assert.deepEqual(doc, {
      text: 'What it does.',
      params: [],
      returns: undefined,
      throws: [],
      examples: [],
      internal: false,
    })
  })

  it('keeps paragraphs, lists and the indentation of examples', () => {
    const doc = parseDocstring(`/**
     * First.
     *
     * - one
     * - two
     *
     * @example
     * for (;;) {
     *   wait()
     * }
     */`)
    assert.equal(doc.text, 'First.\n\n- one\n- two')
    assert.deepEqual(doc.examples, ['for (;;) {\n  wait()\n}'])
  })

  it('reads every tag, over several lines', () => {
    const doc = parseDocstring(`/**
     * Says {@link Timer}.
     * @param ms how long,
     * in milliseconds
     * @param options.signal - ends it
     * @returns what came
     * @throws TimeoutError if late
     * @throws RangeError
     * @internal
     */`)
    assert.equal(doc.text, 'Says `Timer`.')
    assert.deepEqual(doc.params, [
      { name: 'ms', text: 'how long,\nin milliseconds' },
      { name: 'options.signal', text: 'ends it' },
    ])
    assert.equal(doc.returns, 'what came')
    assert.deepEqual(doc.throws, ['TimeoutError if late', 'RangeError'])
    assert.equal(doc.internal, true)
  })

  it('a tag that starts the comment, and one that follows a sentence', () => {
    assert.equal(parseDocstring('/** @internal The code. */').internal, true)
    assert.deepEqual(parseDocstring('/** Ends it. @throws what it threw. */').throws, ['what it threw.'])
  })

  it('an @ within a text is no tag', () => {
    assert.equal(
      parseDocstring('/** Mail to a@example.org, or\n * see `@types/node`. */').text,
      'Mail to a@example.org, or\nsee `@types/node`.',
    )
  })

  it('an unknown tag is a mistake', () => {
    assert.throws(() => parseDocstring('/** X.\n * @return y */'), /@return is none that the pages know/)
  })
})
