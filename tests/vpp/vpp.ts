// vpp.ts: a real VPP of its own for a test: unprivileged-style configuration in a temporary folder, no hugepages, no
// devices. Where no VPP is installed the tests are skipped, and say so.
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { basename, join } from 'node:path'
import { Folder, root } from '../support/folder.js'
import { Program } from '../support/program.js'
import { waitFor } from '../support/wait.js'

/** Whether the VPP of these tests was built with AddressSanitizer (docs/vpp.md): slower, larger, and ends at a fault. */
export const sanitized = isSanitized(findVpp())

/** Where tools/prepare.mjs builds our plugins. */
const buildFolder = join(root, 'build', sanitized ? 'vpp-asan' : 'vpp')
export const pluginFolder = join(buildFolder, 'lib', 'vpp_plugins')

function isSanitized(prefix: string | undefined): boolean {
  return prefix !== undefined && readFileSync(join(prefix, 'bin', 'vpp')).includes('__asan_init')
}

/** The environment in which to run VPP's programs, and cmake for plugins that it loads. */
export function vppEnvironment(): NodeJS.ProcessEnv {
  if (!sanitized) return process.env
  return {
    ...process.env,
    ASAN_OPTIONS: 'detect_leaks=0',
    CC: 'clang',
    CFLAGS: '-fsanitize=address',
  }
}

export interface VppOptions {
  /** Worker threads; 0: main does everything. */
  readonly workers?: number
  /** Further keys of the section `corod { … }`; null: no such section. */
  readonly corod?: string | null
  /** Whether the plugin is expected to listen; default: yes. */
  readonly listens?: boolean
  /** Further plugins of VPP to load, without `_plugin.so`. */
  readonly plugins?: readonly string[]
  /** Further folders with plugins. */
  readonly folders?: readonly string[]
}

/** Where VPP is installed: VPP_PREFIX, then /usr, /usr/local, /opt/vpp. */
export function findVpp(): string | undefined {
  const wanted = process.env.VPP_PREFIX
  return (wanted ? [wanted] : ['/usr', '/usr/local', '/opt/vpp']).find(p => existsSync(join(p, 'bin', 'vpp')))
}

/** Where VPP's libraries are: PREFIX/lib/<triplet>, or PREFIX/lib. */
export function vppLibraries(prefix: string): string {
  const lib = join(prefix, 'lib')
  const triplet = readdirSync(lib).find(name => existsSync(join(lib, name, 'vpp_plugins')))
  return triplet === undefined ? lib : join(lib, triplet)
}

/** Whether the installed VPP has a plugin, named without `_plugin.so`. */
export function vppHas(plugin: string): boolean {
  return existsSync(join(vppLibraries(findVpp() as string), 'vpp_plugins', `${plugin}_plugin.so`))
}

/** Why no VPP can be started here, or undefined if one can. */
export function whyNoVpp(): string | undefined {
  if (!findVpp()) return 'no VPP in VPP_PREFIX, /usr, /usr/local or /opt/vpp (docs/vpp.md)'
  if (!existsSync(join(pluginFolder, 'corod_plugin.so'))) return 'the plugin is not built: npm run build:plugin'
  return undefined
}

/** Skips a mocha suite, with the reason in its output, where VPP cannot be started or has too few cores. */
export function needVpp(suite: Mocha.Context, cores = 1): void {
  const why = whyNoVpp() ?? (availableParallelism() < cores ? `${cores} cores are needed` : undefined)
  if (why === undefined) return
  process.stderr.write(`  skipped: ${why}\n`)
  suite.skip()
}

/** A running VPP with the plugin and the tests' own one. */
export class Vpp implements AsyncDisposable {
  readonly #folder = new Folder()
  readonly #prefix = findVpp() as string
  readonly #program: Program
  #started = false
  /** The attach socket. */
  readonly socket = this.#folder.at('corod.sock')
  /** The binary API's socket. */
  readonly api = this.#folder.at('api.sock')

  private constructor(options: VppOptions) {
    const file = this.#folder.write('startup.conf', this.#configuration(options))
    const env = vppEnvironment()
    if (sanitized) env.LD_PRELOAD = join(buildFolder, 'lib', 'libcorod_unmap.so')
    this.#program = new Program(join(this.#prefix, 'bin', 'vpp'), ['-c', file], { env })
  }

  #configuration(options: VppOptions): string {
    const folder = this.#folder.path
    const folders = [join(vppLibraries(this.#prefix), 'vpp_plugins'), pluginFolder, ...(options.folders ?? [])]
    const wanted = ['corod', 'corod_test', ...(options.plugins ?? [])]
    return [
      `unix { nodaemon nosyslog cli-no-pager runtime-dir ${folder} cli-listen ${folder}/cli.sock }`,
      `cpu { ${options.workers ? `main-core 0 corelist-workers 1-${options.workers}` : ''} }`,
      'memory { main-heap-size 384M main-heap-page-size default }',
      'buffers { buffers-per-numa 4096 page-size default }',
      'physmem { max-size 64m }',
      `statseg { size 16M page-size default socket-name ${folder}/stats.sock }`,
      `api-segment { prefix ${basename(folder)} }`,
      `socksvr { socket-name ${this.api} }`,
      `plugins { path ${folders.join(':')} plugin default { disable }`,
      ...wanted.map(name => `  plugin ${name}_plugin.so { enable }`),
      '}',
      options.corod === null ? '' : `corod { socket ${this.socket} ${options.corod ?? ''} }`,
      '',
    ].join('\n')
  }

  /** Starts VPP and resolves when its CLI answers and the plugin listens. */
  static async start(options: VppOptions = {}): Promise<Vpp> {
    const vpp = new Vpp(options)
    try {
      const listens = () => (options.listens === false || existsSync(vpp.socket)) && existsSync(vpp.api)
      await waitFor('VPP to listen, or to end', () => listens() || vpp.#program.ended !== undefined)
      if (vpp.#program.ended !== undefined) throw new Error(`VPP ended at once: ${vpp.output}`)
      vpp.#started = true
      return vpp
    } catch (error) {
      await vpp[Symbol.asyncDispose]()
      throw error
    }
  }

  get pid(): number {
    return this.#program.pid
  }

  /** What VPP has written so far. */
  get output(): string {
    return this.#program.output
  }

  /** Whether it still runs: it must, whatever the daemon does. */
  get running(): boolean {
    return this.#program.ended === undefined
  }

  /** Runs one CLI command and gives its output. */
  cli(command: string): Promise<string> {
    const args = ['-s', this.#folder.at('cli.sock'), ...command.split(' ')]
    return new Promise((resolve, reject) => {
      const options = { maxBuffer: 64 << 20, env: vppEnvironment() }
      execFile(join(this.#prefix, 'bin', 'vppctl'), args, options, (error, stdout, stderr) => {
        if (error) reject(new Error(`vppctl ${command}: ${error.message}\n${stdout}${stderr}\n${this.output}`))
        else resolve(stdout.replaceAll('\r', ''))
      })
    })
  }

  /** Runs commands in one go, as fast as VPP takes them. */
  script(commands: readonly string[]): Promise<string> {
    return this.cli(`exec ${this.#folder.write('script', `${commands.join('\n')}\n`)}`)
  }

  /** Waits until VPP ends by itself, which is a failure of any test that does not wait for it; gives what it wrote. */
  async died(): Promise<string> {
    await this.#program.exit
    this.#started = false
    return this.output
  }

  /** What VPP's stats segment has under names that match, a line each: `[…]: <count> packets <name>`. */
  stats(pattern: string): Promise<string> {
    const args = ['socket-name', this.#folder.at('stats.sock'), 'dump', pattern]
    return new Promise((resolve, reject) => {
      execFile(join(this.#prefix, 'bin', 'vpp_get_stats'), args, { env: vppEnvironment() }, (error, stdout, stderr) => {
        if (error) reject(new Error(`vpp_get_stats ${pattern}: ${error.message}\n${stdout}${stderr}`))
        else resolve(stdout)
      })
    })
  }

  /** Seconds that VPP has computed so far, in all its threads. */
  computed(): number {
    const stat = readFileSync(`/proc/${this.pid}/stat`, 'utf8')
    const [user, system] = stat
      .slice(stat.lastIndexOf(')') + 2)
      .split(' ')
      .slice(11, 13)
    return (Number(user) + Number(system)) / 100
  }

  /** Bytes of VPP's memory that are in RAM. */
  resident(): number {
    return Number(readFileSync(`/proc/${this.pid}/statm`, 'utf8').split(' ')[1]) * 4096
  }

  /** Open descriptors of VPP. */
  descriptors(): number {
    return readdirSync(`/proc/${this.pid}/fd`).length
  }

  /** Ends VPP and leaves nothing behind. */
  async [Symbol.asyncDispose](): Promise<void> {
    const insist = setTimeout(() => this.#program.child.kill('SIGKILL'), 10_000)
    const died = this.#started && !this.running
    if (this.running) await this.#program.kill('SIGTERM')
    clearTimeout(insist)
    const shared = basename(this.#folder.path)
    for (const name of readdirSync('/dev/shm').filter(n => n.startsWith(shared))) rmSync(join('/dev/shm', name))
    this.#folder[Symbol.dispose]()
    if (died) throw new Error(`VPP ended by itself:\n${this.output}`)
  }
}
