// dev.ts: corod dev: a host, the daemon and the compiler, looked after while somebody writes nodes.
import { rmSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { loadConfig } from '../config/load.js'
import { ConfigError } from '../config/problems.js'
import { jsonSchema } from '../config/schema.js'
import type { ReloadReport } from '../host/report.js'
import type { Given } from './commands.js'
import { DaemonProcess, type Said } from './dev/daemon.js'
import { distinct, faultOf } from './dev/excerpt.js'
import { devSocket, makeDevFolder } from './dev/folder.js'
import { HostProcess } from './dev/host.js'
import { counted, Screen } from './dev/screen.js'
import { type Checked, findCompiler, TypeChecks } from './dev/types.js'
import { ProjectWatch } from './dev/watch.js'
import { CliError, exits } from './exits.js'
import type { Output } from './output.js'
import { configFile, localConfig, namedSocket, socketPath } from './place.js'
import { Signals } from './signals.js'

/** Ends of the daemon that no change of a file would cure. */
const hopeless: readonly (number | null)[] = [exits.failed.code, exits.permission.code]

export async function dev(_: readonly (string | undefined)[], given: Given, out: Output): Promise<number> {
  const signals = new Signals()
  try {
    const { env } = out.streams
    const places = { ...given, env }
    const file = resolve(configFile(places))
    expectFile(file)
    const running = await devSocket(file, env)
    if (running !== undefined) {
      throw new CliError('failed', 'RUNS', `corod dev runs already for ${file}: its control socket is ${running}`)
    }
    const folder = makeDevFolder(file, env)
    const option = (value: string | boolean | undefined) => (typeof value === 'string' ? value : undefined)
    const hostSocket = option(given.hostSocket)
    return await new Workshop(out, {
      file,
      folder,
      controlSocket: namedSocket(places) ?? join(folder, 'control.sock'),
      hostSocket: hostSocket === undefined ? undefined : socketPath(hostSocket, '--host-socket'),
      pcap: option(given.pcap),
      types: given.types !== false,
      quiet: given.quiet,
    }).run(signals)
  } finally {
    signals.close()
  }
}

/** A file that can be mended is watched; one that is not there is a mistake. @throws ConfigError */
function expectFile(file: string): void {
  try {
    loadConfig(file)
  } catch (error) {
    if (error instanceof ConfigError && error.problems.some(({ message }) => message.startsWith('no such file'))) {
      throw new CliError(
        'config',
        'NO_CONFIG',
        `there is no ${file}: make a project with corod init, or name one with -c`,
      )
    }
  }
}

/** Whoever writes nodes may not write where an installed daemon keeps its things. */
function stateOf(file: string): string | undefined {
  const usual = jsonSchema().properties?.state?.default
  try {
    if (loadConfig(file).state !== usual) return undefined
  } catch {
    // It is told when the daemon starts.
  }
  return join(dirname(file), '.corod')
}

interface Plan {
  readonly file: string
  /** For sockets and what the compiler remembers. */
  readonly folder: string
  readonly controlSocket: string
  /** Of a host that runs; undefined: one is started. */
  readonly hostSocket: string | undefined
  readonly pcap: string | undefined
  /** Whether types are checked. */
  readonly types: boolean
  readonly quiet: boolean
}

/** Everything that corod dev runs. */
class Workshop {
  readonly #plan: Plan
  readonly #out: Output
  readonly #screen: Screen
  readonly #watch: ProjectWatch
  readonly #types: TypeChecks | undefined
  #host: HostProcess | undefined
  #daemon: DaemonProcess | undefined
  /** Files changed while a reload was under way. */
  #again = false
  #busy = false
  #sound = false
  #stuck = false
  /** The last change was not applied. */
  #faulty = false
  #stopping = false
  #end: (code: number) => void = () => {}

  constructor(out: Output, plan: Plan) {
    this.#plan = plan
    this.#out = out
    const root = dirname(plan.file)
    this.#screen = new Screen(out, process.cwd())
    this.#watch = new ProjectWatch(
      root,
      paths => this.#changed(paths),
      reason => this.#screen.say(`folders cannot be watched (${reason}): files are looked at instead`, 'yellow'),
    )
    this.#types = plan.types ? this.#compiler() : undefined
  }

  /** Runs until a signal, or until something ends that cannot be mended. Resolves with the exit status. */
  async run(signals: Signals): Promise<number> {
    const failed = new Promise<number>(end => {
      this.#end = end
    })
    signals.hangup = () => this.#reload()
    try {
      this.#startHost()
      this.#watch.follow([this.#plan.file])
      this.#hint()
      this.#startDaemon()
      this.#types?.run()
      return await Promise.race([failed, signals.first.then(() => exits.ok.code)])
    } finally {
      await this.#stop(signals)
    }
  }

  #startHost(): void {
    const { hostSocket, folder, pcap } = this.#plan
    if (hostSocket !== undefined) return
    const host = new HostProcess({ folder, pcap }, this.#out.streams.env)
    this.#host = host
    void host.ended.then(({ code, signal }) => {
      if (this.#stopping) return
      this.#screen.say(`the standalone host ended (${signal ?? `status ${code}`})`, 'red')
      this.#end(exits.failed.code)
    })
  }

  #hint(): void {
    const { file, hostSocket } = this.#plan
    const name = relative(process.cwd(), file)
    const where = hostSocket ?? 'a standalone host of its own'
    this.#screen.say(`${name} on ${where}; Ctrl-C ends`)
    const config = name === localConfig ? '' : ` -c ${name}`
    this.#screen.say(`in another terminal: npx corod nodes${config}, npx corod send${config} NODE MESSAGE [JSON]`)
  }

  #startDaemon(): void {
    const { file, controlSocket, hostSocket, quiet } = this.#plan
    const socket = hostSocket ?? this.#host?.socket
    const color = this.#out.colorful
    const options = { file, controlSocket, hostSocket: socket, state: stateOf(file), quiet, color }
    this.#busy = true
    const daemon = new DaemonProcess(
      options,
      said => this.#said(said),
      () => {
        this.#stuck = true
        this.#screen.say('the daemon does not answer: a node computes without an end; it is started again', 'red')
      },
    )
    this.#daemon = daemon
    void daemon.ended.then(({ code, signal }) => {
      this.#daemon = undefined
      this.#busy = false
      if (this.#stopping) return
      if (hopeless.includes(code)) {
        this.#end(code ?? exits.failed.code)
        return
      }
      if (this.#stuck || this.#again) {
        this.#stuck = this.#again = false
        this.#startDaemon()
      } else if (code !== exits.config.code) {
        const how = signal ?? `status ${code}`
        this.#screen.say(`the daemon ended (${how}); it is started again when a file changes`, 'red')
      }
    })
  }

  #said(said: Said): void {
    switch (said.kind) {
      case 'started':
        this.#watch.follow(said.files)
        this.#screen.say(`runs ${counted(said.nodes.length, 'node')}: ${said.nodes.join(', ') || 'none'}`, 'green')
        break
      case 'reloaded':
        this.#watch.follow(said.files)
        this.#reloaded(said.report)
        break
      case 'refused': {
        this.#watch.follow(said.files)
        const faults = distinct(said.problems.map(faultOf))
        const rest = this.#sound ? 'the code that runs stays' : 'nothing runs yet'
        this.#screen.faults(`${counted(faults.length, 'fault')}; ${rest}`, faults)
        break
      }
      case 'failed':
        this.#screen.say(said.text, 'red')
        break
      case 'pong':
        return
    }
    if (said.kind === 'started' || said.kind === 'reloaded') this.#sound = true
    this.#faulty = said.kind === 'refused'
    this.#busy = false
    if (!this.#again) return
    this.#again = false
    this.#reload()
  }

  #reloaded({ added, removed, changed, adjusted, settings, needsRestart, failed, ms }: ReloadReport): void {
    const why = (nodes: typeof changed) => nodes.map(({ name, why }) => `${name} (${why.join(', ')})`)
    const parts: readonly (readonly [string, readonly string[]])[] = [
      ['changed', why(changed)],
      ['added', added],
      ['removed', removed],
      ['adjusted', why(adjusted)],
      ['settings', settings],
    ]
    const told = parts.filter(([, names]) => names.length > 0).map(([what, names]) => `${what} ${names.join(', ')}`)
    if (told.length > 0) this.#screen.say(`reloaded in ${ms} ms: ${told.join('; ')}`, 'green')
    else if (this.#faulty) this.#screen.say('right again: what is written is what runs', 'green')
    if (needsRestart.length > 0) {
      this.#screen.say(`not applied until corod dev is started again: ${needsRestart.join(', ')}`, 'yellow')
    }
    for (const { name, error } of failed) this.#screen.say(`node ${name} does not run: ${error}`, 'red')
  }

  #changed(paths: readonly string[]): void {
    if (paths.some(path => !/\.ya?ml$/.test(path))) this.#types?.run()
    this.#reload()
  }

  /** One at a time: what changes while one is under way is in the next one. */
  #reload(): void {
    if (this.#stopping) return
    if (this.#busy) {
      this.#again = true
      return
    }
    if (this.#daemon === undefined) {
      this.#startDaemon()
      return
    }
    this.#busy = true
    this.#daemon.reload()
  }

  #compiler(): TypeChecks | undefined {
    const compiler = findCompiler(this.#plan.file)
    if (typeof compiler === 'string') {
      this.#screen.say(`types are not checked: ${compiler}`, 'yellow')
      return undefined
    }
    let wrong: boolean | undefined
    return new TypeChecks(compiler, join(this.#plan.folder, 'types.tsbuildinfo'), ({ faults, ms }: Checked) => {
      if (faults.length > 0) this.#screen.faults(`types: ${counted(faults.length, 'error')}`, faults)
      else if (wrong !== false) this.#screen.say(`types: right (${ms} ms)`, 'green')
      wrong = faults.length > 0
    })
  }

  /** In order: what the daemon does last still reaches the host. A second signal does not wait. */
  async #stop(signals: Signals): Promise<void> {
    this.#stopping = true
    this.#watch.close()
    this.#types?.stop()
    void signals.second.then(() => this.#daemon?.stop())
    if (this.#daemon !== undefined) {
      this.#daemon.stop()
      await this.#daemon.ended
    }
    await this.#host?.stop()
    rmSync(this.#plan.folder, { recursive: true, force: true })
    this.#screen.say('stopped')
  }
}
