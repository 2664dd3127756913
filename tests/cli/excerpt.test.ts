import assert from 'node:assert/strict'
import { distinct, excerpt, type Fault, faultOf } from '../../daemon/cli/dev/excerpt.js'
import { parse } from '../../daemon/cli/dev/types.js'
import { Folder } from '../support/folder.js'

const plain = (text: string) => text

describe('cli: faults with their source', () => {
  let folder: Folder
  beforeEach(() => {
    folder = new Folder()
  })
  afterEach(() => folder[Symbol.dispose]())

  const show = (fault: Fault) => excerpt(fault, folder.path, plain).split('\n')

  it('shows the line and a caret below the column', () => {
    const file = folder.write('a.ts', 'one\ntwo three\r\nfour')
    assert.deepEqual(show({ place: { file, line: 2, col: 5 }, message: 'no such word' }), [
      'a.ts:2:5: no such word',
      '     2 | two three',
      '       |     ^',
    ])
  })

  it('keeps tabs, and lets no other character move the cursor', () => {
    const file = folder.write('a.ts', '\tx\x1b[2J')
    assert.deepEqual(show({ place: { file, line: 1, col: 2 }, message: 'first\n  more \x07' }), [
      'a.ts:1:2: first',
      '  more \\x07',
      '     1 | \tx\\x1b[2J',
      '       | \t^',
    ])
  })

  it('does without a line that is not there, or that nobody has written', () => {
    const file = folder.write('a.ts', `short\n${'x'.repeat(1000)}`)
    for (const place of [
      { file, line: 9, col: 1 },
      { file, line: 1, col: 99 },
      { file, line: 2, col: 1 },
      { file: folder.at('gone'), line: 1, col: 1 },
    ])
      assert.equal(show({ place, message: 'oh' }).length, 1)
    assert.deepEqual(show({ place: undefined, message: 'oh' }), ['oh'])
  })

  it('names files outside of the folder in full', () => {
    assert.match(
      show({ place: { file: '/elsewhere/a.ts', line: 1, col: 1 }, message: 'x' })[0]!,
      /^\/elsewhere\/a\.ts:1:1/,
    )
  })

  it('puts the fault of a module where its author finds it', () => {
    const place = { file: '/c.yaml', line: 4, col: 2 }
    const source = { file: '/a.ts', line: 7, col: 9 }
    const message = '/a.ts:7:9: Error: boom'
    assert.deepEqual(faultOf({ ...place, path: 'nodes.a.module', message, source }), {
      place: source,
      message: 'Error: boom',
    })
    assert.deepEqual(faultOf({ ...place, path: 'nodes.a', message: 'wrong' }), { place, message: 'nodes.a: wrong' })
    assert.deepEqual(faultOf({ ...place, path: '', message: 'not YAML' }), { place, message: 'not YAML' })
    const twice = [1, 2].map(line => faultOf({ ...place, line, path: 'nodes.a.module', message, source }))
    assert.equal(distinct(twice).length, 1)
  })

  it('reads what the compiler prints', () => {
    const text = `a.ts(3,7): error TS2322: Type 'A' is not assignable.
  Types of property 'x' are incompatible.
    Type 'string' is no number.
/lib/b.ts(1,1): error TS1005: ';' expected.
error TS5023: Unknown compiler option 'x'.

Found 3 errors.
`
    assert.deepEqual(parse(text, '/project'), [
      {
        place: { file: '/project/a.ts', line: 3, col: 7 },
        message:
          "TS2322: Type 'A' is not assignable.\n  Types of property 'x' are incompatible.\n    Type 'string' is no number.",
      },
      { place: { file: '/lib/b.ts', line: 1, col: 1 }, message: "TS1005: ';' expected." },
      { place: undefined, message: "TS5023: Unknown compiler option 'x'." },
    ])
  })
})
