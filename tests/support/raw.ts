// raw.ts: a client of a Unix socket that speaks bytes, not HTTP: for what a well-behaved client would not send.
import { connect, type Socket } from 'node:net'
import { waitFor } from './wait.js'

/** An answer as it came. */
export interface RawAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  json<T = Record<string, unknown>>(): T
}

/** One connection. Half-open is allowed: the other side's end does not end ours. */
export class Raw implements Disposable {
  readonly socket: Socket
  received = ''
  error: NodeJS.ErrnoException | undefined
  closed = false
  #taken = 0

  constructor(path: string) {
    this.socket = connect({ path, allowHalfOpen: true })
    this.socket.setEncoding('latin1')
    this.socket.on('data', (text: string) => {
      this.received += text
    })
    this.socket.on('error', error => {
      this.error = error
    })
    this.socket.on('close', () => {
      this.closed = true
    })
    this.socket.on('end', () => {
      this.closed = true
    })
  }

  write(bytes: string | Uint8Array): this {
    this.socket.write(bytes)
    return this
  }

  /** A request with an optional body; `headers` beside Host and Content-Length. */
  request(method: string, path: string, headers: Record<string, string> = {}, body?: string | Buffer): this {
    const all = {
      Host: 'localhost',
      ...(body === undefined ? {} : { 'Content-Length': String(Buffer.byteLength(body)) }),
      ...headers,
    }
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
    this.write(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
    return body === undefined ? this : this.write(body)
  }

  /** A piece of a chunked body. */
  chunk(bytes: string | Buffer): this {
    return this.write(`${Buffer.byteLength(bytes).toString(16)}\r\n`)
      .write(bytes)
      .write('\r\n')
  }

  /** The next complete answer (with Content-Length). */
  async answer(): Promise<RawAnswer> {
    return waitFor('an answer', () => {
      const text = this.received.slice(this.#taken)
      const end = text.indexOf('\r\n\r\n')
      if (end < 0) {
        if (this.closed) throw new Error(`closed after ${JSON.stringify(text)}: ${this.error}`)
        return undefined
      }
      const [first = '', ...rest] = text.slice(0, end).split('\r\n')
      const headers = Object.fromEntries(
        rest.map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
      )
      const size = Number(headers['content-length'] ?? 0)
      if (text.length < end + 4 + size) return undefined
      this.#taken += end + 4 + size
      const body = Buffer.from(text.slice(end + 4, end + 4 + size), 'latin1').toString()
      return { status: Number(first.split(' ')[1]), headers, body, json: <T>() => JSON.parse(body) as T }
    })
  }

  /** Resolves when the other side has closed the connection. */
  async gone(): Promise<void> {
    await waitFor('the end of the connection', () => this.closed)
  }

  [Symbol.dispose](): void {
    this.socket.destroy()
  }
}
