// service.ts: the real programs: the standalone host, the daemon, the command line.
import { existsSync } from 'node:fs'
import { ControlClient } from '../../daemon/control/client.js'
import type { Folder } from './folder.js'
import { root } from './folder.js'
import { type Exit, Program } from './program.js'
import { waitFor } from './wait.js'

const standalone = `${root}/build/release/corod-standalone`
const corodProgram = `${root}/bin/corod`

/** A running standalone host. */
export interface Standalone extends AsyncDisposable {
  readonly program: Program
  /** Where daemons attach. */
  readonly socket: string
  /** What `command` prints. Throws if it fails. */
  cli(command: string): Promise<string>
  /** The packets that nodes sent, as pcapng. */
  readonly pcap: string
}

/** Starts a standalone host in `folder` and waits until it is ready. `args` follow the usual ones. */
export async function startStandalone(folder: Folder, args: readonly string[] = []): Promise<Standalone> {
  const [socket, cli, pcap] = [folder.at('host.sock'), folder.at('cli.sock'), folder.at('out.pcap')]
  const usual = ['--socket', socket, '--cli', cli, '--pcap', pcap, '--no-interfaces']
  const program = new Program(standalone, [...usual, ...args])
  await program.says(/ready/)
  return {
    program,
    socket,
    pcap,
    async cli(command) {
      const asked = await finished(standalone, ['--cli', cli, ...command.split(' ')])
      if (asked.code !== 0) throw new Error(`${command}: ${asked.stderr}`)
      return asked.stdout
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  }
}

/** A running daemon. */
export interface RunningDaemon extends AsyncDisposable {
  readonly program: Program
  readonly client: ControlClient
  /** The control socket. */
  readonly socket: string
  readonly config: string
  /** Waits until the host is attached and all nodes are in one of `states`. */
  running(...states: string[]): Promise<void>
  /** One line of its log, parsed, once there is one for which `fits` holds. */
  logged(what: string, fits: (line: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>
}

/** How to start a daemon. */
export interface DaemonOptions {
  /** Names its files in the folder; one daemon each. Default: `daemon`. */
  readonly name?: string
  /** Attach socket of its host. Default: that of startStandalone in the same folder. */
  readonly host?: string
  readonly env?: NodeJS.ProcessEnv
  /** User and group to run as. Default: those of the test. */
  readonly uid?: number
  /** Further words of the command line. */
  readonly args?: readonly string[]
  /** The largest file that it may write, in blocks of 512 or 1024 bytes: as good as a full disk. */
  readonly fileBlocks?: number
}

/**
 * Starts a daemon whose sockets and state are in `folder`. `yaml`: its configuration but for `host.socket`,
 * `control.socket` and `state`, which come from the command line. Does not wait for anything: see `running`.
 */
export function startDaemon(folder: Folder, yaml: string, options: DaemonOptions = {}): RunningDaemon {
  const { name = 'daemon', host = folder.at('host.sock'), env = {}, uid, args: more = [], fileBlocks } = options
  const socket = folder.at(`${name}.sock`)
  const config = folder.write(`${name}.yaml`, yaml)
  const run = [process.execPath, corodProgram, 'run', '-c', config, '--host-socket', host, '--socket', socket]
  run.push('--state', folder.at('state'), ...more)
  const [file = '', ...args] =
    fileBlocks === undefined ? run : ['/bin/sh', '-c', `ulimit -f ${fileBlocks}; exec "$@"`, 'sh', ...run]
  const user = uid === undefined ? {} : { uid, gid: uid, cwd: '/' }
  // What a daemon that is killed leaves goes with the folder.
  const own = uid === undefined ? { TMPDIR: folder.path } : {}
  const program = new Program(file, args, { env: { ...process.env, ...own, ...env }, ...user })
  const client = new ControlClient(socket)
  return {
    program,
    client,
    socket,
    config,
    async running(...states) {
      const wanted = states.length > 0 ? states : ['running']
      await waitFor(`nodes to be ${wanted}; the daemon says ${program.output}`, async () => {
        if (program.ended !== undefined) throw new Error(`the daemon ended: ${program.output}`)
        const [status, nodes] = [await client.status(), await client.nodes()]
        return status.host.state === 'connected' && nodes.every(node => wanted.includes(node.state))
      })
    },
    logged(what, fits) {
      return waitFor(`${what} in the log: ${program.output}`, () =>
        program.stdout
          .split('\n')
          .filter(line => line.startsWith('{') && line.endsWith('}'))
          .map(line => JSON.parse(line) as Record<string, unknown>)
          .find(fits),
      )
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  }
}

/** What a program that has ended left. */
export interface Finished extends Exit {
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end; `input` is its standard input. */
export async function finished(program: string, args: readonly string[], input?: string): Promise<Finished> {
  await using running = new Program(program, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  running.child.stdin?.on('error', () => {}).end(input ?? '')
  const exit = await running.exit
  return { ...exit, stdout: running.stdout, stderr: running.stderr }
}

/** Runs a `corod` command to its end. */
export function corod(args: readonly string[], input?: string): Promise<Finished> {
  return finished(process.execPath, [corodProgram, ...args], input)
}

/** Whether the C programs are built, without which nothing here can start. */
export function built(): boolean {
  return existsSync(standalone)
}
