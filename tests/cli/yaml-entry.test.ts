import assert from 'node:assert/strict'
import { addNode } from '../../daemon/cli/yaml-entry.js'

const add = (text: string, name = 'new') => addNode(text, 'c.yaml', name, './nodes/new.ts')

const cases: [string, string, string][] = [
  ['an empty file', '', 'nodes:\n  new:\n    module: ./nodes/new.ts\n'],
  ['a file of comments', '# mine\n', '# mine\nnodes:\n  new:\n    module: ./nodes/new.ts\n'],
  ['no nodes', 'log: { level: debug }', 'log: { level: debug }\n\nnodes:\n  new:\n    module: ./nodes/new.ts\n'],
  [
    'nodes without a value, and a section after them',
    'nodes: # none yet\nlog:\n  level: info # loud\n',
    'nodes: # none yet\n  new:\n    module: ./nodes/new.ts\nlog:\n  level: info # loud\n',
  ],
  [
    'an empty mapping',
    'nodes: {} # none yet\nlog: {}\n',
    'nodes: # none yet\n  new:\n    module: ./nodes/new.ts\nlog: {}\n',
  ],
  ['an empty mapping at the end, without a line feed', 'nodes: {}', 'nodes:\n  new:\n    module: ./nodes/new.ts\n'],
  [
    'everything else stays to the byte: quotes, columns, modes, blank lines, indentation',
    'control:\n    mode:   0660      # like this\n    group: "vpp"\n\n\nnodes:\n    a:\n        module:  \'./a.ts\'   # first\n        # restart: always\n\n\n# end of nodes\nlog: {level: debug}\n',
    'control:\n    mode:   0660      # like this\n    group: "vpp"\n\n\nnodes:\n    a:\n        module:  \'./a.ts\'   # first\n        # restart: always\n\n    new:\n      module: ./nodes/new.ts\n\n\n# end of nodes\nlog: {level: debug}\n',
  ],
  [
    'as tightly as the others',
    'nodes:\n  a:\n    module: a.ts\n  b: { module: b.ts }\n',
    'nodes:\n  a:\n    module: a.ts\n  b: { module: b.ts }\n  new:\n    module: ./nodes/new.ts\n',
  ],
  [
    'nested values, lists and text in blocks at the end',
    'nodes:\n  a:\n    module: a.ts\n\n  b:\n    module: b.ts\n    options:\n      list:\n        - 1\n        - text: |\n            two\n            lines\n\nlog: {}\n',
    'nodes:\n  a:\n    module: a.ts\n\n  b:\n    module: b.ts\n    options:\n      list:\n        - 1\n        - text: |\n            two\n            lines\n\n  new:\n    module: ./nodes/new.ts\n\nlog: {}\n',
  ],
  [
    'a mapping in braces',
    'nodes: { a: { module: a.ts } }\n',
    'nodes: { a: { module: a.ts }, new: { module: ./nodes/new.ts } }\n',
  ],
  [
    'a mapping in braces over lines',
    'nodes: {\n  a: { module: a.ts },\n}\n',
    'nodes: {\n  a: { module: a.ts }, new: { module: ./nodes/new.ts }\n}\n',
  ],
  [
    'line ends of Windows',
    'nodes:\r\n  a:\r\n    module: a.ts\r\n',
    'nodes:\r\n  a:\r\n    module: a.ts\r\n\r\n  new:\r\n    module: ./nodes/new.ts\r\n',
  ],
  [
    'anchors and aliases',
    'nodes:\n  a: &a\n    module: a.ts\n  b: *a\n',
    'nodes:\n  a: &a\n    module: a.ts\n  b: *a\n  new:\n    module: ./nodes/new.ts\n',
  ],
]

describe('cli/yaml-entry', () => {
  for (const [what, before, after] of cases) it(what, () => assert.equal(add(before), after))

  it('names that YAML would take for something else are quoted', () => {
    for (const name of ['null', 'true', '12', '0x1']) {
      const made = add('nodes: {}\n', name)
      assert.ok(made.includes(`  "${name}":\n`), made)
    }
  })

  it('what has no good place is refused, with what to write', () => {
    for (const text of [
      '{ nodes: { a: { module: a.ts } } }\n',
      'nodes: [1]\n',
      'nodes: { a: { module: a.ts } # c\n }\n',
      '[]\n',
    ])
      assert.throws(
        () => add(text),
        /c\.yaml: found no place for the node: add {2}\{ nodes: \{ new: \{ module: \.\/nodes\/new\.ts \} \} \} {2}by hand/,
        text,
      )
  })
})
