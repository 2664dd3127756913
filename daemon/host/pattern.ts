// pattern.ts: names by pattern, as a shell has it: `*` is any text, `?` any character.

/** Whether a name matches one of the patterns. */
export function matcher(patterns: readonly string[]): (name: string) => boolean {
  if (patterns.includes('*')) return () => true
  const expressions = patterns.map(pattern => {
    const source = pattern
      .replace(/[\\^$.|+()[\]{}]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')
    return new RegExp(`^${source}$`, 's')
  })
  return name => expressions.some(expression => expression.test(name))
}
