// scripts.ts: JavaScript files that Node loads itself, and whether they are still what Node has loaded. Node keeps every
// file under its URL for ever, so that one that changed must be imported under another one.
import { createHash } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { dirname, extname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What follows `from` or `import` and names a file, not a package. */
const imported = /(?:\bfrom|\bimport)\s*\(?\s*(['"])((?:\.{1,2}\/|\/|file:)[^'"\n]+)\1/g
const scanned = new Set(['.js', '.mjs'])
const followed = new Set([...scanned, '.json'])

interface File {
  readonly hash: string
  readonly imports: readonly string[]
}

/** The scripts of one process. */
export class Scripts {
  /** By path: what the file and everything that it imports by path held when Node loaded it. */
  readonly #loaded = new Map<string, string>()
  #files = new Map<string, File | undefined>()

  /** From now on files are read afresh. */
  look(): void {
    this.#files = new Map()
  }

  /** Node is about to load the file, and what it imports. */
  load(path: string): void {
    for (const file of this.closure(path)) if (!this.#loaded.has(file)) this.#loaded.set(file, this.print(file))
  }

  /** Node has loaded the file, or something that it imports, as it is no more. */
  changed(path: string): boolean {
    const before = this.#loaded.get(path)
    return before !== undefined && before !== this.print(path)
  }

  /** A text that is another one when the file changes, or anything that it imports by path. */
  print(path: string): string {
    const hash = createHash('sha256')
    for (const file of this.closure(path).sort()) hash.update(`${file}\0${this.#file(file)?.hash}\0`)
    return hash.digest('hex')
  }

  /** The file and everything that it imports by path, as far as it is there. Packages are not looked at. */
  closure(path: string): string[] {
    const seen = new Set([path])
    for (const file of seen) for (const one of this.#file(file)?.imports ?? []) if (this.#file(one)) seen.add(one)
    return [...seen]
  }

  #file(path: string): File | undefined {
    if (!this.#files.has(path)) this.#files.set(path, read(path))
    return this.#files.get(path)
  }
}

function read(path: string): File | undefined {
  try {
    if (!statSync(path).isFile()) return undefined
    const bytes = readFileSync(path)
    const imports = scanned.has(extname(path)) ? importsOf(path, bytes.toString('utf8')) : []
    return { hash: createHash('sha256').update(bytes).digest('hex'), imports }
  } catch {
    // Not there, or not to be read: whoever imports it will say so.
    return undefined
  }
}

function importsOf(path: string, text: string): string[] {
  const named = [...text.matchAll(imported)].map(([, , specifier]) => specifier!.replace(/[?#].*$/, ''))
  const paths = named.map(one => (one.startsWith('file:') ? pathOf(one) : resolve(dirname(path), one)))
  return paths.filter(one => followed.has(extname(one)))
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url)
  } catch {
    return ''
  }
}
