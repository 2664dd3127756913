// stuck.ts: what a thread is doing that does not answer: where its code is, in lines of the author's files, and which
// node's it is. Asks the thread's debugger from outside.
import { SourceMap, type SourceMapPayload, type SourceMapping } from 'node:module'
import { fileURLToPath } from 'node:url'
import { within } from '../within.js'
import type { Inspector, InspectorEvent } from './inspector.js'

/** What was found out. */
export interface Stuck {
  /** `function (file:line:col)` of the innermost frame of the author's, or of any. */
  readonly where: string
  /** As `error.stack` has it, without its first line. */
  readonly stack: string
  /** The nodes that it may be: none if that cannot be told, one if it is certain. */
  readonly nodes: readonly string[]
}

/** What a thread that runs nodes lets a debugger ask; see {@link whoseName}. */
export interface Whose {
  /** The node in whose async context the code runs, where Node follows contexts. */
  now(): string | undefined
  /** The node whose `vm` or `node` is among the values of an object. */
  among(scope: object): string | undefined
  /** The nodes whose module has a frame in a stack. */
  inStack(stack: string): string[]
}

/** Name of the property of globalThis that holds the {@link Whose} of a thread. */
export const whoseName = 'corod.whose'

/** How long the debugger may take to stop the code, ms: it cannot stop what is not JavaScript. */
const longestPause = 1000
/** Scopes that belong to the code of a function; the others hold what everybody shares. */
const own = new Set(['local', 'block', 'closure', 'catch'])
/** How many of them are looked into. */
const mostScopes = 64

interface Script {
  readonly scriptId: string
  readonly url: string
  readonly sourceMapURL?: string
}

interface CallFrame {
  readonly callFrameId: string
  readonly functionName: string
  readonly location: { readonly scriptId: string; readonly lineNumber: number; readonly columnNumber?: number }
  readonly scopeChain: readonly { readonly type: string; readonly object: { readonly objectId?: string } }[]
}

/** How the debugger of the thread is opened. */
export type OpenInspector = (on: (event: InspectorEvent) => void) => Inspector | Promise<Inspector>

/** Stops the thread for a moment and looks. undefined: it is not in JavaScript, or cannot be looked at. */
export async function lookAt(open: OpenInspector): Promise<Stuck | undefined> {
  const scripts = new Map<string, Script>()
  let paused: (frames: readonly CallFrame[]) => void = () => {}
  const inspector = await open(({ method, params }) => {
    if (method === 'Debugger.scriptParsed') scripts.set((params as Script).scriptId, params as Script)
    if (method === 'Debugger.paused') paused((params as { callFrames: readonly CallFrame[] }).callFrames)
  })
  const pause = () => {
    const frames = new Promise<readonly CallFrame[]>(resolve => {
      paused = resolve
    })
    return within(
      inspector.ask('Debugger.pause').then(() => frames),
      longestPause,
    )
  }
  const places = new Places(scripts)
  try {
    await within(inspector.ask('Debugger.enable'), longestPause)
    let frames = await pause()
    let found = frames && describe(frames, places)
    if (found !== undefined && !found.authors) {
      // Code that comes back to itself by promises is mostly in Node's: it is let go on to the author's.
      await inspector.ask('Debugger.setBlackboxPatterns', { patterns: ['^node:'] })
      await inspector.ask('Debugger.resume')
      frames = await pause()
      found = frames === undefined ? found : describe(frames, places)
    }
    if (found === undefined) return undefined
    const nodes = await within(whose(inspector, frames ?? [], found.stack), longestPause)
    const { where, stack } = found
    return { where, stack, nodes: nodes ?? [] }
  } catch {
    return undefined
  } finally {
    // A thread that is left standing could not be ended. What it answers, nobody waits for.
    inspector.ask('Debugger.resume').catch(() => {})
    await within(inspector.ask('Debugger.disable'), longestPause).catch(() => {})
    inspector.close()
  }
}

function describe(frames: readonly CallFrame[], places: Places): Omit<Stuck, 'nodes'> & { readonly authors: boolean } {
  const lines = frames.map(frame => places.of(frame))
  const stack = lines.map(({ text }) => `    at ${text}`).join('\n')
  const authors = lines.find(line => line.authors)
  return {
    where: (authors ?? lines[0])?.text ?? 'code that has no place',
    stack,
    authors: authors !== undefined,
  }
}

/** The surest first: the context, a variable of the code, the file it is in. */
async function whose(inspector: Inspector, frames: readonly CallFrame[], stack: string): Promise<readonly string[]> {
  const top = frames[0]?.callFrameId
  if (top === undefined) return []
  const global = `globalThis[Symbol.for(${JSON.stringify(whoseName)})]`
  const evaluate = async (expression: string) =>
    resultOf(await inspector.ask('Debugger.evaluateOnCallFrame', { callFrameId: top, expression, returnByValue: true }))
  const now = await evaluate(`${global}?.now()`)
  if (typeof now === 'string') return [now]
  const scopes = frames.flatMap(frame => frame.scopeChain).filter(({ type }) => own.has(type))
  for (const { object } of scopes.slice(0, mostScopes)) {
    const functionDeclaration = `function () { return ${global}?.among(this) }`
    const among = { objectId: object.objectId, functionDeclaration, returnByValue: true }
    const name = resultOf(await inspector.ask('Runtime.callFunctionOn', among))
    if (typeof name === 'string') return [name]
  }
  const names = await evaluate(`${global}?.inStack(${JSON.stringify(stack)})`)
  return Array.isArray(names) ? names.filter(name => typeof name === 'string') : []
}

function resultOf(answer: unknown): unknown {
  return (answer as { readonly result?: { readonly value?: unknown } }).result?.value
}

/** Places of compiled code in the files it was made of. */
class Places {
  readonly #scripts: ReadonlyMap<string, Script>
  readonly #maps = new Map<string, SourceMap | undefined>()

  constructor(scripts: ReadonlyMap<string, Script>) {
    this.#scripts = scripts
  }

  /** `name (file:line:col)`; `authors`: not of Node, nor of this package. */
  of({ functionName, location }: CallFrame): { readonly text: string; readonly authors: boolean } {
    const script = this.#scripts.get(location.scriptId)
    const { url = 'unknown' } = script ?? {}
    const [line, column] = [location.lineNumber, location.columnNumber ?? 0]
    const entry = script === undefined ? {} : (this.#map(script)?.findEntry(line, column) ?? {})
    const { originalSource, originalLine: row = line, originalColumn: col = column } = entry as Partial<SourceMapping>
    const file = originalSource === undefined ? url : new URL(originalSource, url).href
    const place = `${file.startsWith('file:') ? fileURLToPath(file) : file}:${row + 1}:${col + 1}`
    return {
      text: functionName === '' ? place : `${functionName} (${place})`,
      authors: !url.startsWith('node:') && !url.startsWith(ownCode),
    }
  }

  #map(script: Script): SourceMap | undefined {
    const { scriptId, sourceMapURL } = script
    if (!this.#maps.has(scriptId)) this.#maps.set(scriptId, inline(sourceMapURL))
    return this.#maps.get(scriptId)
  }
}

const ownCode = new URL('../..', import.meta.url).href

/** A map that is part of the code, as the loader has them made. */
function inline(url: string | undefined): SourceMap | undefined {
  const data = /^data:application\/json[^,]*;base64,(.*)$/s.exec(url ?? '')?.[1]
  if (data === undefined) return undefined
  try {
    return new SourceMap(JSON.parse(Buffer.from(data, 'base64').toString()) as SourceMapPayload)
  } catch {
    return undefined
  }
}
