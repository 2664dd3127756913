// docstring.ts: a docstring as its parts: what it says, and its tags.

/** What a docstring says, as Markdown. */
export interface Docstring {
  /** Before the first tag. */
  readonly text: string
  /** Names of parameters, with a dot into their members, and what is said of each. */
  readonly params: readonly { readonly name: string; readonly text: string }[]
  readonly returns: string | undefined
  readonly throws: readonly string[]
  /** Code, without a fence. */
  readonly examples: readonly string[]
  /** Public only for the sake of other packages of the project: not on the page. */
  readonly internal: boolean
}

/** Reads a comment from its first to its last star. Throws for a tag that the pages do not know. */
export function parseDocstring(comment: string): Docstring {
  const lines = comment
    .replace(/^\/\*\*/, '')
    .replace(/\*\/$/, '')
    .split('\n')
    .map(line => line.replace(/^\s*\* ?/, '').trimEnd())
  const [text = '', ...tags] = lines.join('\n').split(/^\s*@(?=[a-z])|(?<=[.;] )@(?=throws )/m)
  const params: { name: string; text: string }[] = []
  const throws: string[] = []
  const examples: string[] = []
  let returns: string | undefined
  let internal = false
  for (const tag of tags) {
    const [, kind, said] = /^(\w+)\s?([\s\S]*)$/.exec(tag.trimEnd())!
    const plain = linked(said!.trim())
    if (kind === 'param') {
      const [, name, rest] = /^(\S+)\s*(?:-\s*)?([\s\S]*)$/.exec(plain) ?? []
      if (name === undefined) throw new Error(`@param without a name in ${comment}`)
      params.push({ name, text: rest! })
    } else if (kind === 'returns') returns = plain
    else if (kind === 'throws') throws.push(plain)
    else if (kind === 'example') examples.push(said!.replace(/^\n+/, '').trimEnd())
    else if (kind === 'internal') internal = true
    else throw new Error(`the tag @${kind} is none that the pages know, in ${comment}`)
  }
  return { text: linked(text.trim()), params, returns, throws, examples, internal }
}

/** `{@link X}` is one more way to write a name. */
function linked(text: string): string {
  return text.replace(/\{@link\s+([^\s}|]+)\}/g, '`$1`')
}
