import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { commands, globals } from '../../daemon/cli/commands.js'
import { docsFolder, pages, regenerate } from '../../daemon/cli/docs.js'
import { exits } from '../../daemon/cli/exits.js'
import { systemSocket } from '../../daemon/cli/place.js'
import { loadConfig, maxSocketPath } from '../../daemon/config/load.js'
import { type JsonSchema, jsonSchema } from '../../daemon/config/schema.js'
import { problems } from '../../daemon/control/problems.js'
import { resources } from '../../daemon/control/routes.js'
import { Folder } from '../support/folder.js'

const page = (name: string) => readFileSync(join(docsFolder, name), 'utf8')

/** Every key of the configuration, with dots. */
function keys(schema: JsonSchema, prefix = ''): string[] {
  const object = [schema, ...(schema.anyOf ?? [])].find(one => one.properties !== undefined)
  return Object.entries(object?.properties ?? {}).flatMap(([key, part]) => {
    const entry = typeof part.additionalProperties === 'object' && prefix === '' ? part.additionalProperties : undefined
    if (entry !== undefined) return keys(entry, `${key}.NAME.`)
    return [`${prefix}${key}`, ...keys(part, `${prefix}${key}.`)]
  })
}

describe('cli/docs', () => {
  for (const [name, make] of Object.entries(pages))
    it(`docs/${name} holds what is generated now (node dist/daemon/cli/docs.js)`, () => {
      assert.equal(regenerate(page(name), make()), page(name))
    })

  it('a page without the marks is told so', () => {
    assert.throws(() => regenerate('# nothing', 'x'), /lacks the lines/)
  })

  it('every key of the configuration is described, and on the page', () => {
    const all = keys(jsonSchema())
    assert.ok(all.length > 35, String(all.length))
    const text = page('config.md')
    const sections = ['host', 'control', 'log']
    for (const key of all.filter(one => !sections.includes(one))) assert.ok(text.includes(`| \`${key}\` |`), key)
    assert.doesNotMatch(text, /\| {2}\|$/m)
  })

  it('every problem code of the local socket is on its page, and every resource', () => {
    const text = page('control.md')
    assert.ok(problems.size > 25)
    for (const [code, { status, title }] of problems) assert.ok(text.includes(`| \`${code}\` | ${status} | ${title} |`))
    for (const path of resources) assert.ok(text.includes(path.replace('{node}', 'NODE')), path)
  })

  it('every command, option and exit status is on the page', () => {
    const text = page('cli.md')
    for (const { name, options, examples } of commands) {
      assert.ok(text.includes(`### \`corod ${name}`), name)
      for (const { flags } of options) assert.ok(text.includes(`\`${flags}\``), flags)
      for (const example of examples) assert.ok(text.includes(example), example)
    }
    for (const { flags } of globals) assert.ok(text.includes(`\`${flags}\``), flags)
    for (const { code } of Object.values(exits)) assert.match(text, new RegExp(`^\\| ${code} \\|`, 'm'))
  })

  it('the example of docs/config.md is a configuration', () => {
    using folder = new Folder()
    const example = /```yaml\n(.*?)```/s.exec(page('config.md'))?.[1] ?? ''
    const { nodes, control } = loadConfig(folder.write('corod.yaml', example))
    assert.deepEqual(
      nodes.map(node => node.name),
      ['beacon', 'uplink-watch'],
    )
    assert.equal(control.mode, 0o660)
    assert.equal(control.group, 'vpp')
  })

  it('the socket of the documentation is the default of the configuration', () => {
    using folder = new Folder()
    assert.equal(loadConfig(folder.write('c.yaml', 'nodes: {}')).control.socket, systemSocket)
    assert.equal(maxSocketPath, 107)
  })
})
