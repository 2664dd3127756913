// host.ts: a standalone host of a test, with everything it has a socket or a file for.
import type { Folder } from '../support/folder.js'
import { root } from '../support/folder.js'
import { Program } from '../support/program.js'
import { type Finished, finished } from '../support/service.js'

export const program = `${root}/build/release/corod-standalone`

/** A running host. */
export interface Host extends AsyncDisposable {
  readonly program: Program
  /** Where daemons attach. */
  readonly socket: string
  /** Where commands are asked. */
  readonly cli: string
  /** Asks one command through the program's own client. */
  ask(command: string): Promise<Finished>
  /** What the command prints; throws if it fails. */
  show(command: string): Promise<string>
}

/** Starts a host in `folder` and waits until it is ready. */
export async function startHost(folder: Folder, args: readonly string[] = ['--no-interfaces']): Promise<Host> {
  const [socket, cli] = [folder.at('host.sock'), folder.at('cli.sock')]
  return hostOf(new Program(program, ['--socket', socket, '--cli', cli, ...args]), socket, cli)
}

/** The host that `running` is, or will be. */
export async function hostOf(running: Program, socket: string, cli: string): Promise<Host> {
  await running.says(/ready on/)
  const ask = (command: string) => finished(program, ['--cli', cli, ...command.split(' ')])
  return {
    program: running,
    socket,
    cli,
    ask,
    async show(command) {
      const { code, stdout, stderr } = await ask(command)
      if (code !== 0) throw new Error(`${command}: status ${code}: ${stdout}${stderr}`)
      return stdout
    },
    [Symbol.asyncDispose]: () => running[Symbol.asyncDispose](),
  }
}
