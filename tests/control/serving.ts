// serving.ts: a control server on a socket of the test's, and whether it serves.
import assert from 'node:assert/strict'
import { createServer, type Server } from 'node:net'
import { ControlServer } from '../../daemon/control/server.js'
import type { Lock } from '../../daemon/control/socket.js'
import { Raw } from '../support/raw.js'
import { defaults, FakePlane, Lines } from './plane.js'

/** Heads of requests with events, and where they go. */
export const json = { 'Content-Type': 'application/json' }
export const stream = { 'Content-Type': 'application/x-ndjson', 'Transfer-Encoding': 'chunked' }
export const path = '/v1/nodes/echo/events'

/** A server that does not listen yet. */
export function control(socket: string, lock?: Lock): ControlServer {
  const options = { socket, mode: 0o660, limits: defaults }
  return new ControlServer(new FakePlane(), options, new Lines(), lock ? { lock } : {})
}

/** A server on that socket refuses to listen. */
export async function refuses(socket: string, code: string, message: RegExp, lock?: Lock): Promise<void> {
  await assert.rejects(control(socket, lock).listen(), { name: 'SocketFileError', code, message })
}

/** Whoever listens there takes an event. */
export async function serves(socket: string): Promise<void> {
  using raw = new Raw(socket)
  assert.equal((await raw.request('POST', path, json, '{"type":"ping"}').answer()).status, 202)
}

/** Somebody else's server on a path. */
export function listenOn(at: string): Promise<Server> {
  return new Promise(resolve => {
    const server = createServer().listen(at, () => resolve(server))
  })
}
