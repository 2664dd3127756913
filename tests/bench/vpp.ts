// vpp.ts: a real VPP with the stopwatches of tests/bench/vpp in it, and the peers that answer it in turn.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { Folder } from '../support/folder.js'
import { waitFor } from '../support/wait.js'
import { Daemon } from '../vpp/daemon.js'
import { findVpp, Vpp, type VppOptions, whyNoVpp } from '../vpp/vpp.js'
import type { Finding, Size } from './figures.js'
import { LineProcess } from './lines.js'
import { root } from './peers.js'

const build = join(root, 'build', 'bench-vpp')
let built = false

/** Nanoseconds of one run of many. */
export interface Took {
  readonly p50: number
  readonly p99: number
  /** How many count. */
  readonly count?: number
  /** How many more were made that do not: main did not sleep. */
  readonly left_out?: number
}

/** A measure of this run, given the figures found so far; undefined: it cannot be made here, and has said why. */
export type Measure = (size: Size, found: Readonly<Record<string, number>>) => Promise<Finding | undefined>

function buildPlugin(prefix: string): void {
  if (built) return
  for (const args of [
    [
      '-S',
      join(root, 'tests', 'bench', 'vpp'),
      '-B',
      build,
      '-DCMAKE_BUILD_TYPE=Release',
      `-DCMAKE_PREFIX_PATH=${prefix}`,
    ],
    ['--build', build],
  ]) {
    const made = spawnSync('cmake', args, { encoding: 'utf8' })
    if (made.status !== 0) throw new Error(`cmake ${args.join(' ')}\n${made.stdout}${made.stderr}`)
  }
  built = true
}

/** `measure` where a VPP with our plugin and its headers is installed; elsewhere a line that says why not. */
export function inVpp(measure: Measure): Measure {
  return async (size, found) => {
    const prefix = findVpp()
    const headers = prefix !== undefined && existsSync(join(prefix, 'include', 'vlib', 'vlib.h'))
    const why = whyNoVpp() ?? (headers ? undefined : `no headers of VPP in ${prefix}`)
    if (why !== undefined) {
      process.stdout.write(`  skipped: ${why}\n`)
      return undefined
    }
    buildPlugin(prefix as string)
    return measure(size, found)
  }
}

/** A VPP that has the benchmark's plugin. */
export function benchVpp(options: VppOptions = {}): Promise<Vpp> {
  const folders = [join(build, 'lib', 'vpp_plugins')]
  return Vpp.start({ ...options, folders, plugins: ['corod_bench', ...(options.plugins ?? [])] })
}

/** Runs one scenario and gives its answer. */
export async function scenario<T>(vpp: Vpp, command: string): Promise<T> {
  const answer = await vpp.cli(`corod-bench ${command}`)
  if (!answer.trimStart().startsWith('{')) throw new Error(`corod-bench ${command}: ${answer}`)
  return JSON.parse(answer) as T
}

/** Where the two sides of a measure run: main has a core of its own, as deployments give it one; or they share one. */
export type Placement = 'apart' | 'together'

/**
 * Puts all threads of a process on one core. Without it the kernel sometimes lets both sides share a core (no halted core
 * has to be woken) and sometimes not, from round to round, and a ratio compares that. Nothing to choose on one core.
 */
export function pin(pid: number, core: number): void {
  if (availableParallelism() < 2) return
  const set = spawnSync('taskset', ['-a', '-p', '-c', String(core), String(pid)], { encoding: 'utf8' })
  if (set.status !== 0) throw new Error(`taskset: ${set.error?.message ?? set.stderr}`)
}

/** Puts main of a VPP without workers on core 0 and the peer beside it or on core 1. */
export function place(vpp: Vpp, peer: BenchPeer, placement: Placement): void {
  pin(vpp.pid, 0)
  pin(peer.pid, placement === 'apart' ? 1 : 0)
}

/** Whoever answers. */
export interface BenchPeer extends AsyncDisposable {
  readonly pid: number
}

/** The daemon with the coroutine under test, attached and running; `look`: microseconds before it sleeps. */
export async function coroutine(vpp: Vpp, look = 0): Promise<BenchPeer> {
  const module = join(root, 'dist', 'tests', 'bench', 'nodes', 'vpp.js')
  const executors = look > 0 ? { executors: { main: { spin: `${look}us` } } } : {}
  const daemon = new Daemon(vpp.socket, { 'bench-0': { module } }, { log: { level: 'error' }, ...executors })
  try {
    return await daemon.running()
  } catch (error) {
    await daemon[Symbol.asyncDispose]()
    throw error
  }
}

/** What the daemon does, in C: peer.c on the same rings and doorbells, attached and running; `look` as above. */
export async function peerInC(vpp: Vpp, look = 0): Promise<BenchPeer> {
  const peer = new LineProcess(join(root, 'build', 'bench', 'bench-peer'), [vpp.socket, '1', String(look * 1000)])
  await waitFor('the C peer', async () => /^bench-0: attached,/m.test(await vpp.cli('show corod node bench-0')))
  return { pid: peer.child.pid as number, [Symbol.asyncDispose]: () => peer.end() }
}

/** The floor's client, for as long as the VPP runs: it has the other ends of a pair of eventfds. */
export async function eventfdClient(vpp: Vpp): Promise<BenchPeer> {
  const folder = new Folder()
  const client = new LineProcess(join(build, 'bench-client'), [folder.at('client.sock')])
  await client.answer()
  await scenario(vpp, `connect ${folder.at('client.sock')}`)
  return {
    pid: client.child.pid as number,
    async [Symbol.asyncDispose]() {
      await client.end()
      folder[Symbol.dispose]()
    },
  }
}

/** Runs the `ways` of a round in turn, forwards in even rounds and backwards in odd ones. */
export async function inTurn<K extends string>(
  round: number,
  ways: Readonly<Record<K, () => Promise<void>>>,
): Promise<void> {
  const order = Object.values<() => Promise<void>>(ways)
  for (const way of round % 2 === 0 ? order : order.reverse()) await way()
}
