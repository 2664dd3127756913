// papi.ts: VPP's own Python client (PAPI) for the tests.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../support/folder.js'
import { Program } from '../support/program.js'
import { waitFor } from '../support/wait.js'
import { findVpp, needVpp, type Vpp } from './vpp.js'

/** A PAPI client as a line server: tests/vpp/papi.py. */
export class Papi implements AsyncDisposable {
  readonly #program: Program
  #answers = 1 // the first line says that it is ready

  constructor(vpp: Vpp) {
    const env = { ...process.env, PYTHONPATH: pythonPath() }
    const args = [join(root, 'tests', 'vpp', 'papi.py'), vpp.api]
    this.#program = new Program('/usr/bin/python3', args, { env, stdio: ['pipe', 'pipe', 'pipe'] })
  }

  /** Sends one request and gives its answer. */
  async ask<T>(request: object): Promise<T> {
    const place = this.#answers++
    this.#program.child.stdin?.write(`${JSON.stringify(request)}\n`)
    const line = await waitFor('an answer of PAPI', () => {
      if (this.#program.ended) return this.#program.output
      const lines = this.#program.stdout.split('\n')
      return lines.length > place + 1 ? lines[place] : undefined
    })
    assert.equal(this.#program.ended, undefined, line)
    return JSON.parse(line) as T
  }

  call<T>(name: string, args: object = {}): Promise<T> {
    return this.ask({ call: name, args })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]()
  }
}

function pythonPath(): string {
  const lib = join(findVpp() as string, 'lib', 'python3', 'dist-packages')
  return existsSync(lib) ? lib : (process.env.PYTHONPATH ?? '')
}

/** Skips a suite where VPP or PAPI is missing. */
export function needPapi(suite: Mocha.Context): void {
  needVpp(suite)
  const env = { ...process.env, PYTHONPATH: pythonPath() }
  if (spawnSync('/usr/bin/python3', ['-c', 'import vpp_papi'], { env }).status === 0) return
  process.stderr.write('  skipped: no vpp_papi for /usr/bin/python3 (Debian package of FD.io: python3-vpp-api)\n')
  suite.skip()
}
