// What the editor shows an author: at each of these places, the docstring of the name. Asked of the compiler that does
// it for editors. That each public name has one is in tests/reference.
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'mocha'
import { Folder, root } from '../support/folder.js'
import { LanguageServer } from '../support/language-server.js'

// `/*?*/` stands before each name that is asked.
const source = `
import { /*?*/call, /*?*/interfaceChange, ip4, /*?*/message, /*?*/processNode, text, u32 } from '${root}/daemon/index.js'

const db = { get: call(1, { key: u32 }, { value: text(8) }), put: message(2, { key: u32 }) }

export default /*?*/processNode({
  /*?*/messages: { get: call(1, { key: u32 }, { value: /*?*/text(8) }), on: message(2, { dest: /*?*/ip4 }), link: interfaceChange },
  /*?*/next: ['ip4-lookup'],
  /*?*/counters: { sent: { /*?*/text: 'sent', /*?*/severity: 'warn' } },
  /*?*/peers: { db },
  /*?*/data: () => 5,
  async /*?*/run(vm, node) {
    using due = vm./*?*/timer()
    due./*?*/set(5)
    due./*?*/elapsed
    vm./*?*/signal
    await vm./*?*/sleep(vm./*?*/now())
    await vm./*?*/timeout(5, node./*?*/inbox)
    await vm./*?*/cli('show version')
    await vm./*?*/yield()
    const [tx, rx] = vm./*?*/channel<number>()
    tx./*?*/send(1)
    rx./*?*/size
    const calls = vm./*?*/unordered<string>()
    calls./*?*/add(Promise.resolve(''))
    node./*?*/count('sent')
    node./*?*/enqueue('ip4-lookup', Uint8Array.of(1), { /*?*/rx: 1 })
    node./*?*/log./*?*/info('')
    node./*?*/options
    node./*?*/data
    node./*?*/name
    await node./*?*/peers.db./*?*/send('put', { key: 1 })
    await node.peers.db./*?*/call('get', { key: 1 }, { /*?*/timeout: 5 })
    const selected = await vm./*?*/select({ due, message: node.inbox, calls })
    if (selected./*?*/done || selected./*?*/source !== 'message') return
    const event = selected./*?*/value
    event./*?*/seq
    event./*?*/time
    event./*?*/type
    switch (event.type) {
      case 'get':
        event./*?*/reply({ value: '' })
        event./*?*/refuse('')
        event./*?*/defer()
        event./*?*/asked
        event./*?*/attempts
        break
      case 'on':
        event./*?*/type
        event./*?*/redelivered
        break
      case 'link':
        event./*?*/time
        break
      case 'gap':
        event./*?*/first
        event./*?*/count
    }
    await node.inbox./*?*/recv()
    node.inbox./*?*/tryRecv()
    node.inbox./*?*/batches()
    node.inbox./*?*/ended
  },
})
`

describe('in the editor', () => {
  it('each name shows its docstring', async () => {
    using folder = new Folder()
    folder.write('package.json', '{ "type": "module" }')
    const file = folder.write('node.ts', source)
    const compilerOptions = { noEmit: true, rootDir: '/', typeRoots: [join(root, 'node_modules', '@types')] }
    const config = { extends: join(root, 'tsconfig.json'), compilerOptions, files: [file], include: [] }
    folder.write('tsconfig.json', JSON.stringify(config))
    using server = await LanguageServer.start(folder.path)
    server.open(file)
    const marks = [...source.matchAll(/\/\*\?\*\/(\w+)/g)]
    assert.ok(marks.length > 60)
    const silent: string[] = []
    for (const { index, 0: whole, 1: name = '' } of marks) {
      const before = source.slice(0, index + whole.length - name.length).split('\n')
      const shown = await server.docstring(file, before.length - 1, before.at(-1)!.length)
      if (shown === '') silent.push(`${name} in line ${before.length}`)
    }
    assert.deepEqual(silent, [])
  }).timeout(60_000)
})
