// new-node.ts: corod new-node NAME.
import { readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { nodeName } from '../config/fields.js'
import { ConfigError } from '../config/problems.js'
import { readSource, SourceError } from '../config/source.js'
import type { Given } from './commands.js'
import { CliError, exits } from './exits.js'
import { type NewFile, template, writeFiles } from './files.js'
import type { Output } from './output.js'
import { localConfig } from './place.js'
import { addNode, replaceFile } from './yaml-entry.js'

export async function newNode(
  [name = '']: readonly (string | undefined)[],
  given: Given,
  out: Output,
): Promise<number> {
  const checked = nodeName.safeParse(name)
  if (!checked.success) throw new CliError('usage', 'USAGE', checked.error.issues[0]?.message ?? 'no name for a node')
  // Not the system's configuration, which `run` and `check` fall back to: nobody develops in /etc.
  const config = given.config ?? localConfig
  const root = dirname(resolve(config))
  const files = nodeFiles(root, name)
  const yaml = addNode(read(config), config, name, `./nodes/${name}.ts`)
  writeFiles(files, () => replaceFile(config, yaml))
  const written = files.map(file => relative('.', file.path))
  if (out.manner.json) out.result('', { node: name, config, written })
  else out.confirm(`${written.join(', ')}, and an entry in ${config}${missing(root)}`)
  return exits.ok.code
}

/** What the project still needs for the node: its options are checked by zod. */
function missing(root: string): string {
  try {
    const text = readFileSync(join(root, 'package.json'), 'utf8')
    const { dependencies, devDependencies } = JSON.parse(text) as Record<string, Record<string, string> | undefined>
    return { ...dependencies, ...devDependencies }.zod === undefined ? '\nNext: npm install zod' : ''
  } catch {
    return ''
  }
}

/** A node of that name and its test, for the project in `root`. */
export function nodeFiles(root: string, name: string): NewFile[] {
  return ['.ts', '.test.ts'].map(end => ({
    path: join(root, 'nodes', `${name}${end}`),
    text: template(`node/node-name${end}`).replaceAll('node-name', name),
  }))
}

function read(config: string): string {
  try {
    return readSource(config)
  } catch (error) {
    if (!(error instanceof SourceError)) throw error
    const hint = error.message.startsWith('no such file') ? 'no such file: corod init makes a project' : error.message
    throw new ConfigError([{ file: config, line: error.line, col: error.col, path: '', message: hint }])
  }
}
