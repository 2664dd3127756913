// page.ts: the pages of the API reference. `node dist/daemon/cli/docs.js` writes them.
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Declared, publicNames } from './declarations.js'
import { cell, type Section, sectionsOf } from './entry.js'
import { anchorOf, linked, type Place, type Places } from './links.js'
import { type ApiPage, apiPages, type Topic } from './topics.js'

const root = resolve(fileURLToPath(import.meta.url), '..', '..', '..', '..')

/** What is public, by the modules that users import. */
export function publicApi(): ReadonlyMap<string, readonly Declared[]> {
  known ??= readApi()
  return known
}

// The compiler takes a second: once is enough.
let known: ReadonlyMap<string, readonly Declared[]> | undefined

function readApi(): ReadonlyMap<string, readonly Declared[]> {
  const names = publicNames(
    root,
    apiPages.map(page => page.entry),
  )
  return new Map(apiPages.map(({ module, entry }) => [module, names.get(entry)!]))
}

/** A page before its links are made. */
interface Draft {
  readonly file: string
  readonly sections: readonly (Section & { readonly anchor: string })[]
}

/** The generated part of each page of the API reference, by its file. */
export function apiReference(): ReadonlyMap<string, string> {
  const api = publicApi()
  const all = new Set([...api.values()].flat().map(({ name }) => name))
  const drafts = apiPages.map(page => draftOf(page, api.get(page.module)!, name => all.has(name)))
  const places = placesOf(drafts)
  return new Map(drafts.map(draft => [draft.file, written(draft, places)]))
}

type IsPublic = (name: string) => boolean

function draftOf({ file, topics }: ApiPage, names: readonly Declared[], isPublic: IsPublic): Draft {
  const taken = new Map<string, number>()
  const sections = topics.flatMap(topic => topicSections(topic, names, isPublic))
  return { file, sections: sections.map(section => ({ ...section, anchor: anchorOf(section.title, taken) })) }
}

function topicSections(topic: Topic, names: readonly Declared[], isPublic: IsPublic): Section[] {
  const declared = topic.names.map(name => names.find(one => one.name === name)).filter(one => one !== undefined)
  const rows = declared.filter(isRow)
  const others = declared.filter(one => !isRow(one))
  const body = rows.length === 0 ? topic.intro : `${topic.intro}\n\n${constants(rows)}`
  return [
    { level: 2, title: topic.title, name: '', body, code: [] },
    ...others.flatMap(one => sectionsOf(one, isPublic)),
  ]
}

/** Whether a constant has nothing to say but a line. */
function isRow({ kind, forms }: Declared): boolean {
  return kind === 'constant' && forms[0]?.doc?.examples.length === 0
}

function constants(rows: readonly Declared[]): string {
  const lines = rows.map(({ name, forms }) => {
    const type = /: ([\s\S]*)$/.exec(forms[0]!.signature)?.[1] ?? ''
    return `| <a id="${name}"></a>\`${name}\` | \`${cell(type)}\` | ${cell(forms[0]!.doc!.text)} |`
  })
  return ['| Name | Type | Meaning |', '|---|---|---|', ...lines].join('\n')
}

function placesOf(drafts: readonly Draft[]): Places {
  const places = new Map<string, Place>()
  for (const { file, sections } of drafts) {
    for (const { name, anchor } of sections) if (name !== '') places.set(name, { file, anchor })
  }
  return places
}

function written({ file, sections }: Draft, places: Places): string {
  const contents = sections
    .filter(({ level }) => level === 2)
    .map(topic => `- [${topic.title}](#${topic.anchor}): ${namesBelow(topic, sections)}`)
  const parts = sections.map(section => {
    const { level, title, body, code, name } = section
    let next = 0
    const text = linked(body, { file, name }, places).replaceAll('\0', () => `\`\`\`ts\n${code[next++]}\n\`\`\``)
    return `${'#'.repeat(level)} ${title}\n\n${text}`
  })
  return [contents.join('\n'), ...parts].join('\n\n')
}

/** The names of a topic, each a link. */
function namesBelow(topic: Section, sections: Draft['sections']): string {
  const from = sections.findIndex(section => section.title === topic.title && section.level === 2) + 1
  const end = sections.findIndex((section, i) => i >= from && section.level === 2)
  const within = sections.slice(from, end < 0 ? undefined : end).filter(({ level }) => level === 3)
  const rows = [...topic.body.matchAll(/<a id="(\w+)">/g)].map(([, name]) => `[${name}](#${name})`)
  return [...rows, ...within.map(({ title, anchor }) => `[${title}](#${anchor})`)].join(', ')
}
