// docs/writing-a-node.md: all of its code compiles, and what can be run does what the text says.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { describe, it } from 'mocha'
import * as corod from '../../daemon/index.js'
import type { Question } from '../../daemon/message/call.js'
import { recordKind } from '../../daemon/message/table.js'
import { compileNode, isProcessNode } from '../../daemon/process/define.js'
import { CliError } from '../../daemon/process/errors.js'
import type { ProcessNode } from '../../daemon/process/node.js'
import { Folder, root } from '../support/folder.js'
import { Program } from '../support/program.js'
import { settle, TestNode, TestPort } from './port.js'

const page = readFileSync(join(root, 'docs', 'writing-a-node.md'), 'utf8')

/** The code below a heading. */
function code(heading: string): string {
  const section = page.split(/^#+ /m).find(text => text.startsWith(`${heading}\n`))
  return /```ts\n([\s\S]*?)```/.exec(section ?? '')?.[1] ?? assert.fail(`no code below "${heading}"`)
}

/** The node in the code below a heading, loaded as the daemon loads it: with a copy of the package of its own. */
async function load(heading: string): Promise<ProcessNode> {
  using folder = new Folder()
  const outfile = folder.at('node.mjs')
  await build({
    stdin: { contents: code(heading), loader: 'ts', resolveDir: root },
    alias: { corod: join(root, 'dist', 'daemon', 'index.js') },
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    outfile,
    logLevel: 'silent',
  })
  const { default: definition } = (await import(pathToFileURL(outfile).href)) as { default: unknown }
  assert.ok(isProcessNode(definition))
  return definition
}

/** Counts by the names of the counters. */
function counts(definition: ProcessNode, node: TestNode): Record<string, number> {
  const names = compileNode(definition).counters.map(counter => counter.name)
  const sum: Record<string, number> = {}
  for (const [counter, by] of node.port.counted) sum[names[counter]!] = (sum[names[counter]!] ?? 0) + by
  return sum
}

/** A node with calls, asked by a test: what it said to each, in order. */
async function withCalls(heading: string) {
  const definition = await load(heading)
  const node = new TestNode(definition)
  const { table } = compileNode(definition)
  const said: unknown[] = []
  const send = (type: string, fields: object) => {
    const code = table.code(type)!
    const bytes = table.encode(type, fields)
    const question: Question = {
      reply: reply => said.push(table.decodeReply(type, reply)) > 0,
      refuse: reason => said.push(reason) > 0,
      defer: () => said.push('later'),
    }
    const view = new DataView(bytes.buffer)
    const event = table.event(code, recordKind.event, view, 0, bytes.length, 1n, 0, false, 0, question)
    node.port.give(event)
    node.runtime.ready()
  }
  return { definition, node, said, send, code: (type: string) => table.code(type) }
}

describe('docs/writing-a-node.md', () => {
  it('all of its code compiles', async () => {
    using folder = new Folder()
    const blocks = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map(match => match[1]!)
    assert.ok(blocks.length >= 10)
    // A block that begins with its name can be imported by the others.
    const named = (block: string, i: number) => /^\/\/ ([\w-]+\.ts)\n/.exec(block)?.[1] ?? `block${i}.ts`
    const files = blocks.map((block, i) => folder.write(named(block, i), block))
    const paths = { corod: [join(root, 'daemon', 'index.ts')], zod: [join(root, 'node_modules', 'zod', 'index.d.ts')] }
    const compilerOptions = { noEmit: true, rootDir: '/', typeRoots: [join(root, 'node_modules', '@types')], paths }
    const config = { extends: join(root, 'tsconfig.json'), compilerOptions, include: [], files }
    folder.write('package.json', '{"type":"module"}')
    const file = folder.write('tsconfig.json', JSON.stringify(config))
    await using tsc = new Program(process.execPath, [
      join(root, 'node_modules', 'typescript', 'bin', 'tsc'),
      '-p',
      file,
    ])
    await tsc.exit
    assert.equal(tsc.stdout + tsc.stderr, '')
  }).timeout(60_000)

  it('its table has every kind of field', () => {
    const kinds = Object.keys(corod).filter(name => /^([uif]\d+|bool|ip\d|mac|text|bytes|json|choice)$/.test(name))
    const section = page.split('### Kinds of fields')[1]!.split('\n###')[0]!
    const listed = [...section.matchAll(/^\| ((?:`[^`]+` ?)+)/gm)].flatMap(
      match => match[1]!.match(/[a-z]\w*(?=[`(])/g)!,
    )
    assert.deepEqual(listed.toSorted(), kinds.toSorted())
  })

  it('its links lead somewhere', () => {
    const anchors = [...page.matchAll(/^#+ (.*)$/gm)].map(match => match[1]!.toLowerCase().replaceAll(' ', '-'))
    for (const [, anchor] of page.matchAll(/\]\(#([^)]+)\)/g)) assert.ok(anchors.includes(anchor!), anchor)
  })

  it('the first node greets', async () => {
    const definition = await load('The first node')
    const node = new TestNode(definition)
    node.send('greet', { name: 'Ada' })
    node.send('gap')
    node.close()
    assert.deepEqual(await node.ended, { how: 'returned' })
    assert.deepEqual(counts(definition, node), { greeted: 1 })
  })

  it('the node with calls answers them', async () => {
    const { code, said, send } = await withCalls('Calls')
    send('learn', { dest: '192.0.2.1', via: '10.0.0.1' })
    send('lookup', { dest: '192.0.2.1' })
    send('lookup', { dest: '192.0.2.2' })
    await settle()
    assert.equal(code('lookup'), 2)
    assert.deepEqual(said, [{ via: '10.0.0.1', uses: 1 }, 'no route to 192.0.2.2'])
  })

  it('a later answer comes when its command is done, and holds nobody up', async () => {
    const { said, send, node } = await withCalls('Later answers')
    let done: (output: string) => void = () => {}
    node.port.answer = command =>
      command === 'show version'
        ? new Promise(resolve => {
            done = resolve
          })
        : Promise.reject(new CliError(command, 'CLI_FAILED', 'unknown'))
    send('show', { what: 'version' })
    send('show', { what: 'nothing' })
    await settle()
    assert.deepEqual(said, ['later', 'later', 'CliError: "show nothing": unknown'])
    done('v26.06')
    await settle()
    assert.deepEqual(said.at(-1), { output: 'v26.06' })
  })

  it('calls in a circle are served while others are waited for', async () => {
    const { said, send, node, definition } = await withCalls('Circles')
    const { table } = compileNode(definition)
    const waiting: ((bytes: Uint8Array) => void)[] = []
    node.port.peer = () => new Promise(resolve => waiting.push(resolve))
    send('add', { n: 3 })
    await settle()
    send('add', { n: 0 })
    await settle()
    assert.deepEqual(said, ['later', 'later', { sum: 0 }])
    waiting[0]?.(table.encodeReply('add', { sum: 3 }))
    await settle()
    assert.deepEqual(said.at(-1), { sum: 6 })
  })

  it('periodic work does not drift, and leaves out what it missed', async () => {
    const definition = await load('Periodic work')
    const node = new TestNode(definition)
    await node.pass(3500)
    assert.deepEqual(counts(definition, node), { runs: 3 })
    node.port.time += 3000
    node.runtime.tick()
    await settle()
    assert.deepEqual(counts(definition, node), { runs: 4, late: 2 })
    assert.equal(node.port.nearest, 1000 + 7000)
    node.close()
    assert.deepEqual(await node.ended, { how: 'returned' })
  })

  it('debounce acts once, with the last', async () => {
    const definition = await load('Debounce')
    const node = new TestNode(definition)
    const commands: string[] = []
    node.port.answer = async command => {
      commands.push(command)
      return ''
    }
    for (const via of ['10.0.0.1', '10.0.0.2', '10.0.0.3']) {
      node.send('route', { via })
      await node.pass(20)
    }
    await node.pass(100)
    node.close()
    assert.deepEqual(await node.ended, { how: 'returned' })
    assert.deepEqual(commands, ['ip route add 198.51.100.0/24 via 10.0.0.3'])
    assert.deepEqual(counts(definition, node), { applied: 1, merged: 2 })
  })

  it('retry tries again, until it works or is stopped', async () => {
    const definition = await load('Retry with back-off')
    for (const works of [true, false]) {
      const node = new TestNode(definition)
      let tries = 0
      node.port.answer = async command => {
        if (works && ++tries === 4) return 'done'
        throw new CliError(command, 'CLI_BUSY', 'busy')
      }
      node.send('run', { command: 'show version' })
      await node.pass(3000)
      assert.equal(tries, works ? 4 : 0)
      if (works) node.close()
      else node.runtime.destroy()
      assert.deepEqual(await node.ended, { how: works ? 'returned' : 'stopped' })
    }
  })

  it('fan-in ends with its message, and with a poll that fails', async () => {
    const definition = await load('Fan-in')
    for (const fails of [true, false]) {
      const node = new TestNode(definition)
      await node.pass(1500)
      if (fails) {
        node.port.answer = async command => {
          throw new CliError(command, 'CLI_FAILED', 'no')
        }
        await node.pass(1000)
        assert.equal((await node.ended).how, 'failed')
      } else {
        node.send('stop')
        assert.deepEqual(await node.ended, { how: 'returned' })
      }
      await settle()
    }
  })

  it('graceful stop has its last command when it is closed', async () => {
    const commands: string[] = []
    const port = new TestPort()
    port.answer = async command => {
      commands.push(command)
      return ''
    }
    const node = new TestNode(await load('Graceful stop'), port)
    await settle()
    node.close()
    assert.deepEqual(await node.ended, { how: 'returned' })
    assert.deepEqual(commands, ['set interface state loop0 up', 'set interface state loop0 down'])
  })
})
