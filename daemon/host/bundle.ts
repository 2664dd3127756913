// bundle.ts: TypeScript node modules made ready for Node by esbuild, all in one go, so that modules which import the
// same file share one instance of it. Types are stripped, not checked; `using` is lowered for every Node.
import { mkdtempSync, rmSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, extname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { BuildFailure, BuildResult, Message, Plugin } from 'esbuild'

/** Where a module's `import ... from 'corod'` leads: this package, whatever else is installed. */
const own = new URL('../index.js', import.meta.url).href
const target = 'node20'
const typescript = /\.[mc]?ts$/
const asked = Symbol('asked')

type Built = BuildResult<{ metafile: true }>

/** Why one module cannot be used. One line. */
export class BundleError extends Error {}

/** Modules ready to be imported. */
export interface Bundle {
  /** URL to import instead of the module, by the module's path; or why there is none. */
  readonly modules: ReadonlyMap<string, URL | BundleError>
  /** Removes what was written, once all modules are imported. */
  done(): void
}

/** Bundles TypeScript modules. `scripts`: treat JavaScript files that they import by path as part of the bundle too. */
export async function bundle(paths: readonly string[], scripts = false): Promise<Bundle> {
  if (paths.length === 0) return { modules: new Map(), done: () => {} }
  const { build, stop } = await import('esbuild')
  const folder = mkdtempSync(join(tmpdir(), 'corod-modules-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  const attempt = (entries: readonly string[]): Promise<Built> =>
    build({
      entryPoints: entries.map((path, index) => ({ in: path, out: `${index}` })),
      outdir: folder,
      outExtension: { '.js': '.mjs' },
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
      plugins: [resolver(scripts)],
    })
  try {
    let sound = paths
    let faults = new Map<string, BundleError>()
    let result = await outcome(attempt(sound))
    if (isFailure(result)) {
      faults = await blame(paths, result, attempt)
      sound = paths.filter(path => !faults.has(path))
      result = await outcome(attempt(sound))
      if (isFailure(result)) throw result
    }
    // Parts that are imported later, when a coroutine runs, must still be there then.
    const later = importsLater(result)
    if (later) process.once('exit', remove)
    const urls = sound.map((path, index) => [path, pathToFileURL(join(folder, `${index}.mjs`))] as const)
    return { modules: new Map<string, URL | BundleError>([...urls, ...faults]), done: later ? () => {} : remove }
  } catch (error) {
    remove()
    throw error
  } finally {
    await stop()
  }
}

/** Bundles each module alone, to learn which of them are at fault. */
async function blame(
  paths: readonly string[],
  failure: BuildFailure,
  attempt: (entries: readonly string[]) => Promise<Built>,
): Promise<Map<string, BundleError>> {
  const faults = new Map<string, BundleError>()
  for (const path of paths) {
    const own = paths.length === 1 ? failure : await outcome(attempt([path]))
    if (isFailure(own)) faults.set(path, new BundleError(own.errors.map(describe).join('; ')))
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

function describe({ text, location }: Message): string {
  if (location === null) return text
  return `${location.file}:${location.line}:${location.column + 1}: ${text}`
}

/** Keeps everything that is no TypeScript outside, under its absolute URL: Node loads it as it always does. */
function resolver(scripts: boolean): Plugin {
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
        const inside = typescript.test(found.path) || extname(found.path) === '.json' || (scripts && relative)
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
