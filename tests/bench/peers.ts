// peers.ts: the two peers of a comparison, on the same host program: the floor in C, the candidate the daemon.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { LineProcess } from './lines.js'

export const root = resolve(fileURLToPath(import.meta.url), '..', '..', '..', '..')

/** A bench host with one peer attached, `nodes` nodes registered. */
export interface Stand extends AsyncDisposable {
  readonly host: LineProcess
  readonly peer: ChildProcess
}

export type PeerKind = 'c' | 'for-await' | 'batches'

/** YAML of `nodes` bench nodes that run `module` (a path of dist/), with `extra` keys of each and `top` above them. */
export function nodesYaml(folder: string, module: string, nodes: number, extra = '', top = ''): string {
  const file = join(folder, 'bench.yaml')
  const path = join(root, 'dist', 'tests', 'bench', 'nodes', module)
  const lines = Array.from({ length: nodes }, (_, i) => `  bench-${i}: { module: ${path}${extra} }`)
  writeFileSync(file, `log: { level: error }\n${top}nodes:\n${lines.join('\n')}\n`)
  return file
}

/** Starts the daemon on `config`, with its sockets in `folder`. */
export function startDaemon(folder: string, config: string, hostSocket: string): ChildProcess {
  const args = ['run', '-c', config, '--host-socket', hostSocket, '--socket', join(folder, 'control.sock')]
  return spawn(process.execPath, [join(root, 'bin', 'corod'), ...args], { stdio: ['ignore', 'ignore', 'inherit'] })
}

export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise<void>(done => child.once('exit', () => done()))
  child.kill('SIGTERM')
  const insist = setTimeout(() => child.kill('SIGKILL'), 5000)
  await gone
  clearTimeout(insist)
}

/**
 * The bench host with a peer of `kind` and `nodes` nodes; disposed of as a whole. `look`: microseconds for which the peer
 * looks before it sleeps. `config`: writes another configuration for the daemon and gives its path.
 */
export async function stand(
  kind: PeerKind,
  nodes: number,
  look = 0,
  config?: (folder: string) => string,
): Promise<Stand> {
  const folder = mkdtempSync(join(tmpdir(), 'corod-bench-'))
  const socket = join(folder, 'host.sock')
  const host = new LineProcess(join(root, 'build', 'bench', 'bench-host'), [socket])
  await host.answer()
  const top = look > 0 ? `executors: { main: { spin: ${look}us } }\n` : ''
  const module = kind === 'batches' ? 'batches.js' : 'each.js'
  const peer =
    kind === 'c'
      ? spawn(join(root, 'build', 'bench', 'bench-peer'), [socket, String(nodes), String(look * 1000)], {
          stdio: ['ignore', 'ignore', 'inherit'],
        })
      : startDaemon(folder, config?.(folder) ?? nodesYaml(folder, module, nodes, '', top), socket)
  await host.ask(`nodes ${nodes}`)
  return {
    host,
    peer,
    async [Symbol.asyncDispose]() {
      await endProcess(peer)
      await host.end()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
