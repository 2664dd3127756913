// import.ts: one import of a module, within a time, and what it failed of in the author's words: files and lines as
// they were written.
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Place } from '../../config/problems.js'

/** How long the top level of a module may take, ms. */
const longestImport = 30_000

/** Where the frames of this package itself are. */
const ownFolder = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
/** The same with source maps. */
const ownSources = join(dirname(dirname(ownFolder)), 'daemon')

/** Why a module cannot be used, in one line. */
export class ModuleError extends Error {
  /** Where in the module, or in what it imports, if that is known. */
  readonly source: Place | undefined
  constructor(message: string, source?: Place) {
    super(message)
    this.source = source
  }
}

/** Imports `url`. @throws what the module throws; ModuleError if its top level takes too long */
export async function importWithin(url: URL): Promise<{ readonly default?: unknown }> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    const text = `its top level did not finish within ${longestImport / 1000} s: is there an await that never ends?`
    timer = setTimeout(() => reject(new ModuleError(text)), longestImport)
  })
  try {
    return (await Promise.race([import(url.href), late])) as { readonly default?: unknown }
  } finally {
    clearTimeout(timer)
  }
}

/** Whether an import failed because there is no package 'corod' where the module is. */
export function lacksCorod(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /Cannot find package 'corod'/.test(error.message)
}

/** What the import of `path` under `url` failed of, and where: the first place in a file of the author's. */
export function explain(error: unknown, path: string, url: URL): ModuleError {
  if (error instanceof ModuleError) return new ModuleError(`${path}: ${error.message}`)
  if (!(error instanceof Error)) return new ModuleError(`${path} threw ${String(error)}`)
  const authors = (text: string) => text.replaceAll(url.href, path).replaceAll('file://', '')
  const stack = authors(error.stack ?? '')
  const frames = stack.matchAll(/(?:\(| at (?:async )?)(\/[^()\n]+):(\d+):(\d+)\)?$/gm)
  const places = [...frames].map(([, file, line, col]) => ({ file: file!, line: Number(line), col: Number(col) }))
  const place = places.find(({ file }) => !file.startsWith(ownFolder) && !file.startsWith(ownSources))
  const where = place === undefined ? path : `${place.file}:${place.line}:${place.col}`
  return new ModuleError(`${where}: ${error.name}: ${authors(error.message)}`.replaceAll(/\s+/g, ' '), place)
}
