// schema.ts: every key of the configuration. The single source of types, defaults, checks, docs/config.md and the JSON
// Schema. A description here is what the user reads: say what the key does, not what it is called.
import { z } from 'zod'
import { checkExecutors, executors } from './executors.js'
import {
  duration,
  executorName,
  fileMode,
  folderPath,
  interfacePattern,
  nativeNodeName,
  nodeName,
  ordered,
  powerOfTwo,
  section,
  size,
  socketPath,
  whole,
} from './fields.js'

const backOff = {
  min: duration({ min: '1ms', max: '1h' }),
  max: duration({ min: '1ms', max: '1d' }),
}

const host = section(
  z.strictObject({
    socket: socketPath()
      .prefault('/run/vpp/corod.sock')
      .describe('Attach socket of the host: VPP with the plugin, or the standalone host'),
    reconnect: section(
      z
        .strictObject({
          min: backOff.min.prefault('100ms').describe('First wait after the host was lost; doubles with each attempt'),
          max: backOff.max.prefault('5s').describe('Longest wait between two attempts; they never end'),
        })
        .superRefine(ordered),
    )
      .prefault({})
      .describe('How often to look for a host that is away'),
    'ping-interval': duration({ min: '10ms', max: '1h' })
      .prefault('1s')
      .describe('How often a silent host is asked whether it lives'),
    'ping-timeout': duration({ min: '10ms', max: '1h' })
      .prefault('5s')
      .describe('A host that has not answered for so long is reported as stalled'),
  }),
)

const limits = section(
  z.strictObject({
    body: size({ min: '1KiB', max: '1GiB' })
      .prefault('8MiB')
      .describe('Longest JSON body. A body of lines (NDJSON) may be endless: its lines are limited'),
    line: size({ min: '64B', max: '64MiB' }).prefault('64KiB').describe('Longest line of an NDJSON body'),
    'header-timeout': duration({ min: '10ms', max: '1h' })
      .prefault('5s')
      .describe('A request whose head is not complete after so long is cut off'),
    'idle-timeout': duration({ min: '10ms', max: '1d' })
      .prefault('30s')
      .describe('A client that is silent for so long is cut off, inside a body and between requests'),
    connections: whole(1, 10_000).default(64).describe('Clients at the same time'),
  }),
)

const control = section(
  z.strictObject({
    socket: socketPath()
      .prefault('/run/corod/control.sock')
      .describe('Unix socket on which the daemon takes events and answers the command line'),
    mode: fileMode
      .prefault('0660')
      .describe('File mode of the socket: who may write to it may send events, read dead letters, reload'),
    group: z
      .union([z.string().min(1), whole(0, 2 ** 32 - 2)])
      .optional()
      .describe("Group of the socket, name or number; if absent, the daemon's own"),
    limits: limits.prefault({}).describe('What clients of the socket may use'),
  }),
)

const policies = ['never', 'on-failure', 'always'] as const

const restartSection = section(
  z
    .strictObject({
      policy: z
        .enum(policies)
        .default('on-failure')
        .describe('When `run` is started again: `never`, `on-failure` (it threw), `always` (also when it returned)'),
      min: backOff.min.prefault('100ms').describe('First wait before a restart; doubles with each failure in a row'),
      max: backOff.max.prefault('30s').describe('Longest wait before a restart'),
      'crash-loop': section(
        z.strictObject({
          count: whole(1, 1000).default(5).describe('So many failures within the window are a crash loop'),
          window: duration({ min: '1s', max: '1d' })
            .prefault('1m')
            .describe('Failures longer ago than this are forgotten'),
        }),
      )
        .prefault({})
        .describe('A node in a crash loop is started only every `max`, and reported so'),
    })
    .superRefine(ordered),
)

const restart = z.union([z.enum(policies).transform(policy => restartSection.parse({ policy })), restartSection])

const queue = section(
  z.strictObject({
    backlog: whole(1, 10_000_000).default(1024).describe('Events that wait in the host before the node is full'),
    bytes: size({ min: '4KiB', max: '1GiB' }).prefault('1MiB').describe('Bytes of such events'),
    overflow: z
      .enum(['reject', 'drop-oldest', 'drop-newest'])
      .default('reject')
      .describe(
        'What happens to an event when the node is full: its sender is told, or the oldest or the newest is dropped, counted, and told to the node as a gap',
      ),
    ring: powerOfTwo({ min: '4KiB', max: '16MiB' })
      .prefault('64KiB')
      .describe(
        'Window of the backlog that the daemon sees at once: a power of two; made larger if the longest message needs it',
      ),
  }),
)

const recordSection = section(
  z.strictObject({
    size: size({ min: '4KiB', max: '64GiB' })
      .prefault('100MiB')
      .describe('A recording that would become longer ends there; the node goes on'),
    files: whole(1, 1000).default(10).describe('So many recordings of the node are kept; a new one removes the oldest'),
  }),
)

const letterSection = section(
  z.strictObject({
    after: whole(2, 1000)
      .default(3)
      .describe('So many coroutines may end with an event in hand; then it is a dead letter, and the node goes on'),
    size: size({ min: '64KiB', max: '1GiB' })
      .prefault('4MiB')
      .describe('Bytes of the dead letters of the node; the oldest are thrown away, and counted'),
  }),
)

const deadLetters = z.union([z.enum(['off']).transform(() => undefined), letterSection])

const record = z.union([z.boolean().transform(on => (on ? recordSection.parse({}) : undefined)), recordSection])

/** How a node is recorded whose configuration does not say it. */
export const recordDefaults = recordSection.parse({})

const node = section(
  z.strictObject({
    module: z
      .string()
      .regex(/\.(js|mjs|ts|mts)$/, { error: () => 'expected the path of a .js, .mjs or .ts file' })
      .refine(path => !path.includes('\0'), 'has a NUL character: write a path without it')
      .describe('The module whose default export is the node, `.js`, `.mjs` or `.ts`; several nodes may use one'),
    options: z.record(z.string(), z.unknown()).default({}).describe('Given to the node as `node.options`; any keys'),
    peers: z
      .record(z.string(), nodeName)
      .default({})
      .describe('Which nodes the peers of the module are; one that is left out is the node of the same name'),
    executor: executorName
      .default('main')
      .describe(
        "The thread that runs the coroutine: `main`, the daemon's own; `worker`, a thread for this node alone; or the name of one of `executors`, which its nodes share",
      ),
    restart: restart.prefault({}).describe('What follows when `run` ends; the policy alone may stand here'),
    queue: queue.prefault({}).describe('What happens to events that the coroutine has not taken yet'),
    delivery: z
      .enum(['at-least-once', 'at-most-once'])
      .default('at-least-once')
      .describe('Whether an event that was in hand when the daemon died is delivered again, marked'),
    'dead-letters': deadLetters
      .prefault({})
      .describe(
        'Events that end the coroutine again and again, and those that do not fit its messages, are put down in `STATE/dead-letters`. `off`: the former are delivered for ever, the latter skipped',
      ),
    record: record
      .prefault(false)
      .describe(
        'Each life of the node is recorded, for `corod replay`, in `STATE/recordings`; `true` or a mapping. Recordings hold its events as they are, secrets included',
      ),
    interfaces: z
      .array(interfacePattern)
      .max(256)
      .default(['*'])
      .describe('Interface transitions that reach the node, by name; `*` and `?` as in a shell'),
    grace: duration({ min: '0ms', max: '1h' })
      .prefault('5s')
      .describe('How long a node may take to finish after its inbox was closed'),
  }),
)

/** The largest number of nodes: the slots of an attachment without the daemon's own. */
export const maxNodes = 4095

const file = z.strictObject({
  host: host.prefault({}).describe('Where the process nodes live'),
  control: control.prefault({}).describe('The local socket of the daemon'),
  log: section(
    z.strictObject({
      level: z.enum(['error', 'warn', 'info', 'debug']).default('info').describe('Least severe line that is logged'),
    }),
  )
    .prefault({})
    .describe('The log of the daemon, on its standard output as JSON lines'),
  state: folderPath()
    .prefault('/var/lib/corod')
    .describe(
      'Folder for what the daemon keeps: dead letters and recordings. Made when it is needed, for its owner alone',
    ),
  signals: z
    .array(nativeNodeName)
    .max(256)
    .default([])
    .describe("VPP's own process nodes that coroutines may signal: a wrong datum can crash VPP, so each is listed"),
  executors: executors
    .prefault({})
    .describe('The threads that run the nodes, by name. `main` and `worker` are always there'),
  nodes: z
    .record(nodeName, node)
    .refine(nodes => Object.keys(nodes).length <= maxNodes, `more than ${maxNodes} nodes: run several daemons`)
    .describe('The process nodes, by name'),
})

/** The whole file. */
export const schema = section(file.superRefine(checkExecutors, { when: () => true }))

/** The control section alone, for those who only look for its socket. */
export const controlSchema = control.prefault({})

/** Everything as parsed, before paths are resolved: durations in milliseconds, sizes in bytes, every default filled in. */
export type Settings = z.output<typeof schema>
/** One entry of `nodes`, likewise. */
export type NodeSettings = z.output<typeof node>

/** A JSON Schema node, as far as this project looks into it. */
export interface JsonSchema {
  readonly type?: string | readonly string[]
  readonly description?: string
  readonly default?: unknown
  readonly enum?: readonly unknown[]
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly additionalProperties?: boolean | JsonSchema
  readonly required?: readonly string[]
  readonly items?: JsonSchema
  readonly anyOf?: readonly JsonSchema[]
  readonly minimum?: number
  readonly maximum?: number
  /** What the schema's kinds add for the documentation; editors ignore them. */
  readonly range?: string
  readonly unit?: string
  readonly kind?: string
}

let made: JsonSchema | undefined

/** The JSON Schema (draft 2020-12) of the file as it is written, for editors, documentation and suggestions. */
export function jsonSchema(): JsonSchema {
  made ??= {
    title: 'corod configuration',
    ...(z.toJSONSchema(schema, { io: 'input' }) as JsonSchema),
  } as JsonSchema
  return made
}

/** The part of the JSON Schema that describes the value at `path`; undefined where anything may stand. */
export function schemaAt(path: readonly (string | number)[]): JsonSchema | undefined {
  let at: JsonSchema | undefined = jsonSchema()
  for (const part of path) {
    const all: readonly JsonSchema[] = at?.anyOf ?? (at === undefined ? [] : [at])
    at = all.map(one => step(one, part)).find(found => found !== undefined)
  }
  return at
}

function step(at: JsonSchema, part: string | number): JsonSchema | undefined {
  if (typeof part === 'number') return at.items
  const own = at.properties !== undefined && Object.hasOwn(at.properties, part) ? at.properties[part] : undefined
  return own ?? (typeof at.additionalProperties === 'object' ? at.additionalProperties : undefined)
}
