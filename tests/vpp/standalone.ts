// standalone.ts: the standalone host, started as a VPP is, for the suite that both must pass.
import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Folder, root } from '../support/folder.js'
import { Program } from '../support/program.js'
import { waitFor } from '../support/wait.js'

const program = join(root, 'build', 'release', 'corod-standalone')

export class Standalone implements AsyncDisposable {
  readonly #folder = new Folder()
  readonly #program: Program
  /** The attach socket. */
  readonly socket = this.#folder.at('host.sock')

  private constructor() {
    const args = ['--socket', this.socket, '--cli', this.#folder.at('cli.sock'), '--no-interfaces']
    this.#program = new Program(program, args)
  }

  static async start(): Promise<Standalone> {
    const host = new Standalone()
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
      execFile(program, ['--cli', this.#folder.at('cli.sock'), ...command.split(' ')], (error, stdout, stderr) => {
        if (error) reject(new Error(`${command}: ${stdout}${stderr}`))
        else resolve(stdout)
      })
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.running) await this.#program.kill('SIGTERM')
    this.#folder[Symbol.dispose]()
  }
}
