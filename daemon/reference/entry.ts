// entry.ts: one name as sections of a page: its signature, what its docstring says, its members.
import type { Declared } from './declarations.js'
import type { Docstring } from './docstring.js'
import type { Form, Member } from './members.js'
import { receivers } from './topics.js'

/** A heading and what stands below it. */
export interface Section {
  readonly level: 2 | 3 | 4
  readonly title: string
  /** What the section explains; `Name` or `Name.member`. */
  readonly name: string
  /** Markdown, in which names are not links yet. */
  readonly body: string
  /** Code, which stands before the body or between its parts as `\0`. */
  readonly code: readonly string[]
}

/** Where code stands in a body: links are made everywhere but there. */
const here = '\0'

/**
 * The sections of a name: its own, and one for each method.
 *
 * @param isPublic whether a type that is mentioned has a section.
 */
export function sectionsOf(declared: Declared, isPublic: (name: string) => boolean): Section[] {
  const { name, forms, members, mentions } = declared
  const shown = members.filter(isShown)
  const properties = shown.filter(member => isRow(member))
  const methods = shown.filter(member => !isRow(member))
  const keyword = declared.kind === 'constant' ? 'const ' : ''
  const own = explained(forms.map(form => ({ ...form, signature: `${keyword}${form.signature}` })))
  const table = properties.length === 0 ? [] : [tableOf(properties)]
  const told = new Set([own.body, ...table].join('\n').match(/(?<=`(?:readonly )?)[A-Z]\w*(?=[`<[])/g))
  const others = mentions.filter(one => isPublic(one) && !told.has(one))
  const types = others.length === 0 ? [] : [`Types: ${others.map(one => `\`${one}\``).join(', ')}`]
  return [
    { level: 3, title: name, name, body: [own.body, ...table, ...types].join('\n\n'), code: own.code },
    ...methods.map(member => methodOf(name, member)),
  ]
}

/** Whether a member is for users: not only for the project itself, and not what a base says already. */
export function isShown(member: Member): boolean {
  return !member.forms.some(
    ({ doc, signature }) => doc?.internal || (doc === undefined && /\boverride\b/.test(signature)),
  )
}

function methodOf(owner: string, member: Member): Section {
  const isNew = member.kind === 'constructor'
  const forms = isNew
    ? member.forms.map(form => ({ ...form, signature: form.signature.replace('constructor', `new ${owner}`) }))
    : member.forms
  // As one writes it: `vm.sleep`, not `Vm.sleep`.
  const receiver = Object.entries(receivers).find(([, type]) => type === owner)?.[0] ?? owner
  const title = isNew ? `new ${owner}` : `${receiver}.${member.name}`
  return { level: 4, title, name: `${owner}.${member.name}`, ...explained(forms) }
}

/** Signatures with what is said of them. Overloads of which nothing is said belong to the one before. */
function explained(forms: readonly Form[]): { readonly body: string; readonly code: readonly string[] } {
  const code: string[] = []
  const parts: string[] = []
  for (const { signature, doc } of forms) {
    if (doc === undefined && code.length > 0) {
      code[code.length - 1] += `\n${signature}`
      continue
    }
    parts.push(here)
    code.push(signature)
    if (doc !== undefined) parts.push(...said(doc, code))
  }
  return { body: parts.join('\n\n'), code }
}

function said(doc: Docstring, code: string[]): string[] {
  const parts = [named(doc.text)]
  const list = [
    ...doc.params.map(({ name, text }) => `- \`${name}\`: ${oneLine(text)}`),
    ...(doc.returns === undefined ? [] : [`- Returns ${oneLine(doc.returns)}`]),
    ...doc.throws.map(text => `- Throws ${oneLine(named(text))}`),
  ]
  if (list.length > 0) parts.push(list.join('\n'))
  for (const example of doc.examples) {
    parts.push('Example:', here)
    code.push(example)
  }
  return parts.filter(part => part !== '')
}

/** The names of errors are code, whether a docstring says so or not. */
function named(text: string): string {
  return text.replace(/(?<![`\w])[A-Z]\w*Error(?![`\w])/g, '`$&`')
}

/** Whether one row of a table has room for it. */
function isRow(member: Member): boolean {
  const [form, ...more] = member.forms
  const { examples, params, text } = form?.doc ?? { examples: [], params: [], text: '' }
  return (
    member.kind === 'property' && more.length === 0 && examples.length + params.length === 0 && !text.includes('\n\n')
  )
}

function tableOf(members: readonly Member[]): string {
  const rows = members.map(member => {
    const [{ signature, doc }] = member.forms as [Form]
    const [, optional = '', type = '', value = ''] =
      /^(?:(?:static|readonly|get) )*[\w'~]+(\?)?(?:\(\))?(?:: ([\s\S]*)| = ([\s\S]*))?$/.exec(signature) ?? []
    return `| \`${member.name}${optional}\` | \`${cell(type || value)}\` | ${cell(doc?.text ?? '')} |`
  })
  return ['| Member | Type | Meaning |', '|---|---|---|', ...rows].join('\n')
}

/** Text as one row of a table can have it. */
export function cell(text: string): string {
  return oneLine(text).replaceAll('|', '\\|')
}

function oneLine(text: string): string {
  return text.replace(/\s*\n\s*/g, ' ').trim()
}
