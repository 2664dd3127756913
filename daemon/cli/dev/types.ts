// types.ts: the project's own TypeScript, asked after each change whether the types are right. It runs beside the daemon
// and holds nothing up.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import type { Fault } from './excerpt.js'

/** What a run found. */
export interface Checked {
  readonly faults: readonly Fault[]
  /** How long it took, milliseconds. */
  readonly ms: number
}

/** A compiler and what it is to check. */
export interface Compiler {
  readonly program: string
  readonly project: string
}

const located = /^(.+?)\((\d+),(\d+)\): error (TS\d+: .*)$/
const general = /^error (TS\d+: .*)$/

/** The TypeScript of the project that `file` is in; if there is none, why not. */
export function findCompiler(file: string): Compiler | string {
  const project = above(dirname(resolve(file)), 'tsconfig.json')
  if (project === undefined) return 'there is no tsconfig.json'
  try {
    const found = createRequire(project).resolve('typescript/package.json')
    const { bin } = JSON.parse(readFileSync(found, 'utf8')) as { bin?: { tsc?: string } }
    return { program: join(dirname(found), bin?.tsc ?? 'bin/tsc'), project }
  } catch {
    return `${dirname(project)} has no typescript: npm install --save-dev typescript`
  }
}

/** Runs the compiler, again and again, one at a time. */
export class TypeChecks {
  readonly #compiler: Compiler
  readonly #state: string
  readonly #done: (checked: Checked) => void
  #child: ChildProcess | undefined

  /** `state`: the file in which it remembers what it knows of the project. */
  constructor(compiler: Compiler, state: string, done: (checked: Checked) => void) {
    this.#compiler = compiler
    this.#state = state
    this.#done = done
  }

  /** Checks what is there now; a check that runs is given up. `done` is called when it has an answer. */
  run(): void {
    this.stop()
    const { program, project } = this.#compiler
    const began = performance.now()
    const memory = ['--incremental', '--tsBuildInfoFile', this.#state]
    const child = spawn(process.execPath, [program, '--noEmit', '--pretty', 'false', ...memory, '-p', project], {
      cwd: dirname(project),
      // Its own group: it may be a script that starts the real compiler.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#child = child
    let text = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (piece: string) => {
        text += piece
      })
    }
    const end = (failure?: string) => {
      if (this.#child !== child) return
      this.#child = undefined
      const faults = parse(text, dirname(project))
      const nothing = faults.length === 0 && failure !== undefined
      this.#done({
        faults: nothing ? [{ place: undefined, message: failure }] : faults,
        ms: Math.round(performance.now() - began),
      })
    }
    child.once('error', error => end(`${program} cannot be run: ${error.message}`))
    child.once('close', code => end(code === 0 ? undefined : `${program} ended with status ${code}: ${text.trim()}`))
  }

  /** Gives up the check that runs, if there is one. */
  stop(): void {
    const child = this.#child
    this.#child = undefined
    if (child?.pid === undefined) return
    try {
      process.kill(-child.pid, 'SIGKILL')
    } catch {
      // It has ended.
    }
  }
}

/** What the compiler printed, as faults; lines that are indented belong to the one before. */
export function parse(text: string, folder: string): Fault[] {
  const faults: { place: Fault['place']; message: string }[] = []
  for (const line of text.split(/\r?\n/)) {
    const found = located.exec(line)
    if (found !== null) {
      const [, file = '', row, col, message = ''] = found
      faults.push({ place: { file: resolve(folder, file), line: Number(row), col: Number(col) }, message })
    } else if (general.test(line)) faults.push({ place: undefined, message: line.replace(general, '$1') })
    else if (/^\s+\S/.test(line) && faults.length > 0) faults.at(-1)!.message += `\n${line}`
  }
  return faults
}

function above(folder: string, name: string): string | undefined {
  const path = join(folder, name)
  if (existsSync(path)) return path
  return dirname(folder) === folder ? undefined : above(dirname(folder), name)
}
