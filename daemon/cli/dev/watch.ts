// watch.ts: notices which files of a project change. Folders are watched, not files: editors replace files, and what is
// not there yet can only be seen in its folder.
import { type Dirent, type FSWatcher, readdirSync, unwatchFile, watch, watchFile } from 'node:fs'
import { dirname, join } from 'node:path'

/** Files that a daemon or a compiler may read. */
const interesting = /\.(?:[mc]?[jt]s|json|ya?ml)$/
/** Folders in which nobody writes by hand. */
const aside = /^(?:\..*|node_modules|dist|build|coverage)$/
/** More folders than that are no project. */
const mostFolders = 500
/** Several changes in so short a time, ms, are one: editors write a file in steps. */
const together = 50
/** How often files are looked at that cannot be watched, ms. */
const pollEvery = 300

/** Watches the files of a project. */
export class ProjectWatch {
  readonly #root: string
  readonly #changed: (paths: readonly string[]) => void
  readonly #poor: (reason: string) => void
  readonly #folders = new Map<string, FSWatcher>()
  readonly #polled = new Set<string>()
  #files: ReadonlySet<string> = new Set()
  #seen = new Set<string>()
  #timer: NodeJS.Timeout | undefined
  #closed = false

  /**
   * `root`: the folder of the project, watched with all that is below it. `changed` gets the paths of files that
   * changed, appeared or went. `poor` is told once if folders cannot be watched; then only the files are, which were
   * named, by looking at them.
   */
  constructor(root: string, changed: (paths: readonly string[]) => void, poor: (reason: string) => void) {
    this.#root = root
    this.#changed = changed
    this.#poor = poor
  }

  /** Watches these files too, wherever they are, and what the project has by now. */
  follow(files: Iterable<string>): void {
    this.#files = new Set([...this.#files, ...files])
    this.#look()
  }

  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    for (const watcher of this.#folders.values()) watcher.close()
    this.#folders.clear()
    for (const file of this.#polled) unwatchFile(file)
    this.#polled.clear()
  }

  #look(): void {
    if (this.#closed) return
    const wanted = new Set([...foldersOf(this.#root), ...[...this.#files].map(file => dirname(file))])
    for (const [folder, watcher] of this.#folders) {
      if (wanted.has(folder)) continue
      watcher.close()
      this.#folders.delete(folder)
    }
    for (const folder of wanted) if (!this.#folders.has(folder)) this.#watch(folder)
    if (this.#polled.size > 0) this.#poll()
  }

  #watch(folder: string): void {
    try {
      const watcher = watch(folder, (event, name) => this.#event(folder, event, name))
      this.#folders.set(folder, watcher)
      // A folder that was removed: its parent has told.
      watcher.on('error', () => {
        watcher.close()
        this.#folders.delete(folder)
      })
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT') return
      if (this.#polled.size === 0) this.#poor((error as Error).message)
      this.#poll()
    }
  }

  #poll(): void {
    for (const file of this.#files) {
      if (this.#polled.has(file)) continue
      this.#polled.add(file)
      watchFile(file, { interval: pollEvery }, (now, before) => {
        if (now.mtimeMs !== before.mtimeMs || now.size !== before.size) this.#note(file)
      })
    }
  }

  #event(folder: string, event: string, name: string | null): void {
    if (name === null) {
      this.#note(folder)
      return
    }
    const path = join(folder, name)
    if (this.#files.has(path) || interesting.test(name)) this.#note(path)
    // Perhaps a folder that came or went, with files in it.
    else if (event === 'rename' && !aside.test(name)) this.#note(path)
  }

  #note(path: string): void {
    if (this.#closed) return
    this.#seen.add(path)
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      const seen = [...this.#seen]
      this.#seen = new Set()
      this.#look()
      this.#changed(seen)
    }, together)
  }
}

/** `root` and the folders below it. */
function foldersOf(root: string): string[] {
  const found = [root]
  for (const folder of found) {
    for (const entry of entriesOf(folder)) {
      if (found.length >= mostFolders) return found
      if (entry.isDirectory() && !aside.test(entry.name)) found.push(join(folder, entry.name))
    }
  }
  return found
}

function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    return []
  }
}
