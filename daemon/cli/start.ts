// start.ts: corod run: what the command line says, handed to run.ts, which knows the daemon.
import type { Given } from './commands.js'
import { CliError } from './exits.js'
import type { Output } from './output.js'
import { configFile, namedSocket, socketPath } from './place.js'

export async function start(_: readonly (string | undefined)[], given: Given, out: Output): Promise<number> {
  const places = { ...given, env: out.streams.env }
  const file = configFile(places)
  const controlSocket = namedSocket(places)
  const hostSocket = typeof given.hostSocket === 'string' ? socketPath(given.hostSocket, '--host-socket') : undefined
  const state = folder(given.state, '--state')
  const record = recording(folder(given.record, '--record'), given.recordNode)
  const { run } = await import('./run.js')
  return run({ file, controlSocket, hostSocket, state, record, quiet: given.quiet })
}

function folder(path: string | boolean | undefined, what: string): string | undefined {
  if (path === '') throw new CliError('usage', 'USAGE', `${what} is empty: name a folder`)
  return typeof path === 'string' ? path : undefined
}

function recording(path: string | undefined, nodes: string | boolean | undefined) {
  if (typeof nodes !== 'string') return path === undefined ? undefined : { folder: path }
  if (path === undefined) throw new CliError('usage', 'USAGE', '--record-node goes with --record: name a folder')
  return { folder: path, names: nodes.split(',') }
}
