// death.ts: why a worker thread ended, in words.

/** The end of a thread. */
export interface Death {
  /** Follows `executor NAME`. */
  readonly text: string
  /** Where its code was, as `error.stack` has it without the first line; undefined if nobody knows. */
  readonly stack: string | undefined
  /** The nodes that may have caused it; none: that cannot be told. */
  readonly nodes: readonly string[]
}

/** What a thread that ended left behind. */
export interface Remains {
  readonly error: Error | undefined
  readonly code: number
  /** Bytes; undefined: Node's own limit. */
  readonly maxHeap: number | undefined
}

/** Why a thread ended that nobody had ended. */
export function deathOf({ error, code, maxHeap }: Remains): Death {
  if (error === undefined) return { text: `ended by itself, with status ${code}`, stack: undefined, nodes: [] }
  if ('code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY') {
    const limit = maxHeap === undefined ? 'its heap was full' : `its heap was full (max-heap ${mebibytes(maxHeap)} MiB)`
    return { text: `ran out of memory: ${limit}`, stack: undefined, nodes: [] }
  }
  const stack = framesOf(error)
  return { text: `ended with an error: ${error.message}`, stack: stack === '' ? undefined : stack, nodes: [] }
}

/** What the supervisors of its nodes get. */
export function errorOf({ text, stack }: Death, executor: string): Error {
  const error = new Error(`executor ${executor} ${text}`)
  error.stack = stack === undefined ? `Error: ${error.message}` : `Error: ${error.message}\n${stack}`
  return error
}

/** The stack of an error without its first line. */
export function framesOf(error: Error): string {
  return (error.stack ?? '').split('\n').slice(1).join('\n')
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024)
}
