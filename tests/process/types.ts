// What must not compile: a file for the compiler, which complains where an `@ts-expect-error` has nothing to expect.
// types.test.ts compiles it; nothing runs it.
import { z } from 'zod'
import {
  bool,
  bytes,
  type ChannelReceiver,
  channel,
  choice,
  f64,
  interfaceChange,
  ip4,
  type JsonValue,
  json,
  type MessageOf,
  message,
  processNode,
  type Sender,
  type StandardSchema,
  signal,
  text,
  Unordered,
  u16,
  u64,
  type Vm,
} from '../../daemon/index.js'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(..._: Equal<A, B> extends true ? [] : ['types differ']): void {}

const messages = {
  enable: message(1, {
    dest: ip4,
    port: u16,
    mode: choice('fast', 'slow'),
    on: bool,
  }),
  disable: message(2),
  load: message(3, {
    size: u64,
    rate: f64,
    name: text(16),
    data: bytes(8),
    extra: json,
  }),
  tick: signal(4),
  link: interfaceChange,
} as const

type Event = MessageOf<typeof messages>
type Meta = 'type' | 'seq' | 'time' | 'redelivered' | 'attempts'

export function events(event: Event): void {
  same<Event['type'], 'enable' | 'disable' | 'load' | 'tick' | 'link' | 'gap'>()
  same<Event['seq'], bigint>()
  same<Event['attempts'], number>()
  switch (event.type) {
    case 'enable':
      same<typeof event.dest, string>()
      same<typeof event.port, number>()
      same<typeof event.mode, 'fast' | 'slow'>()
      same<typeof event.on, boolean>()
      // @ts-expect-error: a field of another message
      void event.size
      // @ts-expect-error: events are not for writing
      event.port = 5
      break
    case 'disable':
      same<keyof typeof event, Meta>()
      // @ts-expect-error: it has no fields
      void event.dest
      break
    case 'load':
      same<typeof event.size, bigint>()
      same<typeof event.data, Uint8Array>()
      same<typeof event.extra, JsonValue>()
      break
    case 'tick':
      same<typeof event.data, bigint>()
      break
    case 'link':
      same<typeof event.family, 0 | 4 | 6>()
      same<typeof event.address, string | undefined>()
      // @ts-expect-error: no such change
      void (event.change === 'renamed')
      break
    case 'gap':
      same<typeof event.count, bigint>()
      break
    // @ts-expect-error: no such message
    case 'enabel':
      break
    default:
      event satisfies never
  }
}

export const node = processNode({
  messages,
  next: ['ip4-lookup', 'error-drop'],
  counters: { sent: 'sent', full: { text: 'full', severity: 'warn' } },
  data: () => ({ seen: 0 }),
  options: z.object({ every: z.number() }),
  async run(vm, node) {
    node.count('sent')
    node.count('full', 2)
    // @ts-expect-error: no such counter
    node.count('snet')
    // @ts-expect-error: a number is needed
    node.count('sent', '2')
    node.enqueue('ip4-lookup', Uint8Array.of(1), { tx: 1 })
    // @ts-expect-error: no such next node
    node.enqueue('ip6-lookup', Uint8Array.of(1))
    // @ts-expect-error: a packet is bytes
    node.enqueue('ip4-lookup', 'packet')
    // @ts-expect-error: no such destination
    node.enqueue('ip4-lookup', Uint8Array.of(1), { to: 1 })
    same<typeof node.data, { seen: number }>()
    same<typeof node.options, { every: number }>()
    // @ts-expect-error: no such option
    void node.options.evry
    // @ts-expect-error: the inbox is the node's, not the author's
    node.inbox = undefined
    same<Awaited<ReturnType<typeof node.inbox.recv>>, Event | undefined>()
    for await (const event of node.inbox) same<typeof event, Event>()
    for await (const batch of node.inbox.batches()) same<typeof batch, readonly Event[]>()

    using due = vm.timer()
    const calls = new Unordered<string>()
    const event = await vm.select({ due, message: node.inbox, calls })
    if (event.done) {
      same<typeof event.value, undefined>()
      return
    }
    if (event.source === 'message') same<typeof event.value, Event>()
    if (event.source === 'calls') same<typeof event.value, string>()
    // @ts-expect-error: no such source
    if (event.source === 'mesage') return
    // @ts-expect-error: a promise is not a source: it would lose what it has taken
    await vm.select({ due, message: node.inbox.recv() })
    // @ts-expect-error: neither is a function
    await vm.select({ work: () => 5 })
    same<Awaited<ReturnType<typeof vm.cli>>, string>()
    const one = await vm.timeout(5, node.inbox)
    same<typeof one, Event | undefined>()
    const two = await vm.timeout(5, async signal => signal.aborted)
    same<typeof two, boolean>()
    // @ts-expect-error: a promise cannot be cancelled
    await vm.timeout(5, Promise.resolve(5))
    // @ts-expect-error: durations are numbers of milliseconds
    await vm.sleep('5s')
  },
})

export const signalling = processNode({
  signals: ['dhcp-client-process', 'fib-walk'],
  async run(_vm, node) {
    same<Awaited<ReturnType<typeof node.signal>>, void>()
    await node.signal('fib-walk', 1)
    await node.signal('fib-walk', 1n, 2n)
    // @ts-expect-error: no such process node
    await node.signal('fib-wlak', 1)
    // @ts-expect-error: a code is needed
    await node.signal('fib-walk')
    // @ts-expect-error: a datum is a number
    await node.signal('fib-walk', 1, 'datum')
  },
})

export const bare = processNode({
  async run(_vm, node) {
    same<typeof node.data, undefined>()
    same<typeof node.options, Readonly<Record<string, unknown>>>()
    // @ts-expect-error: it declares no counters
    node.count('sent')
    // @ts-expect-error: it declares no next nodes
    node.enqueue('ip4-lookup', Uint8Array.of(1))
    // @ts-expect-error: it declares no process nodes
    await node.signal('fib-walk', 1)
    for await (const event of node.inbox) same<typeof event.type, 'gap'>()
  },
})

// @ts-expect-error: a node without a coroutine is none
export const none = processNode({ messages })

// @ts-expect-error: run is async
export const sync = processNode({ run() {} })

// @ts-expect-error: a code is a number
export const wrongCode = message('1')

// @ts-expect-error: a field of choices has words
export const noWords = choice()

export const wrongNext = processNode({
  // @ts-expect-error: a list of names
  next: 'ip4-lookup',
  async run() {},
})

export const wrongSeverity = processNode({
  // @ts-expect-error: no such severity
  counters: { sent: { text: 'sent', severity: 'fatal' } },
  async run() {},
})

export const wrongOptions = processNode({
  // @ts-expect-error: a validator that implements Standard Schema
  options: { every: 'number' },
  async run() {},
})

// Any validator will do: this one is of no library.
const positive: StandardSchema<number> = {
  '~standard': { version: 1, vendor: 'own', validate: value => ({ value: Number(value) }) },
}
export const ownSchema = processNode({
  options: positive,
  async run(_vm, node) {
    same<typeof node.options, number>()
    // @ts-expect-error: options are not for writing
    node.options = 5
  },
})

// @ts-expect-error: kinds are not text
export const wrongKind = message(1, { dest: 'ip4' })

export const wrongCounter = processNode({
  // @ts-expect-error: a description is needed
  counters: { sent: 5 },
  async run() {},
})

export function channels(): void {
  const [tx, rx] = channel<number>()
  same<typeof tx, Sender<number>>()
  same<typeof rx, ChannelReceiver<number>>()
  // @ts-expect-error: of another type
  tx.send('5')
  // @ts-expect-error: undefined would mean that the channel has ended
  channel<number | undefined>()
}

// `sleep` outside of a node cannot be written: there is no `vm` to be had.
// @ts-expect-error: not exported
export type NoVm = import('../../daemon/index.js').NodeVm
export type OnlyInRun = Vm
