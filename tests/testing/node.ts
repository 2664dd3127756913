// node.ts: nodes for these tests: a definition with a bit of everything, and the coroutine that the test gives.
import { bytes, ip4, message, processNode, signal, text, u64 } from '../../daemon/index.js'
import type { ProcessContext, Vm } from '../../daemon/process/node.js'
import { type NodeSetup, testNode } from '../../daemon/testing/index.js'

const messages = {
  go: message(1, { to: ip4, name: text(8) }),
  stop: message(2),
  datum: signal(3),
  big: message(4, { n: u64, data: bytes(4) }),
}
/** The `node` of a coroutine in these tests. */
export type Node = ProcessContext<
  typeof messages,
  'ip4-lookup' | 'error-drop',
  'seen' | 'lost',
  undefined,
  Record<string, unknown>
>

const define = (run: (vm: Vm, node: Node) => Promise<void>) =>
  processNode({
    messages,
    next: ['ip4-lookup', 'error-drop'],
    counters: { seen: 'seen', lost: 'lost' },
    run: run as never,
  })

/** Starts a coroutine in the kit. */
export const start = (run: (vm: Vm, node: Node) => Promise<void>, setup?: NodeSetup) => testNode(define(run), setup)
