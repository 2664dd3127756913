// fake-config.ts: configuration of one node as the loader would have it, and a log that remembers.
import type { NodeConfig } from '../../daemon/config/load.js'
import type { RootLog } from '../../daemon/host/daemon.js'

/** A node's configuration with quick restarts. */
export function nodeConfig(name: string, more: Partial<NodeConfig> = {}): NodeConfig {
  return {
    name,
    module: `/nowhere/${name}.ts`,
    options: {},
    peers: {},
    executor: 'main',
    restart: { policy: 'on-failure', min: 1, max: 20, crashLoop: { count: 3, window: 60_000 } },
    queue: { backlog: 16, bytes: 4096, overflow: 'reject', ring: 4096 },
    delivery: 'at-least-once',
    deadLetters: undefined,
    record: undefined,
    interfaces: ['*'],
    grace: 50,
    place: { file: 'corod.yaml', line: 1, col: 1 },
    ...more,
  }
}

/** A log that keeps `level: text` of each line. */
export class Lines implements RootLog {
  readonly lines: string[]
  constructor(lines: string[] = []) {
    this.lines = lines
  }
  child(): RootLog {
    return new Lines(this.lines)
  }
  debug = this.#to('debug')
  info = this.#to('info')
  warn = this.#to('warn')
  error = this.#to('error')

  #to(level: string) {
    return (fields: object | string, text?: string) => {
      this.lines.push(`${level}: ${typeof fields === 'string' ? fields : text}`)
    }
  }
}

export const silent: RootLog = new Lines()
