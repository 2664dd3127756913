import assert from 'node:assert/strict'
import { parseYaml } from '../../daemon/config/document.js'

/** The problems of `text`, each as `line:col: path: message`. */
function faults(text: string): string[] {
  return parseYaml(text, 'f').problems.map(({ line, col, path, message }) => `${line}:${col}: ${path}: ${message}`)
}

describe('config/document', () => {
  it('values are those of YAML 1.2', () => {
    const text = 'a: yes\nb: 0o17\nc: 1.5\nd: ~\ne: true\nf: 12:30\ng: 2020-01-01\nh: "\\u00e4"\ni: |\n  x\n  y\n'
    const value = { a: 'yes', b: 15, c: 1.5, d: null, e: true, f: '12:30', g: '2020-01-01', h: 'ä', i: 'x\ny\n' }
    assert.deepEqual(parseYaml(text, 'f').value, value)
  })

  it('a number with a leading zero stays text', () => {
    assert.deepEqual(parseYaml('[0660, 00, 0, 0.5, -1]', 'f').value, ['0660', '00', 0, 0.5, -1])
  })

  it('faults of the YAML have a place and words that help', () => {
    assert.deepEqual(faults('nodes:\n\ta: 1\n'), ['2:1: : a tab is used to indent: YAML indents with spaces'])
    assert.deepEqual(faults('a: 1\n---\nb: 2\n'), [
      '2:1: : a second document begins here: keep one, and remove the line ---',
    ])
    assert.match(faults('a: b: c\n')[0]!, /^1:4: : a mapping begins inside a value/)
    assert.match(faults('a:\n  b: 1\n c: 2\n')[0]!, /^3:1: : not YAML: all mapping items must start at the same column/)
    assert.match(faults('a: "x\nb: 3')[0]!, /^2:5: : not YAML: missing closing/)
    assert.match(faults('a: !foo 3\n')[0]!, /^1:4: : a tag \(!name\)/)
  })

  it('a key twice in one mapping is a fault, also as number and text', () => {
    assert.deepEqual(faults('a: 1\nb:\n  c: 1\n  c: 2\na: 3\n'), [
      "4:3: b.c: the key 'c' is here twice (first in line 3): keep one",
      "5:1: a: the key 'a' is here twice (first in line 1): keep one",
    ])
    assert.match(faults('1: a\n"1": b\n')[0]!, /^2:1: 1: the key '1' is here twice/)
    assert.deepEqual(faults('a: { c: 1 }\nb: { c: 1 }\n'), [])
  })

  it('keys that name a prototype, merge keys and keys that are no words are faults', () => {
    assert.match(faults('a: { __proto__: { x: 1 } }')[0]!, /^1:6: a: the key '__proto__' is not allowed/)
    assert.match(faults('a: &x { b: 1 }\nc: { <<: *x }')[0]!, /^2:6: c: merge keys/)
    assert.match(faults('? [a]\n: 1\n')[0]!, /^1:3: : a key is a list or a mapping/)
    assert.match(faults('? { a: 1 }\n: 1\n')[0]!, /a key is a list or a mapping/)
    assert.equal(({} as Record<string, unknown>).x, undefined)
  })

  it('an alias stands for its anchor, if that comes before and does not contain it', () => {
    assert.deepEqual(parseYaml('a: &x [1]\nb: *x\n', 'f').value, { a: [1], b: [1] })
    assert.deepEqual(parseYaml('a: &x 1\nb: &x 2\nc: *x\n', 'f').value, { a: 1, b: 2, c: 2 })
    assert.match(faults('a: *x\nb: &x 1\n')[0]!, /^1:4: a: the alias \*x stands for nothing/)
    assert.match(faults('a: &x [*x]\n')[0]!, /^1:8: a\[0\]: the alias \*x stands for what contains it/)
    assert.match(faults('a: &x { b: { c: *x } }\n')[0]!, /a.b.c: the alias \*x stands for what contains it/)
  })

  it('aliases cannot blow up', () => {
    const levels = 'abcdefghij'.split('')
    const text = levels.map((name, i) => {
      const before = levels[i - 1]
      return `${name}: &${name} [${Array(10)
        .fill(before === undefined ? 'x' : `*${before}`)
        .join(',')}]\n`
    })
    const found = faults(text.join(''))
    assert.equal(found.length, 1)
    assert.match(found[0]!, /more than 200000 values: too many aliases/)
    const many = `a: &a { x: 1 }\nb: [${Array(5000).fill('*a').join(',')}]\n`
    assert.deepEqual(faults(many), [])
  })

  it('nesting cannot exhaust the stack', () => {
    for (const text of ['['.repeat(400_000), '- '.repeat(400_000), '{a: '.repeat(200_000), '? '.repeat(400_000)])
      assert.match(faults(text)[0]!, /^1:\d+: : nested more than 100 levels deep/)
    const deep = Array.from({ length: 2000 }, (_, i) => `${' '.repeat(i)}k:\n`).join('')
    assert.match(faults(deep)[0]!, /nested more than 100 levels deep/)
    assert.deepEqual(faults(`${'['.repeat(50)}${']'.repeat(50)}`), [])
  })

  it('a mapping of many keys takes no quadratic time', () => {
    const text = Array.from({ length: 80_000 }, (_, i) => `k${i}: 1\n`).join('')
    const { place, problems } = parseYaml(text, 'f')
    assert.deepEqual(problems, [])
    for (let i = 0; i < 80_000; i++) assert.equal(place([`k${i}`]).line, i + 1)
  }).timeout(20_000)

  it('places of values and of keys', () => {
    const { place } = parseYaml('a:\r\n  b: [x, { c: 1 }]\r\n  d:\r\n', 'f')
    const at = (path: (string | number)[], key?: string) => {
      const { file, line, col } = place(path, key)
      return `${file}:${line}:${col}`
    }
    assert.equal(at(['a', 'b', 0]), 'f:2:7')
    assert.equal(at(['a', 'b', 1, 'c']), 'f:2:15')
    assert.equal(at(['a', 'b', 1], 'c'), 'f:2:12')
    assert.equal(at(['a'], 'd'), 'f:3:3')
    assert.equal(at(['a', 'nothing', 'here']), 'f:2:3')
    assert.equal(at([]), 'f:1:1')
  })
})
