// daemon.ts: the real daemon beside a host, with a configuration of the test's own.
import { existsSync, readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { corod, type Ran } from '../cli/corod.js'
import { Folder, root } from '../support/folder.js'
import { Program } from '../support/program.js'
import { waitFor } from '../support/wait.js'

/** A node of the configuration: its module in dist/tests/vpp/nodes, its options and other keys. */
export interface DaemonNode {
  readonly module: string
  readonly options?: object
  readonly [key: string]: unknown
}

export class Daemon implements AsyncDisposable {
  readonly #folder = new Folder()
  readonly #file: string
  readonly #nodes: readonly string[]
  #program: Program

  /** Starts it for the host at `socket`. `extra`: other top-level keys. */
  constructor(socket: string, nodes: Readonly<Record<string, DaemonNode>>, extra: object = {}) {
    const places = Object.entries(nodes).map(([name, node]) => {
      const module = node.module.includes('/') ? node.module : join(root, 'dist', 'tests', 'vpp', 'nodes', node.module)
      return [name, { ...node, module, options: { file: this.#folder.at(`${name}.log`), ...node.options } }]
    })
    const config = {
      host: { socket },
      control: { socket: this.#folder.at('control.sock') },
      state: this.#folder.at('state'),
      nodes: Object.fromEntries(places),
      ...extra,
    }
    this.#nodes = Object.keys(nodes)
    this.#file = this.#folder.write('corod.yaml', JSON.stringify(config)) // JSON is YAML
    this.#program = this.#start()
  }

  #start(): Program {
    // What one that is killed leaves goes with the folder.
    const env = { ...process.env, TMPDIR: this.#folder.path }
    return new Program(process.execPath, [join(root, 'bin', 'corod'), 'run', '-c', this.#file], { env })
  }

  get pid(): number {
    return this.#program.pid
  }

  /** Whether it has ended by itself or was killed. */
  get ended(): boolean {
    return this.#program.ended !== undefined
  }

  get output(): string {
    return this.#program.output
  }

  /** Waits until it is attached and its nodes run. */
  async running(): Promise<this> {
    await waitFor('the daemon to run its nodes', async () => {
      if (this.#program.ended) throw new Error(`it ended: ${this.output}`)
      const status = await this.corod('status')
      const { host, nodes } = status.json<{ host: { state: string }; nodes: { total: number; running: number } }>()
      return host.state === 'connected' && nodes.running === nodes.total
    })
    return this
  }

  /** Kills it as a crash would, and starts it again. */
  async restart(): Promise<void> {
    await this.#program.kill('SIGKILL')
    for (const name of this.#nodes) this.#cut(this.#folder.at(`${name}.log`))
    this.#program = this.#start()
  }

  /** Takes off the line in which a write was torn: its event was in hand and comes again. */
  #cut(file: string): void {
    if (existsSync(file)) truncateSync(file, readFileSync(file).lastIndexOf('\n') + 1)
  }

  async kill(signal: NodeJS.Signals): Promise<void> {
    await this.#program.kill(signal)
  }

  /** Runs a command of bin/corod against it, with --json. */
  corod(...args: readonly string[]): Promise<Ran> {
    return corod([...args, '--json', '--socket', this.#folder.at('control.sock')])
  }

  /** Sends one event, or throws. */
  async send(node: string, type: string, value: object = {}): Promise<void> {
    const ran = await this.corod('send', node, type, JSON.stringify(value))
    if (ran.code !== 0) throw new Error(`send ${node} ${type}: ${ran.stdout}${ran.stderr}`)
  }

  /** What a node has written with the lines of nodes/record.ts. */
  lines<T = Record<string, unknown>>(node: string): readonly T[] {
    const file = this.#folder.at(`${node}.log`)
    if (!existsSync(file)) return []
    const text = readFileSync(file, 'utf8')
    return text
      .slice(0, text.lastIndexOf('\n') + 1)
      .split('\n')
      .filter(Boolean)
      .map(line => JSON.parse(line) as T)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#program.ended) await this.#program.kill('SIGTERM')
    await this.#program[Symbol.asyncDispose]()
    this.#folder[Symbol.dispose]()
  }
}
