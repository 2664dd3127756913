// message.ts: what crosses between ring.ts and its user as plain values: questions' contents and the host's messages.

/** Names of `enum corod_status` in layout.h; UNKNOWN is a number that a newer host may send. */
export type StatusName =
  | 'OK'
  | 'VERSION'
  | 'BUSY'
  | 'MALFORMED'
  | 'LIMIT'
  | 'NO_MEMORY'
  | 'NAME_INVALID'
  | 'NAME_TAKEN'
  | 'NEXT_UNKNOWN'
  | 'NODE_UNKNOWN'
  | 'TYPE_UNKNOWN'
  | 'TOO_BIG'
  | 'FULL'
  | 'CLOSED'
  | 'COUNTER_UNKNOWN'
  | 'CLI_FAILED'
  | 'CLI_SUSPENDS'
  | 'CLI_BUSY'
  | 'NOT_LISTED'
  | 'NO_BUFFER'
  | 'UNSUPPORTED'
  | 'IO'
  | 'STALE'
  | 'CUT'
  | 'TIMEOUT'
  | 'REFUSED'
  | 'UNANSWERED'
  | 'DIED'
  | 'INTERFACE_UNKNOWN'
  | 'UNKNOWN'

/** A row of the host's table of outcomes. */
export interface Status {
  readonly name: StatusName
  /** The number that crosses. */
  readonly code: number
  /** A sentence for users. */
  readonly text: string
}

/** What a node wants to be. Sizes are bytes; left out or 0: the host's default. */
export interface NodeAsk {
  /** 1 to 63 of `A-Z a-z 0-9 _ . -`. */
  readonly name: string
  /** An executor that the host has answered for. */
  readonly executor: number
  /** A power of two from 4096 to 2^24, as the other rings. */
  readonly eventRing?: number
  readonly replyRing?: number
  readonly commandRing?: number
  /** Events that may wait beyond the ring. */
  readonly backlog?: number
  readonly backlogBytes?: number
  /** What happens to an event that finds the backlog full. */
  readonly overflow: 'reject' | 'drop-oldest' | 'drop-newest'
  /** Names of next nodes; `enqueue` speaks of them by index. At most 64. */
  readonly next: readonly string[]
  /** Error counters; `count` speaks of them by index. At most 128; a text has at most 127 bytes. */
  readonly counters: readonly {
    readonly name: string
    readonly text: string
    readonly severity: 'info' | 'warn' | 'error'
  }[]
  /** Messages that the node takes: their codes and largest payloads, in bytes. At most 256. */
  readonly codes: readonly { readonly code: number; readonly maxSize: number }[]
}

/** What becomes of a node that the daemon lets go of. */
export type Leave = 'discard' | 'keep' | 'park'

/** What the host says. `call` is the number the question was asked with. */
export type HostMessage =
  /** Answer to `hello`. `epoch` names this attachment; `maxEvent` is bytes of payload. */
  | {
      readonly kind: 'welcome'
      readonly version: number
      readonly hostPid: number
      readonly epoch: bigint
      readonly host: string
      readonly release: string
      readonly maxNodes: number
      readonly maxExecutors: number
      readonly maxEvent: number
    }
  /** Answer to `hello`; the link closes next. `min` to `max` are the host's versions, `pid` the other daemon's. */
  | {
      readonly kind: 'refused'
      readonly status: StatusName
      readonly min: number
      readonly max: number
      readonly pid: number
      readonly text: string
    }
  /** Answer to `addExecutor`: `executor` may be called now. With the first one, slot 0 is there. */
  | { readonly kind: 'executor'; readonly call: number; readonly id: number }
  /** Answer to `addNode`. `carried`: events waiting from an earlier attachment; `seq`: the last one assigned so far. */
  | {
      readonly kind: 'node'
      readonly call: number
      readonly slot: number
      readonly generation: number
      readonly node: number
      readonly carried: number
      readonly seq: bigint
    }
  /** Answer to `closeNode`. `waiting`: events that were accepted and are not released yet. */
  | { readonly kind: 'nodeClosed'; readonly call: number; readonly slot: number; readonly waiting: number }
  /** Answer to `removeNode`. `discarded`: events that were still queued; 0 if the node was kept. */
  | { readonly kind: 'removed'; readonly call: number; readonly slot: number; readonly discarded: number }
  /** Answer to `ready` and `allowSignal`. `removed`: nodes of an earlier attachment that nobody claimed. */
  | { readonly kind: 'ready'; readonly call: number; readonly removed: number; readonly discarded: number }
  /** Answer to `ping`. */
  | { readonly kind: 'pong'; readonly call: number }
  /** The question was refused; `text` says what is wrong and what would be right. */
  | { readonly kind: 'failed'; readonly call: number; readonly status: StatusName; readonly text: string }
