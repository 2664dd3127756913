// service.ts: the whole service for measures that need no stopwatch in the host: standalone host and daemon.
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ControlClient } from '../../daemon/control/client.js'
import { endProcess, root, startDaemon } from './peers.js'

/** A running standalone host and daemon. */
export interface Service extends AsyncDisposable {
  readonly folder: string
  readonly host: ChildProcess
  readonly daemon: ChildProcess
  readonly control: ControlClient
  readonly socket: string
}

/** Polls `holds` every 20 ms; throws after `seconds`. */
export async function until(holds: () => boolean | Promise<boolean>, seconds: number, what: string): Promise<void> {
  const end = performance.now() + seconds * 1000
  while (!(await holds())) {
    if (performance.now() > end) throw new Error(`waited ${seconds} s for ${what}`)
    await sleep(20)
  }
}

/** Starts both; `config` writes the YAML into the folder and returns its path. Ready when all nodes run. */
export async function service(config: (folder: string) => string): Promise<Service> {
  const folder = mkdtempSync(join(tmpdir(), 'corod-bench-'))
  const hostSocket = join(folder, 'host.sock')
  const args = [
    '--socket',
    hostSocket,
    '--cli',
    join(folder, 'cli.sock'),
    '--pcap',
    join(folder, 'out.pcap'),
    '--no-interfaces',
  ]
  const host = spawn(join(root, 'build', 'release', 'corod-standalone'), args, {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const daemon = startDaemon(folder, config(folder), hostSocket)
  const socket = join(folder, 'control.sock')
  const control = new ControlClient(socket)
  await until(() => existsSync(socket), 30, 'the control socket')
  await until(
    async () => {
      const nodes = await control.nodes()
      return nodes.length > 0 && nodes.every(node => node.state === 'running')
    },
    60,
    'all nodes to run',
  )
  return {
    folder,
    host,
    daemon,
    control,
    socket,
    async [Symbol.asyncDispose]() {
      await endProcess(daemon)
      await endProcess(host)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** CPU seconds used so far and resident bytes of a process, from /proc. */
export function usage(pid: number): { cpu: number; rss: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = Number(fields[11]) + Number(fields[12])
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return { cpu: ticks / 100, rss: Number(/VmRSS:\s+(\d+)/.exec(status)?.[1] ?? 0) * 1024 }
}
