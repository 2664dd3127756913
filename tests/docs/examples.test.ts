// The examples of docstrings compile: with the names of the package, and with what a node or a test has at hand.
import assert from 'node:assert/strict'
import type { Declared } from '../../daemon/reference/declarations.js'
import { publicApi } from '../../daemon/reference/page.js'
import { Folder } from '../support/folder.js'
import { compile, userProject } from './compile.js'

/** What examples use without saying where it is from. */
const atHand = `
const table = { enable: message(1, { dest: ip4 }), disable: message(2), link: interfaceChange }
const routing = { learn: message(1, { dest: ip4, via: ip4 }), lookup: call(2, { dest: ip4 }, { via: ip4 }) }
const storage = { get: call(1, { key: u32 }, { value: text(32) }), put: message(2, { key: u32 }) }
type AllPeers = { routes: typeof routing; store: typeof storage }
type Counters = 'sent' | 'full' | 'seen'
declare const node: ProcessContext<typeof table, 'ip4-lookup', Counters, undefined, unknown, AllPeers, 'dhcp-client-process'>
declare const kit: NodeKit<typeof table, 'ip4-lookup', 'sent', AllPeers>
declare const beacon: DefinedNode<typeof table, 'ip4-lookup', 'sent', undefined, unknown>
declare const vm: Vm
declare const due: Timer
declare const path: string
declare const routes: readonly object[]
declare function score(route: object): void
`

function examplesOf(declared: Declared): readonly string[] {
  const forms = [...declared.forms, ...declared.members.flatMap(member => member.forms)]
  return forms.flatMap(form => form.doc?.examples ?? [])
}

/** A part of a definition is an expression, and a module's export may stand anywhere. */
function statements(example: string): string {
  const text = /^(messages|counters): /.test(example) ? `void { ${example} }` : example
  return text.replace(/^export default /m, 'void ')
}

describe('docs: examples of docstrings', () => {
  it('compile', async () => {
    using folder = new Folder()
    userProject(folder)
    const imports = [...publicApi()].map(([module, names]) => {
      const list = names.map(({ name, kind }) => (/interface|type/.test(kind) ? `type ${name}` : name))
      return `import { ${list.join(', ')} } from '${module}'\n`
    })
    const files: string[] = []
    for (const declared of [...publicApi().values()].flat()) {
      for (const [i, example] of examplesOf(declared).entries()) {
        // An example may make what others have at hand.
        const hand = atHand.replace(/^declare const (\w+).*$/gm, (line, name) =>
          new RegExp(`\\b(?:const|using) (?:${name}\\b|.*\\b${name} =)`).test(example) ? '' : line,
        )
        const open = "import assert from 'node:assert/strict'\nimport { open } from 'node:fs/promises'\n"
        const body = `export async function example() {\n${statements(example)}\n}\n`
        files.push(folder.write(`${declared.name}${i}.ts`, `${imports.join('')}${open}${hand}${body}`))
      }
    }
    assert.ok(files.length > 25, `${files.length} examples`)
    assert.equal(await compile(folder, files), '')
  }).timeout(60_000)
})
