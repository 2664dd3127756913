// folder.ts: where corod dev has its sockets: a folder of its own for each configuration file, found again by every
// command that means the same file. So `corod send` beside a running `corod dev` needs no --socket.
import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, realpathSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { maxSocketPath } from '../../config/load.js'
import { CliError } from '../exits.js'

/** The longest name in the folder that is a socket's. */
const longest = 'control.sock'

/** The folder that belongs to the configuration `file`. It may not be there. */
export function devFolder(file: string, env: NodeJS.ProcessEnv): string {
  const name = `corod-dev-${process.getuid?.() ?? 0}-${createHash('sha256').update(real(file)).digest('hex').slice(0, 16)}`
  const bases = [env.XDG_RUNTIME_DIR, tmpdir(), '/tmp'].filter(base => base !== undefined && isFolder(base))
  const fits = bases.find(base => Buffer.byteLength(join(base ?? '', name, longest)) <= maxSocketPath)
  return join(fits ?? '/tmp', name)
}

/** The control socket of the corod dev that runs for `file`; undefined: none does. */
export async function devSocket(file: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const folder = devFolder(file, env)
  if (!isOwn(folder)) return undefined
  const socket = join(folder, longest)
  return (await answers(socket)) ? socket : undefined
}

/** Makes the folder for `file`, or finds the one that an earlier corod dev left. @throws CliError */
export function makeDevFolder(file: string, env: NodeJS.ProcessEnv): string {
  const folder = devFolder(file, env)
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'EEXIST') throw new CliError('failed', code ?? 'FOLDER', `${folder}: ${message}`)
  }
  if (isOwn(folder)) return folder
  throw new CliError('failed', 'FOLDER', `${folder} is there and not a folder of this user alone: remove it`)
}

function real(file: string): string {
  try {
    return realpathSync(file)
  } catch {
    return resolve(file)
  }
}

function isFolder(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

/** Whether it is a folder to which nobody else has a key. */
function isOwn(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false })
  return found?.isDirectory() === true && found.uid === process.getuid?.() && (found.mode & 0o077) === 0
}

function answers(socket: string): Promise<boolean> {
  return new Promise(resolve => {
    const connection = connect(socket)
    const end = (there: boolean) => {
      connection.destroy()
      resolve(there)
    }
    connection.once('connect', () => end(true)).once('error', () => end(false))
  })
}
