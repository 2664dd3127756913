// standalone.ts: the standalone host, started as a VPP is, for the suite that both must pass.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Folder, root } from '../support/folder.js'
import { Program } from '../support/program.js'
import { waitFor } from '../support/wait.js'

const builds = {
  release: join(root, 'build', 'release', 'corod-standalone'),
  /** Built by `npm test` before it starts mocha: address and undefined behaviour sanitizers, leaks at the end. */
  sanitized: join(root, 'build', 'asan', 'corod-standalone'),
}

export type Build = keyof typeof builds

/** Whether that build of the standalone host is there. */
export function standaloneHas(build: Build): boolean {
  return existsSync(builds[build])
}

export class Standalone implements AsyncDisposable {
  readonly #folder = new Folder()
  readonly #program: Program
  /** The attach socket. */
  readonly socket = this.#folder.at('host.sock')

  readonly #path: string

  private constructor(build: Build) {
    this.#path = builds[build]
    const args = ['--socket', this.socket, '--cli', this.#folder.at('cli.sock'), '--no-interfaces']
    this.#program = new Program(this.#path, args)
  }

  static async start(build: Build = 'release'): Promise<Standalone> {
    const host = new Standalone(build)
    await waitFor('the standalone host', () => existsSync(host.socket) && existsSync(host.#folder.at('cli.sock')))
    return host
  }

  get running(): boolean {
    return this.#program.ended === undefined
  }

  get output(): string {
    return this.#program.output
  }

  /** Runs one CLI command and gives its output. */
  cli(command: string): Promise<string> {
    return new Promise((resolve, reject) => {
      execFile(this.#path, ['--cli', this.#folder.at('cli.sock'), ...command.split(' ')], (error, stdout, stderr) => {
        if (error) reject(new Error(`${command}: ${stdout}${stderr}`))
        else resolve(stdout)
      })
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const { code } = this.running ? await this.#program.kill('SIGTERM') : await this.#program.exit
    this.#folder[Symbol.dispose]()
    assert.equal(code, 0, this.output)
  }
}
