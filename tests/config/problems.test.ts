import assert from 'node:assert/strict'
import fc from 'fast-check'
import { ConfigError, formatPath, formatProblem, printable, quote } from '../../daemon/config/problems.js'

describe('config/problems', () => {
  it('a problem is told as compilers do', () => {
    const problem = { file: 'corod.yaml', line: 3, col: 5, path: 'nodes.a.module', message: 'is missing' }
    assert.equal(formatProblem(problem), 'corod.yaml:3:5: nodes.a.module: is missing')
    assert.equal(formatProblem({ ...problem, path: '' }), 'corod.yaml:3:5: is missing')
  })

  it('an error has all its problems in its message', () => {
    const problem = { file: 'f', line: 1, col: 1, path: '', message: 'x' }
    const error = new ConfigError([problem, { ...problem, line: 2 }])
    assert.equal(error.message, 'f:1:1: x\nf:2:1: x')
    assert.equal(error.name, 'ConfigError')
  })

  it('paths read like code, odd keys are quoted', () => {
    assert.equal(formatPath(['nodes', 'uplink-1', 'interfaces', 0]), 'nodes.uplink-1.interfaces[0]')
    assert.equal(formatPath(['nodes', 'a b\n']), "nodes['a b\\n']")
    assert.equal(formatPath([]), '')
  })

  it('printable text moves no cursor and breaks no line', () => {
    assert.equal(printable('a\x1b[31mb\nc\td\u202ee\u2028'), 'a\\x1b[31mb\\nc\\td\\u{202e}e\\u{2028}')
    assert.equal(printable('Größe 🙂'), 'Größe 🙂')
    fc.assert(fc.property(fc.string({ unit: 'binary' }), text => !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(printable(text))))
  })

  it('quoted text has an end', () => {
    assert.equal(quote('x'.repeat(1000)), `'${'x'.repeat(60)}…'`)
  })
})
