// replay.ts: corod replay RECORDING MODULE. The only file of the command line that runs a node, in memory.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { text as textOf } from 'node:stream/consumers'
import { loadDefinition, ModuleError } from '../host/modules/loader.js'
import { OptionsError, RecordingError, type Replay, replay } from '../testing/index.js'
import type { Given } from './commands.js'
import { CliError, exits } from './exits.js'
import type { Output } from './output.js'

export async function replayRecording(
  [file = '', module = '']: readonly (string | undefined)[],
  given: Given,
  out: Output,
): Promise<number> {
  const options = optionsOf(given.options)
  const source = file === '-' ? await textOf(out.streams.stdin) : read(file)
  const definition = await definitionOf(resolve(module))
  const came = await compare(definition, source, file === '-' ? 'standard input' : file, options)
  const { same, removed, added, undelivered, diff } = came
  const lost = undelivered.map(({ event, seq, reason }) => ({ event, seq: `${seq}`, reason }))
  if (out.manner.json || !same) {
    const summary = `${removed} removed, ${added} added, ${undelivered.length} events not delivered`
    out.result(`${diff}\n${summary}`, { same, removed, added, undelivered: lost, end: came.result?.how ?? null, diff })
  } else out.confirm(`${module} does what was recorded`)
  return same ? exits.ok.code : exits.failed.code
}

function optionsOf(given: string | boolean | undefined): Readonly<Record<string, unknown>> | undefined {
  if (typeof given !== 'string') return undefined
  try {
    const value: unknown = JSON.parse(given)
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  } catch {
    // Told below, like JSON that is no object.
  }
  throw new CliError('usage', 'USAGE', '--options: not a JSON object, such as \'{"every": 100}\'')
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const why = { ENOENT: 'no such file', EISDIR: 'this is a folder', EACCES: 'no permission to read it' }[code ?? '']
    throw new CliError('usage', 'RECORDING', `${file}: ${why ?? message}`)
  }
}

async function definitionOf(path: string) {
  try {
    return await loadDefinition(path)
  } catch (error) {
    if (error instanceof ModuleError) throw new CliError('config', 'MODULE', error.message)
    throw error
  }
}

async function compare(
  definition: Awaited<ReturnType<typeof definitionOf>>,
  source: string,
  file: string,
  options: Readonly<Record<string, unknown>> | undefined,
): Promise<Replay> {
  try {
    return await replay(definition, source, options === undefined ? {} : { options })
  } catch (error) {
    if (error instanceof RecordingError) throw new CliError('usage', 'RECORDING', `${file}: ${error.message}`)
    if (error instanceof OptionsError) throw new CliError('usage', 'OPTIONS', error.message)
    throw error
  }
}
