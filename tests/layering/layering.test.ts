// Who may import whom: the table of docs/architecture.md, checked on every file.
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')

/** A part of the house and the parts it may use. The longest matching prefix of a path decides its part. */
const typescript: Record<string, readonly string[]> = {
  'shm/': [],
  'daemon/message/': [],
  'daemon/process/': ['daemon/message/'],
  'daemon/index.ts': ['daemon/process/', 'daemon/message/'],
  'daemon/record/': ['daemon/process/', 'daemon/message/'],
  'daemon/testing/': ['daemon/record/', 'daemon/process/', 'daemon/message/'],
  'daemon/config/': [],
  'daemon/host/': ['shm/', 'daemon/process/', 'daemon/message/', 'daemon/record/', 'daemon/config/'],
  'daemon/control/': ['daemon/host/', 'daemon/config/'],
  'daemon/cli/': [
    'daemon/control/client.ts',
    'daemon/host/report.ts',
    'daemon/config/',
    'daemon/cli/run.ts',
    'daemon/cli/replay.ts',
  ],
  'daemon/reference/': ['daemon/process/errors.ts'],
  'daemon/cli/docs.ts': ['daemon/reference/', 'daemon/config/', 'daemon/control/reference.ts', 'daemon/cli/'],
  'daemon/cli/replay.ts': ['daemon/testing/', 'daemon/host/modules/loader.ts', 'daemon/cli/'],
  'daemon/cli/run.ts': ['daemon/host/', 'daemon/control/', 'daemon/config/', 'daemon/message/', 'daemon/cli/'],
  'daemon/main.ts': ['daemon/cli/'],
  'docs/examples/': [],
}

const c: Record<string, readonly string[]> = {
  'shm/layout.h': [],
  'shm/ring.h': ['shm/layout.h'],
  'shm/doorbell.h': ['shm/layout.h'],
  'shm/handshake.h': ['shm/layout.h'],
  'shm/': ['shm/'],
  'shim-plugin/core/': ['shm/layout.h', 'shm/ring.h', 'shm/doorbell.h', 'shm/handshake.h', 'shim-plugin/core/'],
  'shim-plugin/standalone/': ['shim-plugin/core/', 'shm/layout.h', 'shm/handshake.h'],
  'shim-plugin/vpp/': ['shim-plugin/core/', 'shm/layout.h', 'shm/ring.h', 'shm/handshake.h'],
}

function sources(folder: string, pattern: RegExp): string[] {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && pattern.test(entry.name))
    .map(entry => relative(root, join(entry.parentPath, entry.name)))
}

function part(table: Record<string, readonly string[]>, path: string): string | undefined {
  return Object.keys(table)
    .filter(prefix => path.startsWith(prefix))
    .sort((a, b) => b.length - a.length)[0]
}

/** What of `table` the file at `path` breaks by using `used`; undefined if nothing. */
function fault(table: Record<string, readonly string[]>, path: string, used: string): string | undefined {
  const from = part(table, path)
  if (from === undefined) return `${path}: belongs to no part of the house`
  const allowed = table[from] ?? []
  const inside = from.endsWith('/') && part(table, used) === from
  if (inside || allowed.some(prefix => used.startsWith(prefix))) return undefined
  return `${path} uses ${used}`
}

function importsOf(path: string): string[] {
  const text = readFileSync(join(root, path), 'utf8')
  const specifiers = [...text.matchAll(/(?:from|import)\s*\(?\s*'(\.[^']*)'/g)].map(match => match[1] ?? '')
  return specifiers.map(specifier => relative(root, resolve(root, dirname(path), specifier)).replace(/\.js$/, '.ts'))
}

function includesOf(path: string): string[] {
  const text = readFileSync(join(root, path), 'utf8')
  const own = [...text.matchAll(/^#include "([^"]+)"/gm)].map(match => match[1] ?? '')
  return own
    .flatMap(name => [relative(root, resolve(root, dirname(path), name)), name].filter(p => existsSync(join(root, p))))
    .slice(0, 1000)
}

describe('layering', () => {
  const modules = ['shm', 'daemon', 'docs/examples'].flatMap(folder => sources(folder, /\.ts$/))
  const translation = ['shm', 'shim-plugin'].flatMap(folder => sources(folder, /\.[ch]$/))

  it('sees the sources', () => {
    assert.ok(modules.length > 20, `only ${modules.length} TypeScript files found`)
    assert.ok(translation.length > 10, `only ${translation.length} C files found`)
  })

  it('TypeScript imports only what its part of the house may', () => {
    const faults = modules.flatMap(path => importsOf(path).map(used => fault(typescript, path, used)))
    assert.deepEqual(faults.filter(Boolean), [])
  })

  it('C includes only what its part of the house may', () => {
    const faults = translation.flatMap(path => includesOf(path).map(used => fault(c, path, used)))
    assert.deepEqual(faults.filter(Boolean), [])
  })

  it('the core and shm know no VPP', () => {
    const faults = translation
      .filter(path => !path.startsWith('shim-plugin/vpp/'))
      .filter(path => /#include <(vlib|vnet|vppinfra|vpp)\b/.test(readFileSync(join(root, path), 'utf8')))
    assert.deepEqual(faults, [])
  })

  it('only shm/native.ts loads the addon, and no TypeScript uses Atomics', () => {
    const faults = modules.filter(path => {
      const text = readFileSync(join(root, path), 'utf8')
      return /\bAtomics\b/.test(text) || (path !== 'shm/native.ts' && /corod\.node['"`]/.test(text))
    })
    assert.deepEqual(faults, [])
  })

  it('shared words are touched by the shm headers and accessors alone', () => {
    const faults = translation
      .filter(path => path.startsWith('shim-plugin/vpp/') || path.startsWith('shim-plugin/standalone/'))
      .filter(path =>
        /\batomic_(load|store|exchange|fetch)\w*\s*\([^)]*->(event|reply|command)_/.test(
          readFileSync(join(root, path), 'utf8'),
        ),
      )
    assert.deepEqual(faults, [])
  })

  it('nothing imports the tests', () => {
    const faults = modules.filter(path => importsOf(path).some(used => used.startsWith('tests/')))
    assert.deepEqual(faults, [])
  })

  it('would notice a file that reaches up', () => {
    assert.ok(fault(typescript, 'daemon/process/select.ts', 'daemon/host/slots/binding.ts'))
    assert.ok(fault(c, 'shim-plugin/core/relay.c', 'shim-plugin/vpp/process.h'))
    assert.equal(fault(typescript, 'daemon/host/slots/binding.ts', 'shm/ring.ts'), undefined)
  })
})
