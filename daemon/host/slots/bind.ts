// bind.ts: the binding of a node on its slot, in whichever thread its executor is.
import type { Log } from '../../process/node.js'
import { Letters } from '../letters/letters.js'
import type { Lives } from '../lives.js'
import type { LoadedNode } from '../modules/loader.js'
import { type BindingServices, NodeBinding, type Place } from './binding.js'
import type { InboxCounts, NodeCounts } from './counts.js'
import type { NodeExecutor } from './executor.js'
import type { InboxOptions } from './inbox.js'

/** A node that wants a place, over all attachments. */
export interface Tenant {
  readonly loaded: LoadedNode
  readonly counts: NodeCounts
  /** Makes its coroutines. */
  readonly lives: Lives
  /** Whether transitions of the interface of that name reach it. */
  readonly wanted: (name: string) => boolean
  readonly log: Log
}

/** Binds a node that the host has registered at `place` of this executor. */
export function bindNode(
  { loaded, lives, log, counts, wanted }: Tenant,
  place: Place,
  executor: NodeExecutor,
  ways: Pick<BindingServices, 'now' | 'close' | 'remove' | 'directory'>,
): NodeBinding {
  const { name, deadLetters } = loaded.config
  const letters = deadLetters && new Letters(name, deadLetters, counts, log)
  const inbox = { counts, wanted, letters, rejected: rejections(log, counts) }
  return new NodeBinding(loaded, place, executor, inbox, { ...ways, log, runtime: port => lives.begin(port) })
}

function rejections(log: Log, counts: InboxCounts): InboxOptions['rejected'] {
  return (error, seq, kept) => {
    // The first of them, the second, the fourth: a sender that is wrong is wrong often.
    if ((counts.rejected & (counts.rejected - 1)) !== 0) return
    const text = error instanceof Error ? error.message : String(error)
    const what = kept ? 'does not fit and is a dead letter now' : 'was skipped'
    log.warn({ seq, rejected: counts.rejected }, `an event ${what}: ${text}`)
  }
}
