// server-process.ts: a control server in a process of its own: to measure its memory, to kill it, to run it as somebody else.
// Arguments: socket, options as JSON. Says "ready", or "CODE message" and ends with status 1.
import type { ControlOptions } from '../../daemon/control/limits.js'
import { ControlServer } from '../../daemon/control/server.js'
import { defaults, FakePlane, Lines } from './plane.js'

const [, , socket = '', given = '{}'] = process.argv
const { limits = {}, ...options } = JSON.parse(given) as Partial<ControlOptions>
const plane = new FakePlane()
plane.extraNodes = 1000
// What was sent must not be what grows.
plane.sent.push = () => 0
const server = new ControlServer(
  plane,
  { socket, mode: 0o600, ...options, limits: { ...defaults, ...limits } },
  new Lines(),
  { grace: 50 },
)
try {
  await server.listen()
  process.on('SIGTERM', () => void server.close().then(() => process.exit(0)))
  process.stdout.write(`ready ${process.env.LISTEN_FDS ?? ''}\n`)
} catch (error) {
  process.stdout.write(`${(error as { code?: string }).code} ${(error as Error).message}\n`)
  process.exitCode = 1
}
