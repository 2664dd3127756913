// counts.ts: what the inbox of a node counts, in memory that threads share: the thread that runs the node writes, the
// main thread reads, also while the node's thread is stuck. One writer; a reader may be a moment behind.

/** What is counted, by name, in the order of the shared memory. */
export const countNames = [
  'received',
  'redelivered',
  'rejected',
  'filtered',
  'gaps',
  'missed',
  'late',
  'deadLetters',
  'lostLetters',
] as const

/** What the inbox of a node counted. Lives as long as the node, over attachments and coroutines. */
export type InboxCounts = { -readonly [Name in (typeof countNames)[number]]: number }

class Memory {
  readonly #values: Float64Array<SharedArrayBuffer>

  constructor(memory = new SharedArrayBuffer(countNames.length * Float64Array.BYTES_PER_ELEMENT)) {
    this.#values = new Float64Array(memory)
  }

  /** To be posted to the thread that counts. */
  get memory(): SharedArrayBuffer {
    return this.#values.buffer
  }

  static {
    for (const [index, name] of countNames.entries()) {
      Object.defineProperty(Memory.prototype, name, {
        get(this: Memory) {
          return this.#values[index]
        },
        set(this: Memory, value: number) {
          this.#values[index] = value
        },
      })
    }
  }
}
/** Counts of one node. */
export type NodeCounts = Memory & InboxCounts

/** Makes the counts of a node, in any thread: of the same `memory` they are the same. */
export const NodeCounts = Memory as unknown as new (memory?: SharedArrayBuffer) => NodeCounts

/** Counts of nothing yet, that no other thread sees. */
export function noCounts(): InboxCounts {
  return Object.fromEntries(countNames.map(name => [name, 0])) as InboxCounts
}

/** The counts as they are now. */
export function snapshot(counts: Readonly<InboxCounts>): InboxCounts {
  return Object.fromEntries(countNames.map(name => [name, counts[name]])) as InboxCounts
}
