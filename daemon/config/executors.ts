// executors.ts: the `executors` section: threads of the daemon, their limits, and whether the nodes name threads that
// there are.
import { z } from 'zod'
import { duration, executorName, section, size } from './fields.js'
import { quote } from './problems.js'
import { suggest } from './suggest.js'

/** The executors that need no entry: the daemon's own thread, and a thread for one node alone. */
export const builtIn = ['main', 'worker'] as const
/** Threads beside main: an attachment has doorbells for 16 (COROD_MAX_EXECUTORS of shm/handshake.h; a test compares). */
export const maxWorkers = 15

const executor = section(
  z.strictObject({
    'max-heap': size({ min: '8MiB', max: '1TiB' })
      .optional()
      .describe(
        "Heap of JavaScript objects at most; if it is full, the thread is ended and started again. If absent, Node's own limit. Not for `main`, whose heap is the daemon's own",
      ),
    'max-stall': duration({ min: '50ms', max: '1d' })
      .prefault('5s')
      .describe(
        'Code that runs so long without an `await` is reported with its node and stack; a thread other than `main` is then ended and started again',
      ),
    spin: duration({ min: '0us', max: '10ms' })
      .prefault('0us')
      .describe(
        'How long the thread looks for events before it sleeps: a wake-up saved, for that much of a core. `0us`: not at all',
      ),
  }),
)

/** The section `executors`, by name; `main` says how the daemon's own thread is, `worker` how those of single nodes are. */
export const executors = z.record(executorName, executor).superRefine(
  (all, context) => {
    const { main } = all as Partial<typeof all>
    if (main?.maxHeap === undefined) return
    context.addIssue({
      code: 'custom',
      path: ['main', 'max-heap'],
      message:
        "main has no limit of its own, its heap is the daemon's: give the nodes that may leak another executor, or start the daemon with NODE_OPTIONS=--max-old-space-size=MEBIBYTES",
    })
  },
  { when: () => true },
)

/** The limits of one executor: milliseconds and bytes. */
export type ExecutorConfig = z.output<typeof executor>

/** What an executor is that the file says nothing of. */
export const executorDefaults: ExecutorConfig = executor.parse({})

/** What {@link checkExecutors} looks at; whatever else is wrong with the file is told by others. */
interface Named {
  readonly executors?: unknown
  readonly nodes?: unknown
}

/** Every node's executor must be there, and there are not more than the host has doorbells for. */
export function checkExecutors(file: Named, context: z.core.$RefinementCtx): void {
  // A section whose names are wrong is not there at all: those are told first.
  if (file.executors === undefined) return
  const known = [...builtIn, ...keys(file.executors)]
  const used = new Set<string>()
  let told = false
  for (const [node, { executor: name }] of Object.entries(mapping(file.nodes))) {
    if (typeof name !== 'string') continue
    const fault = (message: string) => context.addIssue({ code: 'custom', path: ['nodes', node, 'executor'], message })
    if (!known.includes(name)) {
      const near = suggest(name, known)
      const hint = near === undefined ? `write  executors: { ${name}: {} }  or use worker` : `did you mean ${near}?`
      fault(`there is no executor ${quote(name)}: ${hint}`)
      continue
    }
    if (name === 'main') continue
    used.add(name === 'worker' ? `worker:${node}` : name)
    if (used.size <= maxWorkers || told) continue
    told = true
    fault(
      `this is worker thread ${used.size}, a daemon has ${maxWorkers} beside main: let nodes share one, by a name of \`executors\``,
    )
  }
}

function keys(value: unknown): string[] {
  return Object.keys(mapping(value))
}

function mapping(value: unknown): Readonly<Record<string, { readonly executor?: unknown }>> {
  if (typeof value !== 'object' || value === null) return {}
  return Object.fromEntries(Object.entries(value).filter(([, one]) => typeof one === 'object' && one !== null))
}
