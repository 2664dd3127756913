// The public names of the packages, as they are: each is documented, and has its place in the reference.
import assert from 'node:assert/strict'
import type { Declared } from '../../daemon/reference/declarations.js'
import { isShown } from '../../daemon/reference/entry.js'
import { apiReference, publicApi } from '../../daemon/reference/page.js'
import { apiPages } from '../../daemon/reference/topics.js'

/** Types that only make the arguments of a method: editors and error messages show what they come to. */
const helpers = [
  ...['ReplyArguments', 'EventOf', 'Sent', 'Called', 'FieldsArgument', 'SendArguments', 'FieldArguments'],
  ...['TransitionArguments', 'NamesOf', 'ScriptFor', 'Taking', 'SchemaResult', 'ObservedNode'],
]

/** Types that only what is marked `@internal` mentions. */
const internals = ['Schema', 'Stage']

/** The lines of a recording, which docs/testing.md describes. */
const isLine = (name: string) => name.endsWith('Line')

describe('the public names', function () {
  this.timeout(60_000)
  let all: readonly Declared[] = []
  before(() => {
    all = [...publicApi().values()].flat()
  })

  it('each has a docstring, and so has each member', () => {
    const said = ({ forms }: Pick<Declared, 'forms'>) => forms.some(({ doc }) => doc !== undefined && doc.text !== '')
    const isSaid = (one: Pick<Declared, 'forms'>) =>
      said(one) || one.forms.some(({ doc }) => (doc?.params.length ?? 0) > 0)
    const missing = all.flatMap(one => [
      ...(isSaid(one) ? [] : [one.name]),
      ...one.members.filter(member => isShown(member) && !isSaid(member)).map(member => `${one.name}.${member.name}`),
    ])
    assert.deepEqual(missing, [])
    assert.ok(all.length > 90, `${all.length}`)
  })

  it('each stands once in the topics of its page', () => {
    for (const { module, topics } of apiPages) {
      const names = publicApi()
        .get(module)!
        .map(({ name }) => name)
      assert.deepEqual(topics.flatMap(topic => topic.names).toSorted(), names.toSorted(), module)
    }
  })

  it('a type that a signature mentions is public, too', () => {
    const known = new Set([...all.map(({ name }) => name), ...helpers, ...internals])
    const unknown = all.flatMap(({ name, mentions }) =>
      mentions.filter(one => !known.has(one) && !isLine(one)).map(one => `${one}, which ${name} mentions`),
    )
    assert.deepEqual(unknown, [])
  })

  it('@param speaks of parameters that there are', () => {
    const wrong = all.flatMap(one =>
      [...one.forms, ...one.members.flatMap(member => member.forms)].flatMap(({ signature, doc }) =>
        (doc?.params ?? [])
          .filter(({ name }) => !new RegExp(`\\b${name.split('.').at(-1)}\\b`).test(signature))
          .map(({ name }) => `${one.name}: ${name} in ${signature}`),
      ),
    )
    assert.deepEqual(wrong, [])
  })

  it('the pages show each name, with its signature', () => {
    const pages = apiReference()
    for (const { file, module } of apiPages) {
      const page = pages.get(file) ?? assert.fail(file)
      for (const { name, kind, forms } of publicApi().get(module)!) {
        if (kind === 'constant') assert.match(page, new RegExp(`<a id="${name}">|^### ${name}$`, 'm'))
        else assert.ok(page.includes(`### ${name}\n\n\`\`\`ts\n${forms[0]!.signature}`), name)
      }
    }
  })
})
