// host.ts: the standalone host that corod dev starts, so that nodes run on a machine without VPP.
import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CliError } from '../exits.js'

const name = 'corod-standalone'
const packageFolder = dirname(dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url))))))

/** Where and how to start it. */
export interface HostOptions {
  /** For its sockets. */
  readonly folder: string
  /** Where packets of nodes go; undefined: they are counted. */
  readonly pcap: string | undefined
}

/** A host of our own. */
export class HostProcess {
  /** Where daemons attach. */
  readonly socket: string
  /** Where its command line listens. */
  readonly cli: string
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
  readonly #child: ChildProcess

  /** Starts it. @throws CliError if there is no such program */
  constructor({ folder, pcap }: HostOptions, env: NodeJS.ProcessEnv) {
    this.socket = join(folder, 'host.sock')
    this.cli = join(folder, 'cli.sock')
    const packets = pcap === undefined ? [] : ['--pcap', pcap]
    const args = ['--socket', this.socket, '--cli', this.cli, '--log-level', 'warn', '--with-parent', ...packets]
    // Ctrl-C in the terminal is for corod dev, which stops the daemon first.
    this.#child = spawn(find(env), args, { detached: true, stdio: ['ignore', 'ignore', 'inherit'] })
    this.ended = new Promise(resolve => {
      this.#child.once('exit', (code, signal) => resolve({ code, signal }))
      this.#child.once('error', () => resolve({ code: 127, signal: null }))
    })
  }

  async stop(): Promise<void> {
    this.#child.kill('SIGTERM')
    await this.ended
  }
}

function find(env: NodeJS.ProcessEnv): string {
  const folders = [join(packageFolder, 'build', 'release'), ...(env.PATH ?? '').split(delimiter)]
  const found = folders.map(folder => join(folder, name)).find(isProgram)
  if (found !== undefined) return found
  const help = `build it (npm run build in ${packageFolder}), or name the socket of another host: --host-socket PATH`
  throw new CliError('failed', 'NO_HOST', `there is no ${name} to run nodes in: ${help}`)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
