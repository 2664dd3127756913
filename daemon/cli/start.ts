// start.ts: corod run: what the command line says, handed to run.ts, which knows the daemon.
import type { Given } from './commands.js'
import type { Output } from './output.js'
import { configFile, namedSocket, socketPath } from './place.js'

export async function start(_: readonly (string | undefined)[], given: Given, out: Output): Promise<number> {
  const places = { ...given, env: out.streams.env }
  const file = configFile(places)
  const controlSocket = namedSocket(places)
  const hostSocket = typeof given.hostSocket === 'string' ? socketPath(given.hostSocket, '--host-socket') : undefined
  const { run } = await import('./run.js')
  return run({ file, controlSocket, hostSocket, quiet: given.quiet })
}
