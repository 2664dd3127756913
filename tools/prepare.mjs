// prepare.mjs: everything a fresh clone needs before anything runs: npm packages, the C build, the TypeScript build.
//
// Each step has inputs; it runs only when they changed since it last succeeded (a stamp under build/). Needs nothing
// but Node itself. `--plugin` insists on the VPP plugin; `--quiet` prints only steps that run.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))
const stamps = join(root, 'build', 'stamps')

/** Ends the preparation with a sentence for the user. */
export class PrepareError extends Error {}

function files(folder, wanted) {
  const found = []
  const walk = path => {
    for (const entry of readdirSync(path, { withFileTypes: true })) {
      const full = join(path, entry.name)
      if (entry.isDirectory()) walk(full)
      else if (wanted.test(entry.name)) found.push(full)
    }
  }
  if (existsSync(join(root, folder))) walk(join(root, folder))
  return found
}

function fingerprint(inputs, extra) {
  const hash = createHash('sha256').update(extra)
  for (const path of inputs.sort()) hash.update(`${relative(root, path)}\0`).update(readFileSync(path))
  return hash.digest('hex')
}

/** Runs `commands` unless the step's inputs are as they were when it last succeeded and `output` exists. */
export function step({ name, say, inputs, extra = '', output, commands }) {
  const stamp = join(stamps, name)
  const print = fingerprint(inputs, JSON.stringify([extra, commands, process.version]))
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === print && output.every(p => existsSync(join(root, p)))) return
  process.stdout.write(`corod: ${say}\n`)
  for (const [program, ...args] of commands) {
    const result = spawnSync(program, args, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 28 })
    if (result.error) throw new PrepareError(`cannot run ${program}: ${result.error.message}`)
    if (result.status !== 0)
      throw new PrepareError(`${say}: ${program} ${args.join(' ')} failed\n${result.stdout}${result.stderr}`)
  }
  mkdirSync(stamps, { recursive: true })
  writeFileSync(stamp, print)
}

function need(program, debian) {
  const found = spawnSync('sh', ['-c', `command -v ${program}`]).status === 0
  return found ? [] : [debian]
}

function checkMachine() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < 20 || (major === 20 && minor < 19))
    throw new PrepareError(`Node ${process.versions.node} is too old: corod needs 20.19 or later`)
  if (process.platform !== 'linux') throw new PrepareError('corod runs on Linux only')
  const missing = [...need('cc', 'gcc'), ...need('cmake', 'cmake'), ...need('make', 'make'), ...need('npm', 'npm')]
  if (missing.length > 0) throw new PrepareError(`missing programs; install them: apt-get install ${missing.join(' ')}`)
}

function headers() {
  const own = join(dirname(dirname(process.execPath)), 'include', 'node')
  const api = [own, join(root, 'node_modules', 'node-api-headers', 'include')].find(p =>
    existsSync(join(p, 'node_api.h')),
  )
  const uv = [own, '/usr/include'].find(p => existsSync(join(p, 'uv.h')))
  if (!api || !uv)
    throw new PrepareError(
      `no ${api ? 'uv.h' : 'node_api.h'} for Node ${process.versions.node}: apt-get install libuv1-dev`,
    )
  return [`-DCOROD_NODE_API_INCLUDE=${api}`, `-DCOROD_UV_INCLUDE=${uv}`]
}

/** Where VPP is installed with its headers, or undefined: VPP_PREFIX, then /usr, /usr/local, /opt/vpp. */
export function findVpp() {
  const wanted = process.env.VPP_PREFIX
  const places = wanted ? [wanted] : ['/usr', '/usr/local', '/opt/vpp']
  return places.find(p => existsSync(join(p, 'bin', 'vpp')) && existsSync(join(p, 'include', 'vlib', 'vlib.h')))
}

/** Whether that VPP was built with AddressSanitizer: its plugins have to be built so too. */
export function sanitizedVpp(vpp) {
  return readFileSync(join(vpp, 'bin', 'vpp')).includes('__asan_init')
}

export function cmake(source, build, extra) {
  const jobs = String(availableParallelism())
  return [
    ['cmake', '-S', source, '-B', build, ...extra],
    ['cmake', '--build', build, '--parallel', jobs],
  ]
}

const cFiles = /\.(c|h|cmake|api)$|^CMakeLists\.txt$/

/** npm packages, exactly as package-lock.json says. */
export function preparePackages() {
  step({
    name: 'packages',
    say: 'installing npm packages (npm ci)',
    inputs: [join(root, 'package-lock.json')],
    output: ['node_modules/.package-lock.json'],
    commands: [['npm', 'ci', '--no-audit', '--no-fund', '--ignore-scripts']],
  })
}

/** The standalone host and the daemon's addon. */
export function prepareC() {
  const release = ['-DCMAKE_BUILD_TYPE=Release']
  const shared = files('shm', cFiles)
  step({
    name: 'addon',
    say: 'building the addon (C)',
    inputs: [...shared, ...files('tests/shm', cFiles)],
    output: ['build/shm/corod.node'],
    commands: cmake('shm', 'build/shm', [...release, ...headers()]),
  })
  step({
    name: 'standalone',
    say: 'building the standalone host (C)',
    inputs: [...shared, ...files('shim-plugin', cFiles)],
    output: ['build/release/corod-standalone'],
    commands: cmake('shim-plugin', 'build/release', release),
  })
}

/** The plugin, when VPP with its headers is installed. Returns whether it is there. */
export function preparePlugin(insist) {
  const vpp = findVpp()
  if (!vpp) {
    if (insist)
      throw new PrepareError(
        'no VPP found in VPP_PREFIX, /usr, /usr/local or /opt/vpp: install vpp and vpp-dev from FD.io (docs/vpp.md)',
      )
    return false
  }
  // Beside the usual build, so that neither replaces the other.
  const sanitized = sanitizedVpp(vpp)
  const name = sanitized ? 'vpp-asan' : 'vpp'
  const options = sanitized ? ['-DCOROD_SANITIZE=address', '-DCMAKE_C_COMPILER=clang'] : []
  try {
    step({
      name: sanitized ? 'plugin-asan' : 'plugin',
      say: `building the VPP plugin for ${vpp}${sanitized ? ', with AddressSanitizer' : ''} (C)`,
      inputs: [...files('shm', cFiles), ...files('shim-plugin', cFiles), ...files('tests/vpp', cFiles)],
      extra: vpp,
      output: [`build/${name}/lib/vpp_plugins/corod_plugin.so`],
      commands: cmake('shim-plugin/vpp', `build/${name}`, [
        '-DCMAKE_BUILD_TYPE=Release',
        `-DCMAKE_PREFIX_PATH=${vpp}`,
        ...options,
      ]),
    })
  } catch (error) {
    if (insist || !(error instanceof PrepareError)) throw error
    process.stdout.write(`corod: the VPP plugin was not built; npm run build:plugin says why\n`)
    return false
  }
  return true
}

/** TypeScript to dist/. A type error fails it. */
export function prepareTypeScript() {
  step({
    name: 'typescript',
    say: 'compiling TypeScript',
    inputs: [
      ...['shm', 'daemon', 'tests', 'docs/examples'].flatMap(folder => files(folder, /\.ts$/)),
      join(root, 'tsconfig.json'),
    ],
    output: ['dist/daemon/index.js'],
    commands: [
      ['node', 'tools/clean-dist.mjs'],
      ['node_modules/.bin/tsc', '-p', '.'],
    ],
  })
}

/** Everything. */
export function prepare({ plugin = false } = {}) {
  checkMachine()
  preparePackages()
  prepareC()
  preparePlugin(plugin)
  prepareTypeScript()
}

/** Runs `work` and turns a PrepareError into one message and exit status 1. */
export function orExplain(work) {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof PrepareError)) throw error
    process.stderr.write(`corod: ${error.message}\n`)
    process.exit(1)
  }
}

if (process.argv[1] && statSync(process.argv[1]).ino === statSync(fileURLToPath(import.meta.url)).ino) {
  orExplain(() => prepare({ plugin: process.argv.includes('--plugin') }))
  if (!process.argv.includes('--quiet')) process.stdout.write('corod: everything is built\n')
}
