// seqpacket.ts: a stranger on an attach socket. Node.js has no SOCK_SEQPACKET, so Python speaks there.
import { spawnSync } from 'node:child_process'
import { limits } from '../../shm/ring.js'
import { root } from './folder.js'
import { finished } from './service.js'

/** What one connection does. */
export interface Stranger {
  /** Messages to send, in order. */
  readonly send: readonly Buffer[]
  /** Descriptors that come with each of them. */
  readonly fds?: number
  /** Messages to wait for. One more than the host sends waits for its end of the connection. */
  readonly get: number
}

/** What came of it. */
export interface Met {
  readonly got: readonly Buffer[]
  /** The host hung up. */
  readonly end: boolean
}

let known: boolean | undefined

/** Whether there is a Python to speak with. */
export function hasPython(): boolean {
  known ??= spawnSync('python3', ['-c', 'import socket; socket.SOCK_SEQPACKET']).status === 0
  return known
}

/** Connects to `path` once for each stranger, one after the other. Throws if one cannot connect. */
export async function meet(path: string, strangers: readonly Stranger[]): Promise<Met[]> {
  const hex = (message: Buffer) => message.toString('hex')
  const orders = strangers.map(stranger => JSON.stringify({ path, ...stranger, send: stranger.send.map(hex) }))
  const run = await finished('python3', [`${root}/tests/support/seqpacket.py`], `${orders.join('\n')}\n`)
  if (run.code !== 0) throw new Error(run.stderr)
  const answers = run.stdout.trimEnd().split('\n')
  return answers.map(line => {
    const { got, end } = JSON.parse(line) as { got: string[]; end: boolean }
    return { got: got.map(text => Buffer.from(text, 'hex')), end }
  })
}

// struct corod_message of shm/handshake.h, as far as it is needed here. Numbers of `enum corod_message_type`.
const size = 512
const magic = 0x444f5243
const [HELLO, WELCOME, REFUSED] = [1, 2, 3]

/** A HELLO of a daemon that speaks `min` to `max`; undefined: the versions of this repository. */
export function hello(min = limits.protocolMin, max = limits.protocol): Buffer {
  const message = Buffer.alloc(size)
  message.writeUInt32LE(magic, 0)
  message.writeUInt16LE(HELLO, 4)
  message.writeUInt32LE(7, 8)
  message.writeUInt16LE(min, 16)
  message.writeUInt16LE(max, 18)
  message.writeUInt32LE(process.pid, 20)
  message.write('stranger', 24)
  return message
}

/** What the host said to a HELLO. */
export type Reply =
  | { readonly kind: 'welcome' }
  | {
      readonly kind: 'refused'
      readonly min: number
      readonly max: number
      readonly pid: number
      readonly text: string
    }

/** Reads the first message of a host. */
export function replyOf(met: Met): Reply {
  const message = met.got[0]
  if (message === undefined) throw new Error('the host said nothing')
  if (message.length !== size || message.readUInt32LE(0) !== magic) throw new Error('not a message of a host')
  const type = message.readUInt16LE(4)
  if (type === WELCOME) return { kind: 'welcome' }
  if (type !== REFUSED) throw new Error(`the host answered HELLO with message ${type}`)
  const text = message.toString('utf8', 24, message.indexOf(0, 24))
  return {
    kind: 'refused',
    min: message.readUInt16LE(16),
    max: message.readUInt16LE(18),
    pid: message.readUInt32LE(20),
    text,
  }
}
