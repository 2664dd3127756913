// run.ts: corod run: the daemon from its first signal handler to its exit status; and the commands that load modules
// without running them. The only file of the command line that knows the daemon.
import { type Config, loadConfig, type Overrides, problemAt } from '../config/load.js'
import { ConfigError, formatProblem, type Problem } from '../config/problems.js'
import { suggest } from '../config/suggest.js'
import { ControlServer } from '../control/server.js'
import { SocketFileError } from '../control/socket.js'
import { Daemon } from '../host/daemon.js'
import { type DaemonLog, makeLog } from '../host/log.js'
import { holdYoungGeneration } from '../host/memory.js'
import { LoadError, loadNodes } from '../host/modules/loader.js'
import { lockFile } from '../host/notify.js'
import type { ReloadReport } from '../host/report.js'
import { Service } from '../host/service.js'
import { version } from '../host/version.js'
import { CliError, exits } from './exits.js'
import { type Ending, Signals, signalNumbers } from './signals.js'

export { loadTable } from '../host/modules/loader.js'

export interface RunOptions extends Overrides {
  /** The configuration file. */
  readonly file: string
  /** Log errors only. */
  readonly quiet?: boolean
}

/** sysexits(3) EX_SOFTWARE: an error that nobody caught, and that is no node's. */
const fatal = 70

/** A daemon as its guide sees it. */
export interface Guided {
  /** As `corod reload` does. @throws ConfigError */
  reload(): Promise<ReloadReport>
  /** Every file that it is made of, by absolute path. */
  files(): readonly string[]
  /** Names of its nodes. */
  nodes(): readonly string[]
}

/** Who looks after a daemon and tells what happens to it: corod dev. */
export interface Guide {
  /** The log is text for people, in colours or not. */
  readonly color: boolean
  started(daemon: Guided): void
}

/**
 * Runs the daemon until a signal. Resolves with the exit status: 0 after SIGTERM or SIGINT, 128 + signal if a second
 * one did not let it finish, 70 after an error that nobody caught.
 * @throws ConfigError, CliError
 */
export async function run(options: RunOptions, guide?: Guide): Promise<number> {
  // Before anything else, so that a signal during a slow start is not lost.
  const signals = new Signals()
  const grow = holdYoungGeneration()
  try {
    const config = guided(loadConfig(options.file, options), guide)
    checkNames(config, options.record?.names ?? [])
    const log = makeLog({
      level: options.quiet ? 'error' : config.log.level,
      pretty: guide !== undefined || process.stdout.isTTY === true,
      color: guide?.color ?? (process.stdout.isTTY === true && !process.env.NO_COLOR),
    })
    try {
      return await new Running(config, options, log, signals, grow, guide).run()
    } finally {
      log.flush()
    }
  } finally {
    signals.close()
  }
}

/** Everything that is wrong with the modules that `config` names. Loads them; starts nothing. */
export async function checkModules(config: Config): Promise<readonly Problem[]> {
  try {
    await loadNodes(config)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

/** What is wrong with a configuration, and the files that say it; undefined: `error` is about something else. */
export function faultsOf(
  error: unknown,
): { readonly problems: readonly Problem[]; readonly files: readonly string[] } | undefined {
  if (!(error instanceof ConfigError)) return undefined
  const named = error.problems.flatMap(({ file, source }) => (source === undefined ? [file] : [file, source.file]))
  return { problems: error.problems, files: [...named, ...(error instanceof LoadError ? error.files : [])] }
}

/** Whoever records a node that is not there has written another one's name. */
function checkNames({ file, nodes }: Config, names: readonly string[]): void {
  const known = nodes.map(node => node.name)
  const wrong = names.find(name => !known.includes(name))
  if (wrong === undefined) return
  const near = suggest(wrong, known)
  const hint = near === undefined ? '' : `: did you mean ${near}?`
  throw new CliError('usage', 'NODE_UNKNOWN', `--record-node: ${file} has no node ${wrong}${hint}`)
}

/** A group that may be there where the daemon is to run one day need not be on the machine of who writes its nodes. */
function guided(config: Config, guide: Guide | undefined): Config {
  return guide === undefined ? config : { ...config, control: { ...config.control, group: undefined } }
}

/** A daemon that runs. */
class Running {
  readonly #config: Config
  readonly #options: RunOptions
  readonly #guide: Guide | undefined
  readonly #log: DaemonLog['log']
  readonly #flush: DaemonLog['flush']
  readonly #signals: Signals
  #grow: (() => void) | undefined
  readonly #daemon: Daemon
  readonly #control: ControlServer
  readonly #service: Service
  readonly #crashed: Promise<number>
  #crash: (code: number) => void = () => {}

  /** `grow`: the nodes run, memory may be used for speed. */
  constructor(
    config: Config,
    options: RunOptions,
    { log, form, setLevel, flush }: DaemonLog,
    signals: Signals,
    grow: () => void,
    guide: Guide | undefined,
  ) {
    this.#guide = guide
    this.#config = config
    this.#options = options
    this.#log = log
    this.#flush = flush
    this.#signals = signals
    this.#grow = grow
    this.#daemon = new Daemon(config, log, {
      form,
      read: () => guided(loadConfig(options.file, options), guide),
      adjust: ({ log: { level } }) => options.quiet || setLevel(level),
      watcher: { began: () => this.#service.reloading(), ended: outcome => this.#reloaded(outcome) },
    })
    this.#control = new ControlServer(this.#daemon, config.control, log, { lock: lockFile })
    this.#service = new Service(() => this.#summary())
    this.#crashed = new Promise(resolve => {
      this.#crash = resolve
    })
  }

  async run(): Promise<number> {
    const uncaught = (error: unknown) => this.#uncaught(error)
    const unhandled = (reason: unknown) => this.#unhandled(reason)
    const leaving = (code: number) => this.#leaving(code)
    process.on('uncaughtException', uncaught)
    process.on('unhandledRejection', unhandled)
    process.on('exit', leaving)
    try {
      return await Promise.race([this.#live(), this.#crashed])
    } finally {
      this.#service.close()
      process.off('uncaughtException', uncaught)
      process.off('unhandledRejection', unhandled)
      process.off('exit', leaving)
    }
  }

  async #live(): Promise<number> {
    const { first } = this.#signals
    const began = performance.now()
    this.#log.info({ pid: process.pid, config: this.#config.file, node: undefined }, `corod ${version} starts`)
    const started = this.#start().then(() => undefined)
    const early = await Promise.race([started, first])
    if (early === undefined) {
      const nodes = this.#config.nodes.length
      this.#log.info({ ms: Math.round(performance.now() - began) }, `started with ${nodes} nodes`)
      // What came of it is in the log.
      this.#signals.hangup = () => void this.#daemon.reload().catch(() => {})
      this.#service.ready()
      this.#daemon.onChange(() => this.#changed())
      this.#guide?.started({
        reload: () => this.#daemon.reload(),
        files: () => this.#daemon.files,
        nodes: () => this.#daemon.nodes().map(node => node.name),
      })
    } else {
      // Whatever the start still brings, nobody waits for it.
      started.catch(() => {})
    }
    return this.#stop(await first)
  }

  /** Serves before it attaches: a second daemon on the same socket must not disturb the first one's host. */
  async #start(): Promise<void> {
    await this.#daemon.load()
    try {
      await this.#control.listen()
    } catch (error) {
      throw error instanceof SocketFileError ? this.#noSocket(error) : error
    }
    await this.#daemon.start()
  }

  /** What is wrong with the configuration is told at its place, unless the command line said it. */
  #noSocket({ code, message }: SocketFileError): Error {
    const own = code === 'GROUP' ? 'group' : 'socket'
    if (code === 'GROUP' || (code === 'PATH' && this.#options.controlSocket === undefined)) {
      return new ConfigError([problemAt(this.#config, ['control', own], message)])
    }
    if (code === 'PATH') return new CliError('config', code, message)
    return new CliError(code === 'PERMISSION' ? 'permission' : 'failed', code, message)
  }

  async #stop(signal: Ending): Promise<number> {
    this.#log.info({ signal }, 'stopping')
    this.#service.stopping()
    this.#signals.hangup = () => {}
    const stopped = Promise.all([this.#control.close(), this.#daemon.stop()]).then(() => exits.ok.code)
    const forced = this.#signals.second.then(second => {
      this.#log.warn({ signal: second }, 'stopping at once')
      return 128 + signalNumbers[second]
    })
    const code = await Promise.race([stopped, forced])
    this.#log.info({ code }, 'stopped')
    return code
  }

  #changed(): void {
    this.#service.tell()
    if (this.#grow === undefined || this.#daemon.status().nodes.running === 0) return
    this.#grow()
    this.#grow = undefined
  }

  /** A reload has ended. Whatever is wrong with the file, the daemon that runs does not need it. */
  #reloaded(outcome: { readonly report: ReloadReport } | { readonly error: unknown }): void {
    this.#service.reloaded()
    // It says so itself, and better.
    if (this.#guide !== undefined) return
    if ('report' in outcome) {
      const { added, removed, changed, adjusted, unchanged, needsRestart, failed, ms } = outcome.report
      const names = (nodes: typeof changed) => nodes.map(({ name }) => name)
      const fields = { changed: names(changed), added, removed, adjusted: names(adjusted), unchanged: unchanged.length }
      this.#log.info({ ...fields, ms }, `${this.#options.file} was reloaded`)
      if (needsRestart.length > 0) this.#log.warn({ needsRestart }, 'some settings take a restart of the daemon')
      for (const { name, error } of failed) this.#log.error({ node: name }, `does not run: ${error}`)
    } else {
      const { error } = outcome
      if (error instanceof ConfigError) for (const problem of error.problems) this.#log.error(formatProblem(problem))
      else this.#log.error({ err: asError(error) }, 'the reload failed')
      this.#log.error(`${this.#options.file} is not valid; the daemon goes on with what it has`)
    }
  }

  #uncaught(error: unknown): void {
    if (this.#daemon.blame(error) !== undefined) return
    const suspects = this.#daemon.suspect(error)
    if (suspects !== undefined) {
      const whose = suspects.length > 0 ? 'one of these nodes: they start again' : 'a node that has ended'
      this.#log.error({ suspects, err: asError(error) }, `an error that nobody caught, of ${whose}`)
      return
    }
    this.#log.error({ err: asError(error) }, 'an error that nobody caught: the daemon ends')
    this.#crash(fatal)
  }

  #unhandled(reason: unknown): void {
    if (this.#daemon.blame(reason) !== undefined) return
    this.#log.error({ err: asError(reason) }, 'a rejected promise that nobody handled, of no node that can be told')
  }

  // A service manager takes 0 for an end in good order, and would leave the nodes without a daemon.
  #leaving(code: number): void {
    const err = new Error(`process.exit(${code})`)
    const text = `code of a node called process.exit(${code}): the daemon ends`
    this.#log.error({ node: this.#daemon.running(), err }, text)
    this.#flush()
    process.exitCode = fatal
  }

  #summary(): string {
    const { host, nodes } = this.#daemon.status()
    const where = host.state === 'connected' ? `attached to ${host.name} ${host.release}` : `host ${host.state}`
    return `${nodes.running} of ${nodes.total} nodes run, ${where}`
  }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
