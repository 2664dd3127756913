// bundle.ts: TypeScript node modules made ready for Node by esbuild, all in one go, so that modules which import the
// same file share one instance of it. Types are stripped, not checked; `using` is lowered for every Node.
//
// What is written is named after its content: a file that did not change, nor anything it imports, has the same URL in
// the next bundle, whatever else is part of it. That is how unchanged code stays the same instance over a reload.
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { basename, dirname, extname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { BuildFailure, BuildResult, Message, Plugin } from 'esbuild'
import type { Place } from '../../config/problems.js'

/** Where a module's `import ... from 'corod'` leads: this package, whatever else is installed. */
const own = new URL('../../index.js', import.meta.url).href
const target = 'node20'
const typescript = /\.[mc]?ts$/
const asked = Symbol('asked')

type Built = BuildResult<{ metafile: true }>

/** Why one module cannot be used. One line. */
export class BundleError extends Error {
  /** The first fault, where the author finds it. */
  readonly source: Place | undefined
  constructor(message: string, source?: Place) {
    super(message)
    this.source = source
  }
}

/** What to bundle. */
export interface BundleOptions {
  /** Where to write: a folder that exists. */
  readonly folder: () => string
  /** Whether a JavaScript file becomes part of the bundle; if not, Node loads it as it always does. */
  readonly inside: (path: string) => boolean
}

/** Modules ready to be imported. */
export interface Bundle {
  /** URL to import instead of the module, by the module's path; or why there is none. */
  readonly modules: ReadonlyMap<string, URL | BundleError>
  /** The files that it was made of, by the path of each module: itself and everything that it imports. */
  readonly inputs: ReadonlyMap<string, readonly string[]>
  /** Parts are imported only when a coroutine runs: what was written must still be there then. */
  readonly later: boolean
}

/** Bundles modules, each with what it imports by path. Those that are at fault do not keep the others back. */
export async function bundle(paths: readonly string[], options: BundleOptions): Promise<Bundle> {
  if (paths.length === 0) return { modules: new Map(), inputs: new Map(), later: false }
  const { build, stop } = await import('esbuild')
  const folder = options.folder()
  const attempt = (entries: readonly string[], write: boolean): Promise<Built> =>
    build({
      entryPoints: entries.map(path => ({ in: path, out: nameOf(path) })),
      entryNames: '[name]-[hash]',
      chunkNames: '[name]-[hash]',
      outdir: folder,
      outExtension: { '.js': '.mjs' },
      write,
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      target,
      conditions: [],
      sourcemap: 'inline',
      sourcesContent: false,
      metafile: true,
      absWorkingDir: folder,
      logLevel: 'silent',
      legalComments: 'none',
      plugins: [resolver(options.inside)],
    })
  try {
    let sound = paths
    let faults = new Map<string, BundleError>()
    let first = await outcome(attempt(sound, false))
    if (isFailure(first)) {
      faults = await blame(paths, first, folder, entries => attempt(entries, false))
      sound = paths.filter(path => !faults.has(path))
      first = await outcome(attempt(sound, false))
      if (isFailure(first)) throw first
    }
    const graph = graphOf(first, folder)
    // Every file is an entry of its own, so that how they are cut into pieces does not depend on who else imports them.
    const every = [...graph.keys()].filter(path => extname(path) !== '.json')
    const made = await attempt([...new Set([...sound, ...every])], true)
    const urls = urlsOf(made, folder)
    const modules = sound.map(path => [path, urls.get(path)!] as const)
    return {
      modules: new Map<string, URL | BundleError>([...modules, ...faults]),
      inputs: new Map(sound.map(path => [path, reachable(graph, path)])),
      later: importsLater(made),
    }
  } finally {
    await stop()
  }
}

/** The name of what is made of the file, the same in each bundle, and told from files of the same name elsewhere. */
function nameOf(path: string): string {
  const plain = basename(path).replace(/[^\w.-]/g, '_')
  return `${plain}-${createHash('sha256').update(path).digest('hex').slice(0, 12)}`
}

/** Who imports whom, by absolute path. */
function graphOf({ metafile }: Built, folder: string): Map<string, readonly string[]> {
  const files = Object.entries(metafile.inputs).map(([path, { imports }]) => {
    const inside = imports.filter(one => one.external !== true)
    return [resolve(folder, path), inside.map(one => resolve(folder, one.path))] as const
  })
  return new Map(files)
}

function reachable(graph: ReadonlyMap<string, readonly string[]>, from: string): string[] {
  const seen = new Set([from])
  for (const path of seen) for (const imported of graph.get(path) ?? []) seen.add(imported)
  return [...seen]
}

function urlsOf({ metafile }: Built, folder: string): Map<string, URL> {
  const urls = new Map<string, URL>()
  for (const [output, { entryPoint }] of Object.entries(metafile.outputs))
    if (entryPoint !== undefined) urls.set(resolve(folder, entryPoint), pathToFileURL(join(folder, output)))
  return urls
}

/** Bundles each module alone, to learn which of them are at fault. */
async function blame(
  paths: readonly string[],
  failure: BuildFailure,
  folder: string,
  attempt: (entries: readonly string[]) => Promise<Built>,
): Promise<Map<string, BundleError>> {
  const faults = new Map<string, BundleError>()
  for (const path of paths) {
    const own = paths.length === 1 ? failure : await outcome(attempt([path]))
    if (!isFailure(own)) continue
    const text = own.errors.map(error => describe(error, folder)).join('; ')
    faults.set(path, new BundleError(text, own.errors[0] && placeOf(own.errors[0], folder)))
  }
  return faults
}

/** What was built, or why not. */
async function outcome(build: Promise<Built>): Promise<Built | BuildFailure> {
  try {
    return await build
  } catch (error) {
    if (error instanceof Error && 'errors' in error) return error as BuildFailure
    throw error
  }
}

function isFailure(result: Built | BuildFailure): result is BuildFailure {
  return result instanceof Error
}

function importsLater({ metafile }: Built): boolean {
  return Object.values(metafile.outputs).some(output =>
    output.imports.some(({ kind, external }) => kind === 'dynamic-import' && external !== true),
  )
}

/** `message` in one line, with its place. */
function describe(message: Message, folder: string): string {
  const place = placeOf(message, folder)
  return place === undefined ? message.text : `${place.file}:${place.line}:${place.col}: ${message.text}`
}

function placeOf({ location }: Message, folder: string): Place | undefined {
  if (location === null) return undefined
  return { file: resolve(folder, location.file), line: location.line, col: location.column + 1 }
}

/** Keeps what is no TypeScript outside, under its absolute URL, but for scripts that belong `inside`. */
function resolver(scripts: (path: string) => boolean): Plugin {
  return {
    name: 'corod',
    setup(build) {
      build.onResolve({ filter: /./ }, async args => {
        if (args.kind === 'entry-point' || args.pluginData === asked) return undefined
        if (args.path === 'corod') return { path: own, external: true }
        if (/^(node|data|https?|file):/.test(args.path)) return { path: args.path, external: true }
        const { kind, resolveDir, importer } = args
        const found = await build.resolve(args.path, { kind, resolveDir, importer, pluginData: asked })
        if (found.errors.length > 0 || found.external) return found
        const relative = args.path.startsWith('.') || args.path.startsWith('/')
        const inside =
          typescript.test(found.path) || extname(found.path) === '.json' || (relative && scripts(found.path))
        return inside ? { path: found.path } : { path: pathToFileURL(found.path).href, external: true }
      })
      // A module asks where it is: it must hear its own place, not that of the bundle.
      build.onLoad({ filter: /\.([mc]?ts|m?js)$/ }, async ({ path }) => {
        const contents = await readFile(path, 'utf8')
        if (!contents.includes('import.meta.')) return undefined
        const { code } = await build.esbuild.transform(contents, {
          loader: typescript.test(path) ? 'ts' : 'js',
          target,
          sourcefile: path,
          sourcemap: 'inline',
          define: {
            'import.meta.url': JSON.stringify(pathToFileURL(path).href),
            'import.meta.filename': JSON.stringify(path),
            'import.meta.dirname': JSON.stringify(dirname(path)),
          },
        })
        return { contents: code, loader: 'js', resolveDir: dirname(path) }
      })
    },
  }
}

/** Whether a module must be bundled before Node can import it. */
export function needsBundle(path: string): boolean {
  return typescript.test(path)
}
