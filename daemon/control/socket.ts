// socket.ts: the file of the control socket. It appears under its name in one step, with its final mode and group,
// and only where no living process listens; it is removed only while it is still ours.
import { randomBytes } from 'node:crypto'
import * as fs from 'node:fs'
import type { Server } from 'node:net'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { groupId } from './group.js'
import { bounds, type ControlOptions } from './limits.js'

/** Bytes of the longest path a Unix socket can have; libuv cuts longer ones without a word. */
const LONGEST = 107

/**
 * Takes an exclusive lock on the file at `path`, making it if needed. The descriptor holds the lock until it is closed;
 * undefined: another process has it.
 */
export type Lock = (path: string) => number | undefined

/**
 * The control socket cannot be had. `IN_USE`: a living process has it; `PERMISSION`; `PATH`: the place is no good, `GROUP`:
 * there is no such group, so the configuration is wrong; `FAILED`: the system could not.
 */
export class SocketFileError extends Error {
  override readonly name = 'SocketFileError'
  readonly code: 'IN_USE' | 'PERMISSION' | 'PATH' | 'GROUP' | 'FAILED'

  constructor(code: SocketFileError['code'], message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** Makes `server` listen at `options.socket`. Returns what removes the file again. Throws SocketFileError. */
export async function listenAt(server: Server, options: ControlOptions, lock: Lock | undefined): Promise<() => void> {
  const { socket: path } = options
  // A name that nobody can guess, in the same directory, because rename() is what makes the step one.
  const hidden = join(dirname(path), `.${randomBytes(5).toString('hex')}`)
  let gid: number | undefined
  try {
    checkPath(path, hidden)
    gid = gidOf(options.group)
  } catch (error) {
    throw explain(error, path, options.group)
  }
  const unlock = lock === undefined ? () => {} : takeLock(path, lock)
  try {
    await checkFree(path)
    await bind(server, hidden)
    try {
      if (gid !== undefined) fs.lchownSync(hidden, -1, gid)
      fs.chmodSync(hidden, options.mode)
      fs.renameSync(hidden, path)
    } catch (error) {
      server.close()
      fs.rmSync(hidden, { force: true })
      throw error
    }
  } catch (error) {
    unlock()
    throw explain(error, path, options.group)
  }
  const ours = fs.lstatSync(path)
  return () => {
    const now = fs.lstatSync(path, { throwIfNoEntry: false })
    if (now?.ino === ours.ino && now.dev === ours.dev) fs.rmSync(path, { force: true })
    unlock()
  }
}

function gidOf(group: string | number | undefined): number | undefined {
  if (group === undefined) return undefined
  try {
    return groupId(group)
  } catch (error) {
    throw new SocketFileError('GROUP', (error as Error).message, { cause: error })
  }
}

function checkPath(path: string, hidden: string): void {
  const length = Math.max(Buffer.byteLength(path), Buffer.byteLength(hidden))
  if (length > LONGEST) {
    throw new SocketFileError('PATH', `${path}: too long for a socket: ${length} bytes, at most ${LONGEST}`)
  }
  const directory = fs.statSync(dirname(path), { throwIfNoEntry: false })
  if (!directory?.isDirectory())
    throw new SocketFileError('PATH', `${dirname(path)}: no such folder: make it, or choose another path`)
  // Where others may rename files, nobody can tell whose socket this will be.
  if ((directory.mode & 0o1002) === 0o002) {
    throw new SocketFileError('PATH', `${dirname(path)}: everybody may replace files here; use a directory of its own`)
  }
}

function takeLock(path: string, lock: Lock): () => void {
  const file = `${path}.lock`
  for (;;) {
    let fd: number | undefined
    try {
      fd = lock(file)
    } catch (error) {
      throw explain(error, file, undefined)
    }
    if (fd === undefined) throw inUse(path, readPid(file))
    const held = fs.fstatSync(fd)
    // The holder before us removes the file before it lets go: a lock on a removed file locks nothing.
    if (fs.statSync(file, { throwIfNoEntry: false })?.ino !== held.ino) {
      fs.closeSync(fd)
      continue
    }
    fs.ftruncateSync(fd)
    fs.writeSync(fd, `${process.pid}\n`, 0)
    return () => {
      fs.rmSync(file, { force: true })
      fs.closeSync(fd)
    }
  }
}

function readPid(file: string): string | undefined {
  try {
    return /^\d+/.exec(fs.readFileSync(file, 'utf8'))?.[0]
  } catch {
    return undefined
  }
}

function inUse(path: string, pid: string | undefined): SocketFileError {
  const who = pid === undefined ? 'another process' : `process ${pid}`
  return new SocketFileError('IN_USE', `${path}: ${who} is listening there; stop it first, or choose another socket`)
}

/** Throws unless nothing is at `path`, or a socket whose listener is gone. */
async function checkFree(path: string): Promise<void> {
  const there = fs.lstatSync(path, { throwIfNoEntry: false })
  if (there === undefined) return
  if (!there.isSocket())
    throw new SocketFileError('PATH', `${path}: there is a file that is no socket; it is left alone`)
  const found = await probe(path)
  if (found === 'listening') throw inUse(path, undefined)
  if (found instanceof Error) throw found
}

function probe(path: string): Promise<'listening' | 'stale' | Error> {
  return new Promise(resolve => {
    const socket = connect(path)
    socket.on('connect', () => {
      socket.destroy()
      resolve('listening')
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') resolve('stale')
      // Its queue of new connections is full: somebody is not accepting, but is there.
      else if (error.code === 'EAGAIN') resolve('listening')
      else resolve(error)
    })
  })
}

/** bind() and listen() under a mode that lets nobody else in. */
function bind(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    // node:net binds before listen() returns, so the mask is in force for this file alone.
    const before = process.umask(0o177)
    try {
      server.listen({ path, backlog: bounds.backlog }, () => {
        server.off('error', reject)
        resolve()
      })
    } finally {
      process.umask(before)
    }
  })
}

function explain(error: unknown, path: string, group: string | number | undefined): Error {
  if (error instanceof SocketFileError || !(error instanceof Error)) return error as Error
  const { code, syscall } = error as NodeJS.ErrnoException
  if (code === 'EPERM' && syscall === 'lchown') {
    return new SocketFileError('PERMISSION', `${path}: cannot be given to group ${group}: this user is not in it`, {
      cause: error,
    })
  }
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS') {
    const what = `${path}: cannot be made (${code}): this user has no access to ${dirname(path)}`
    return new SocketFileError('PERMISSION', what, { cause: error })
  }
  const wrong = ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG', 'EINVAL'].includes(code ?? '')
  return new SocketFileError(wrong ? 'PATH' : 'FAILED', `${path}: ${error.message}`, { cause: error })
}
