// init.ts: corod init [DIR].
import { existsSync } from 'node:fs'
import { basename, join, relative, resolve } from 'node:path'
import type { Given } from './commands.js'
import { exits } from './exits.js'
import { type NewFile, template, writeFiles } from './files.js'
import { nodeFiles } from './new-node.js'
import type { Output } from './output.js'
import { localConfig } from './place.js'
import { version } from './program.js'
import { addNode } from './yaml-entry.js'

const firstNode = 'hello'

export async function init([folder = '.']: readonly (string | undefined)[], _: Given, out: Output): Promise<number> {
  const root = resolve(folder)
  const config = join(root, localConfig)
  const files: NewFile[] = [
    { path: join(root, 'package.json'), text: packageJson(basename(root)) },
    { path: join(root, 'tsconfig.json'), text: template('project/tsconfig.json') },
    { path: config, text: addNode(template('project/corod.yaml'), config, firstNode, `./nodes/${firstNode}.ts`) },
    ...nodeFiles(root, firstNode),
  ]
  // A fresh repository often has one already, and its author may prefer it.
  const ignore = { path: join(root, '.gitignore'), text: template('project/gitignore') }
  const all = existsSync(ignore.path) ? files : [...files, ignore]
  writeFiles(all)
  const written = all.map(file => relative(root, file.path))
  const enter = relative('.', root)
  const steps = [...(enter === '' ? [] : [`cd ${enter}`]), 'npm install', 'npm test']
  if (out.manner.json) out.result('', { folder: root, written })
  else out.confirm(`${folder}: ${written.join(', ')}\nNext: ${steps.join(' && ')}`)
  return exits.ok.code
}

function packageJson(folder: string): string {
  const made = JSON.parse(template('project/package.json')) as { name: string; dependencies: Record<string, string> }
  made.name = packageName(folder)
  made.dependencies.corod = `^${version()}`
  return `${JSON.stringify(made, null, 2)}\n`
}

/** What npm takes for a name: lower case, no odd characters, not beginning with a dot. */
function packageName(folder: string): string {
  const name = folder
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[._-]+|[._-]+$/g, '')
  return name.slice(0, 200) || 'nodes'
}
