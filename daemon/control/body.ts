// body.ts: reads the body of a request under limits: of size, of time without progress, of memory over all requests.
import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import { Problem } from './problems.js'

/** The client went away before its request was complete: nobody is left to be answered. */
export class Gone extends Error {}

/** Bytes that all requests together may collect. */
export class Budget {
  #left: number

  constructor(bytes: number) {
    this.#left = bytes
  }

  /** Whether `bytes` could be had; if so they must be given back. */
  take(bytes: number): boolean {
    if (bytes > this.#left) return false
    this.#left -= bytes
    return true
  }

  give(bytes: number): void {
    this.#left += bytes
  }
}

/**
 * Hands each chunk of a body to `use`, which says whether that was progress (`idle` starts again), or returns a
 * promise: then the client is held up until it resolves. Resolves at the end of the body. Rejects with what `use`
 * throws, with Gone, with BODY_TIMEOUT after `idle` ms without progress, with STOPPING once `stop` aborts. A `use`
 * that is under way is always waited for.
 */
export function pour(
  req: IncomingMessage,
  idle: number,
  stop: AbortSignal,
  use: (chunk: Buffer) => boolean | Promise<void>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let using = false
    let ending: (() => void) | undefined
    const settle = (how: () => void) => {
      if (ending !== undefined) return
      ending = how
      clearTimeout(timer)
      stop.removeEventListener('abort', onStop)
      req.off('data', onData).off('end', onEnd).off('close', onClose).pause()
      if (!using) how()
    }
    const fail = (error: unknown) => settle(() => reject(error))
    const onEnd = () => settle(resolve)
    const onClose = () => fail(new Gone())
    const onStop = () => fail(new Problem('STOPPING', 'the daemon is stopping; what was accepted stays accepted'))
    const onData = (chunk: Buffer) => {
      let used: boolean | Promise<void>
      try {
        used = use(chunk)
      } catch (error) {
        fail(error)
        return
      }
      if (used === true) timer.refresh()
      if (typeof used === 'boolean') return
      using = true
      req.pause()
      used.then(undefined, fail).then(() => {
        using = false
        if (ending !== undefined) return ending()
        timer.refresh()
        req.resume()
      })
    }
    const timer = setTimeout(() => {
      // While the client is held up by us, silence is not its fault.
      if (using) timer.refresh()
      else fail(new Problem('BODY_TIMEOUT', `nothing complete came for ${idle} ms`))
    }, idle)
    if (stop.aborted) return onStop()
    if (req.destroyed && !req.complete) return onClose()
    stop.addEventListener('abort', onStop, { once: true })
    req.on('data', onData).on('end', onEnd).on('close', onClose)
  })
}

/** The whole body, at most `limit` bytes, complete within `idle` ms. Its size is taken from `budget` until `release`. */
export async function collect(
  req: IncomingMessage,
  limit: number,
  idle: number,
  budget: Budget,
  stop: AbortSignal,
): Promise<{ bytes: Buffer; release: () => void }> {
  const tooBig = () => new Problem('BODY_TOO_BIG', `a body has at most ${limit} bytes; send more events as NDJSON`)
  if (Number(req.headers['content-length'] ?? 0) > limit) throw tooBig()
  const chunks: Buffer[] = []
  let size = 0
  const release = () => budget.give(size)
  try {
    await pour(req, idle, stop, chunk => {
      if (size + chunk.length > limit) throw tooBig()
      if (!budget.take(chunk.length)) throw new Problem('BUSY', 'too many large bodies at once')
      size += chunk.length
      chunks.push(chunk)
      return false
    })
  } catch (error) {
    release()
    throw error
  }
  return { bytes: Buffer.concat(chunks), release }
}

/** Parsed JSON. Throws JSON_MALFORMED; `what` names the text in it, e.g. "line 3". */
export function parseJson(bytes: Buffer, what: string): unknown {
  const text = bytes.toString('utf8')
  // A replacement character is the sign of bad UTF-8, unless the sender wrote one.
  if (text.includes('\ufffd') && !isUtf8(bytes)) throw new Problem('JSON_MALFORMED', `${what} is not UTF-8`)
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Problem('JSON_MALFORMED', `${what} is not JSON: ${(error as Error).message}`)
  }
}
