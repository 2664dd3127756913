// watch.ts: notices that a file appears, so that a host that starts is found at once. Only a hint: where the folder
// cannot be watched (it does not exist yet, or inotify is used up) the back-off finds the host a little later.
import { type FSWatcher, watch } from 'node:fs'
import { basename, dirname } from 'node:path'

/** Watches for one file in its folder. */
export class FileWatch {
  readonly #folder: string
  readonly #name: string
  readonly #appeared: () => void
  #watcher: FSWatcher | undefined

  constructor(path: string, appeared: () => void) {
    this.#folder = dirname(path)
    this.#name = basename(path)
    this.#appeared = appeared
  }

  /** Watches afresh: a folder that was removed and made again is another one. */
  renew(): void {
    this.close()
    try {
      this.#watcher = watch(this.#folder, { persistent: false }, (_event, name) => {
        if (name === null || name === this.#name) this.#appeared()
      })
      this.#watcher.on('error', () => this.close())
    } catch {
      // Not there yet, or no watches left: see above.
      this.#watcher = undefined
    }
  }

  close(): void {
    this.#watcher?.close()
    this.#watcher = undefined
  }
}
