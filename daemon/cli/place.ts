// place.ts: which configuration file and which socket a command means.
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { devSocket } from './dev/folder.js'
import { CliError } from './exits.js'

/** The configuration of an installed daemon. */
export const systemConfig = '/etc/corod/corod.yaml'
/** The configuration of the folder one is in; goes before the system's. */
export const localConfig = 'corod.yaml'
/** The control socket of an installed daemon: the default of `control.socket`. */
export const systemSocket = '/run/corod/control.sock'

/** What the user said about places. */
export interface Places {
  readonly config?: string | undefined
  readonly socket?: string | undefined
  readonly env: NodeJS.ProcessEnv
}

/** The configuration file: --config, else ./corod.yaml if there is one, else the system's. */
export function configFile(places: Places): string {
  if (places.config === '')
    throw new CliError('usage', 'USAGE', '--config is empty: name a file, such as -c corod.yaml')
  return places.config ?? (existsSync(localConfig) ? localConfig : systemConfig)
}

/** `path` if it can be the path of a Unix socket; `what` is where it comes from. */
export function socketPath(path: string, what: string): string {
  const absolute = resolve(path)
  const bytes = Buffer.byteLength(absolute)
  if (path === '') throw new CliError('usage', 'USAGE', `${what} is empty: give the path of a socket`)
  // Longer ones are cut off without a word: another socket would be meant.
  if (bytes <= 107) return absolute
  throw new CliError('usage', 'USAGE', `${what}: the path has ${bytes} bytes, Unix allows 107: choose a shorter one`)
}

/** The socket that was named: --socket, else COROD_SOCKET. Absolute. */
export function namedSocket(places: Places): string | undefined {
  if (places.socket !== undefined) return socketPath(places.socket, '--socket')
  const { COROD_SOCKET } = places.env
  return COROD_SOCKET ? socketPath(COROD_SOCKET, 'COROD_SOCKET') : undefined
}

/**
 * The control socket of the daemon that is meant: the one that was named, else that of the corod dev that runs for the
 * configuration file, else the one in that file if there is one, else the system's.
 */
export async function controlSocket(places: Places): Promise<string> {
  const named = namedSocket(places)
  if (named !== undefined) return named
  const file = configFile(places)
  const dev = await devSocket(file, places.env)
  if (dev !== undefined) return dev
  if (places.config === undefined && !existsSync(file)) return systemSocket
  const { loadControlSocket } = await import('../config/load.js')
  return loadControlSocket(file)
}
