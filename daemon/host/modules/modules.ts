// modules.ts: the modules of nodes, loaded, and loaded again when they changed. Node never forgets a module: code that
// changed is imported under another URL, and what did not change, nor anything it imports, stays the instance it is.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { isProcessNode } from '../../process/define.js'
import type { ProcessNode } from '../../process/node.js'
import { type Bundle, BundleError, bundle, needsBundle } from './bundle.js'
import { explain, importWithin, lacksCorod, ModuleError } from './import.js'
import { Scripts } from './scripts.js'

/** A module and what it defines. */
export interface LoadedModule {
  readonly definition: ProcessNode
  /** What `import` takes for it, in any thread of this process. Another one means other code. */
  readonly url: string
}

/** What one load found. */
export interface LoadedModules {
  /** By path: the module, or why it cannot be used. */
  readonly modules: ReadonlyMap<string, LoadedModule | ModuleError>
  /** Every file that the modules are made of, as far as it is known; packages are left out. Absolute, sorted. */
  readonly files: readonly string[]
}

const example = "write  export default processNode({ ... })  with processNode of 'corod'"

/** The modules of one process. */
export class Modules {
  readonly #scripts = new Scripts()
  /** By what says that code is the same. */
  readonly #instances = new Map<string, LoadedModule>()
  /** Code that failed to load. Node would not run it again under the same URL. */
  readonly #failed = new Set<string>()
  #folder: string | undefined
  /** Whether the folder is there. */
  #open = false
  /** Whether parts of what was written may be imported at any time. */
  #stays = false
  #attempts = 0
  readonly #remove = () => {
    process.off('exit', this.#remove)
    if (this.#open && this.#folder !== undefined) rmSync(this.#folder, { recursive: true, force: true })
    this.#open = false
  }

  /**
   * Loads the modules at absolute paths. `stay`: their URLs can be imported until `close`, by other threads that is;
   * otherwise only what they import themselves when they run.
   * @throws ModuleError if nothing can be written
   */
  async load(paths: readonly string[], stay = false): Promise<LoadedModules> {
    process.setSourceMapsEnabled(true)
    const scripts = this.#scripts
    scripts.look()
    const modules = new Map<string, LoadedModule | ModuleError>()
    const existing: string[] = []
    for (const path of new Set(paths)) {
      const fault = await missing(path)
      if (fault === undefined) existing.push(path)
      else modules.set(path, fault)
    }
    const native = new Set<string>()
    const inside = (path: string) => {
      const changed = scripts.changed(path)
      if (!changed) native.add(path)
      return changed
    }
    const files = new Set(existing)
    try {
      const made = await this.#bundle(
        existing.filter(path => needsBundle(path) || inside(path)),
        () => this.#ready(),
        inside,
      )
      this.#stays ||= stay || made.later
      for (const path of native) scripts.load(path)
      for (const input of [...made.inputs.values(), ...[...native].map(path => scripts.closure(path))].flat())
        files.add(input)
      for (const path of existing) modules.set(path, await this.#module(path, made.modules.get(path)))
    } finally {
      if (!this.#stays) this.#remove()
    }
    return { modules, files: [...files].sort() }
  }

  /** Removes what was written. Nothing can be loaded any more. */
  close(): void {
    this.#remove()
  }

  async #module(path: string, made: URL | BundleError | undefined): Promise<LoadedModule | ModuleError> {
    if (made instanceof BundleError) return new ModuleError(made.message, made.source)
    const url = made ?? pathToFileURL(path)
    const code = made?.href ?? `${url.href} ${this.#scripts.print(path)}`
    const known = this.#instances.get(code)
    if (known !== undefined) return known
    const found = this.#failed.has(code) ? await this.#afresh(path) : await this.#native(path, url)
    if (found instanceof ModuleError) this.#failed.add(code)
    else this.#instances.set(code, found)
    return found
  }

  async #native(path: string, url: URL): Promise<LoadedModule | ModuleError> {
    try {
      return definitionOf(path, url, await importWithin(url))
    } catch (error) {
      // A script outside of any project finds no package 'corod': it is given this one. And Node keeps the place of a
      // syntax error to itself; esbuild tells it.
      const script = !needsBundle(path)
      if (script && (lacksCorod(error) || error instanceof SyntaxError)) {
        const found = await this.#afresh(path)
        if (!(found instanceof ModuleError) || found.source !== undefined) return found
      }
      return explain(error, path, url)
    }
  }

  /** Loads the module under a URL that Node has not seen, with all that it imports by path. */
  async #afresh(path: string): Promise<LoadedModule | ModuleError> {
    const fresh = () => {
      const folder = join(this.#ready(), `again-${++this.#attempts}`)
      mkdirSync(folder)
      return folder
    }
    const { modules, later } = await this.#bundle([path], fresh, () => true)
    this.#stays ||= later
    const url = modules.get(path)
    if (!(url instanceof URL)) return new ModuleError(url?.message ?? `no ${path}`, url?.source)
    try {
      return definitionOf(path, url, await importWithin(url))
    } catch (error) {
      return explain(error, path, url)
    }
  }

  async #bundle(paths: readonly string[], folder: () => string, inside: (path: string) => boolean): Promise<Bundle> {
    try {
      return await bundle(paths, { folder, inside })
    } catch (error) {
      const text = `what is made of the modules cannot be written: ${(error as Error).message}`
      throw new ModuleError(`${text}; free some space in ${tmpdir()}, or set TMPDIR`.replace(/\s+/g, ' '))
    }
  }

  /** The folder for what esbuild writes: always the same one, because it is a part of the URLs. */
  #ready(): string {
    if (this.#open && this.#folder !== undefined) return this.#folder
    if (this.#folder === undefined) this.#folder = mkdtempSync(join(tmpdir(), 'corod-modules-'))
    // Not recursive: it must not be somebody else's by now.
    else mkdirSync(this.#folder, { mode: 0o700 })
    this.#open = true
    process.on('exit', this.#remove)
    return this.#folder
  }
}

function definitionOf(
  path: string,
  url: URL,
  { default: definition, ...module }: { readonly default?: unknown },
): LoadedModule | ModuleError {
  if (definition === undefined && !('default' in module)) {
    return new ModuleError(`${path} has no default export: ${example}`)
  }
  if (isProcessNode(definition)) return { definition, url: url.href }
  return new ModuleError(`the default export of ${path} is no process node: ${example}`)
}

async function missing(path: string): Promise<ModuleError | undefined> {
  try {
    const found = await stat(path)
    return found.isFile() ? undefined : new ModuleError(`${path} is not a file`)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return new ModuleError(`there is no file ${path}`)
    if (code === 'EACCES') return new ModuleError(`no permission to read ${path}`)
    return new ModuleError((error as Error).message)
  }
}
