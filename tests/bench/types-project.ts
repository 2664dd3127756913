// types-project.ts: writes a project of many node modules into a folder, as authors write them, and beside it the same
// work as plain functions without a type of corod's.
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const fields =
  'key: u32, dest: ip4, label: text(16), size: u64, on: bool, mode: choice("fast", "slow", "off"), data: bytes(32)'
const plainFields =
  'key: number; dest: string; label: string; size: bigint; on: boolean; mode: "fast" | "slow" | "off"; data: Uint8Array'

/** The module of node `n`: eight messages, two of them calls, six counters, options, and two peers. */
function nodeModule(n: number, count: number): string {
  const peer = (by: number) => `node${(n + by) % count}`
  const cases = Array.from({ length: 6 }, (_, i) => {
    const field = ['key', 'dest', 'label', 'size', 'mode', 'data'][i]
    return `        case 'event${i}':\n          seen.set(String(event.${field}), event.seq)\n          node.count('seen${i}')\n          break`
  }).join('\n')
  const counters = Array.from({ length: 6 }, (_, i) => `    seen${i}: 'events ${i} seen',`).join('\n')
  return `import { bool, bytes, call, choice, interfaceChange, ip4, message, processNode, text, u32, u64 } from 'corod'
import { messages as ${peer(1)} } from './messages${(n + 1) % count}.js'
import { messages as ${peer(2)} } from './messages${(n + 2) % count}.js'
import { messages } from './messages${n}.js'

export default processNode({
  messages,
  next: ['ip4-lookup', 'error-drop'],
  counters: {
${counters}
    full: { text: 'no room', severity: 'warn' },
  },
  peers: { ${peer(1)}, ${peer(2)} },
  data: () => ({ rounds: 0 }),
  async run(vm, node) {
    using due = vm.timer(1000)
    const seen = new Map<string, bigint>()
    for (;;) {
      const selected = await vm.select({ due, message: node.inbox })
      if (selected.done) return
      if (selected.source === 'due') {
        node.data.rounds++
        if (!node.enqueue('ip4-lookup', Uint8Array.of(${n}))) node.count('full')
        due.set(1000)
        continue
      }
      const event = selected.value
      switch (event.type) {
${cases}
        case 'get': {
          const { value } = await node.peers.${peer(1)}.call('get', { key: event.key }, { timeout: 100 })
          event.reply({ value, age: event.seq })
          break
        }
        case 'touch':
          await node.peers.${peer(2)}.send('event0', { key: 1, dest: '10.0.0.1', label: 'x', size: 1n, on: true, mode: 'fast', data: Uint8Array.of(1) })
          event.reply()
          break
        case 'link':
          seen.set(event.name, BigInt(event.index))
          break
        case 'gap':
          seen.clear()
      }
    }
  },
})

export const table = { ...messages, extra: message(99, { ${fields} }), ask: call(98, {}, { n: u32 }), link: interfaceChange }
`
}

function messagesModule(): string {
  const messages = Array.from({ length: 6 }, (_, i) => `  event${i}: message(${i + 1}, { ${fields} }),`).join('\n')
  return `import { bool, bytes, call, choice, interfaceChange, ip4, message, text, u32, u64 } from 'corod'

export const messages = {
${messages}
  get: call(7, { key: u32 }, { value: text(32), age: u64 }),
  touch: call(8, {}, {}),
  link: interfaceChange,
}
`
}

/** The same work: types written by hand, no library. */
function plainModule(n: number, count: number): string {
  const peer = (by: number) => `messages${(n + by) % count}`
  const cases = Array.from({ length: 6 }, (_, i) => {
    const field = ['key', 'dest', 'label', 'size', 'mode', 'data'][i]
    return `      case 'event${i}':\n        seen.set(String(event.${field}), event.seq)\n        count('seen${i}')\n        break`
  }).join('\n')
  return `import type { Event, Peer } from './messages${n}.js'
import type { Peer as Next } from './${peer(1)}.js'
import type { Peer as Other } from './${peer(2)}.js'

export async function run(
  events: AsyncIterable<Event>,
  count: (counter: 'seen0' | 'seen1' | 'seen2' | 'seen3' | 'seen4' | 'seen5' | 'full') => void,
  enqueue: (next: 'ip4-lookup' | 'error-drop', packet: Uint8Array) => boolean,
  peers: { next: Next; other: Other },
): Promise<void> {
  const seen = new Map<string, bigint>()
  for await (const event of events) {
    if (!enqueue('ip4-lookup', Uint8Array.of(${n}))) count('full')
    switch (event.type) {
${cases}
      case 'get': {
        const { value } = await peers.next.get({ key: event.key }, { timeout: 100 })
        event.reply({ value, age: event.seq })
        break
      }
      case 'touch':
        await peers.other.event0({ key: 1, dest: '10.0.0.1', label: 'x', size: 1n, on: true, mode: 'fast', data: Uint8Array.of(1) })
        event.reply({})
        break
      case 'link':
        seen.set(event.name, BigInt(event.index))
        break
      case 'gap':
        seen.clear()
    }
  }
}

export type Own = Peer
`
}

function plainMessages(): string {
  const events = Array.from({ length: 6 }, (_, i) => `  | (Meta & { type: 'event${i}'; ${plainFields} })`).join('\n')
  const sends = Array.from({ length: 6 }, (_, i) => `  event${i}(fields: { ${plainFields} }): Promise<bigint>`).join(
    '\n',
  )
  return `interface Meta {
  seq: bigint
  time: number
  redelivered: boolean
  attempts: number
}
export type Event =
${events}
  | (Meta & { type: 'get'; key: number; reply(value: { value: string; age: bigint }): boolean })
  | (Meta & { type: 'touch'; reply(value: object): boolean })
  | (Meta & { type: 'link'; name: string; index: number })
  | (Meta & { type: 'gap'; first: bigint; last: bigint; count: bigint })
export interface Peer {
${sends}
  get(fields: { key: number }, options: { timeout: number }): Promise<{ value: string; age: bigint }>
  touch(): Promise<object>
}
`
}

/** Writes both projects; the folders with their tsconfig.json. */
export function writeProjects(folder: string, root: string, count: number): { corod: string; plain: string } {
  const made = { corod: join(folder, 'corod'), plain: join(folder, 'plain') }
  for (const [kind, path] of Object.entries(made)) {
    mkdirSync(path)
    writeFileSync(join(path, 'package.json'), '{ "type": "module" }\n')
    writeFileSync(join(path, 'tsconfig.json'), tsconfig(root))
    for (let n = 0; n < count; n++) {
      const [messages, node] =
        kind === 'corod' ? [messagesModule(), nodeModule(n, count)] : [plainMessages(), plainModule(n, count)]
      writeFileSync(join(path, `messages${n}.ts`), messages)
      writeFileSync(join(path, `node${n}.ts`), node)
    }
  }
  return made
}

// As `corod init` writes it, with this package in its place.
function tsconfig(root: string): string {
  return JSON.stringify({
    compilerOptions: {
      target: 'es2023',
      lib: ['es2023', 'esnext.disposable'],
      module: 'nodenext',
      strict: true,
      noUncheckedIndexedAccess: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: true,
      noEmit: true,
      types: ['node'],
      typeRoots: [join(root, 'node_modules', '@types')],
      paths: { corod: [join(root, 'dist', 'daemon', 'index.d.ts')] },
    },
    include: ['*.ts'],
  })
}
