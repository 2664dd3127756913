// folder.ts: a folder of a test's own, and where the repository is.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository. Tests run from dist/tests/<folder>/. */
export const root = resolve(fileURLToPath(import.meta.url), '..', '..', '..', '..')

/** A fresh folder with a short path (sockets go into it), removed when disposed of. */
export class Folder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'corod-'))

  /** The path of `name` in the folder. */
  at(name: string): string {
    return join(this.path, name)
  }

  /** Writes a file and returns its path. */
  write(name: string, text: string): string {
    writeFileSync(this.at(name), text)
    return this.at(name)
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true })
  }
}
