// files.ts: new files of a user's, from the templates of this package. What exists is never touched.
import { lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { CliError } from './exits.js'

/** The text of a file under templates/. */
export function template(name: string): string {
  return readFileSync(new URL(`../../../templates/${name}`, import.meta.url), 'utf8')
}

/** A file that is to be written. */
export interface NewFile {
  readonly path: string
  readonly text: string
}

/** Whether anything is there, also a symbolic link that leads nowhere. */
function taken(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined
}

/**
 * Writes all of the files, with their folders, or none. What was written is taken back if `then` throws.
 * @throws CliError if one of them exists, or cannot be written.
 */
export function writeFiles(files: readonly NewFile[], then: () => void = () => {}): void {
  const written: string[] = []
  try {
    refuse(files.map(file => file.path).filter(taken))
    for (const { path, text } of files) {
      const made = mkdirSync(dirname(path), { recursive: true })
      if (made !== undefined) written.push(made)
      writeFileSync(path, text, { flag: 'wx' })
      written.push(path)
    }
    then()
  } catch (error) {
    for (const path of written.reverse()) rmSync(path, { recursive: true, force: true })
    throw explained(error)
  }
}

function refuse(there: readonly string[]): void {
  if (there.length === 0) return
  const [is, it] = there.length === 1 ? ['is', 'it'] : ['are', 'them']
  const text = `${there.join(', ')} ${is} there already, and nothing was written: move ${it} away, or name another`
  throw new CliError('failed', 'EXISTS', text)
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'no permission to write it',
  EPERM: 'no permission to write it',
  EEXIST: 'is there already',
  ENOTDIR: 'a part of the path is no folder',
  ENOSPC: 'the disk is full',
  EROFS: 'the file system is read-only',
  ENAMETOOLONG: 'the name is too long',
}

function explained(error: unknown): unknown {
  const { code, path, message } = error as NodeJS.ErrnoException
  if (code === undefined || path === undefined) return error
  return new CliError('failed', code, `${path}: ${reasons[code] ?? message}`)
}
