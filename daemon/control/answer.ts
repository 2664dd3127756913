// answer.ts: writes answers. Bigints become decimal strings; a refused body is drained for a moment, so that a client
// in the middle of sending it still gets to read why.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { bounds } from './limits.js'
import type { Problem } from './problems.js'

/** What a request gets. */
export interface Answer {
  readonly status: number
  readonly type: 'application/json' | 'application/problem+json'
  readonly body: object
  readonly headers: Readonly<Record<string, string>>
}

export function ok(body: object, status = 200): Answer {
  return { status, type: 'application/json', body, headers: {} }
}

/** A problem document; `extra` members follow those of the problem. */
export function refusal(problem: Problem, extra: object = {}, headers: Record<string, string> = {}): Answer {
  return {
    status: problem.status,
    type: 'application/problem+json',
    body: { ...problem.document(), ...extra },
    headers: problem.retry ? { 'retry-after': '1', ...headers } : headers,
  }
}

export function toJson(body: object): string {
  return `${JSON.stringify(body, (_, value) => (typeof value === 'bigint' ? String(value) : value))}\n`
}

/** Answers `req`. `last`: the connection ends with this answer. */
export function give(req: IncomingMessage, res: ServerResponse, answer: Answer, last: boolean): void {
  if (res.destroyed || res.headersSent) return
  const bytes = Buffer.from(toJson(answer.body))
  const unread = !req.complete && hasBody(req)
  res.writeHead(answer.status, {
    'content-type': answer.type,
    'content-length': bytes.length,
    'cache-control': 'no-store',
    ...answer.headers,
    ...(last || unread ? { connection: 'close' } : {}),
  })
  if (!unread) {
    res.end(bytes)
    return
  }
  // Closing now, with unread bytes in the socket, would reset the connection under a client that still writes. The
  // answer is complete for the client; the connection ends a little later.
  res.write(bytes)
  let left: number = bounds.lingerBytes
  const end = () => {
    clearTimeout(timer)
    req.off('data', drain)
    res.end()
  }
  const drain = (chunk: Buffer) => {
    left -= chunk.length
    if (left < 0) end()
  }
  const timer = setTimeout(end, bounds.lingerMs)
  req.on('data', drain).once('end', end).once('close', end).resume()
}

/** Whether a body was announced. A request without one is complete only after its handler was called. */
function hasBody(req: IncomingMessage): boolean {
  return req.headers['transfer-encoding'] !== undefined || Number(req.headers['content-length'] ?? 0) > 0
}

/** A whole response as bytes, for connections on which no request could be parsed. */
export function bare(problem: Problem): string {
  const { body, headers } = refusal(problem)
  const json = toJson(body)
  const lines = [
    `HTTP/1.1 ${problem.status} ${problem.document().title}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(json)}`,
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
    'Connection: close',
  ]
  return `${lines.join('\r\n')}\r\n\r\n${json}`
}
