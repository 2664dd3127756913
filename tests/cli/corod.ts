// corod.ts: the program as a user starts it.
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { root } from '../support/folder.js'

/** What the program did. */
export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  /** Standard output as JSON. */
  json<T = Record<string, unknown>>(): T
}

export interface Around {
  /** Standard input, whole or in pieces; absent: empty. */
  readonly input?: string | Buffer | readonly (string | Buffer)[]
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  readonly uid?: number
}

/** Runs bin/corod with `args` to its end. */
export function corod(args: readonly string[], around: Around = {}): Promise<Ran> {
  const { COROD_SOCKET: _, NO_COLOR: __, ...env } = process.env
  const child = spawn(process.execPath, [join(root, 'bin', 'corod'), ...args], {
    env: { ...env, ...around.env },
    cwd: around.cwd,
    ...(around.uid === undefined ? {} : { uid: around.uid, gid: around.uid }),
  })
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout.on('data', (piece: Buffer) => out.push(piece))
  child.stderr.on('data', (piece: Buffer) => err.push(piece))
  // A program that ends before it has read everything is no fault of the test.
  child.stdin.on('error', () => {})
  const pieces = around.input === undefined ? [] : [around.input].flat()
  for (const piece of pieces) child.stdin.write(piece)
  child.stdin.end()
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', code => {
      const stdout = Buffer.concat(out).toString()
      const json = <T>() => JSON.parse(stdout) as T
      resolve({ code, stdout, stderr: Buffer.concat(err).toString(), json })
    })
  })
}
