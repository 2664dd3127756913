// activation.ts: a listening socket that the service manager made and passed (sd_listen_fds(3)).
import { fstatSync } from 'node:fs'

const FIRST = 3

/**
 * The descriptor of the control socket that was passed to this process, or undefined. Of several, the one named
 * `control` (FileDescriptorName=). The variables are removed, so that children do not take them for theirs.
 */
export function activated(env: NodeJS.ProcessEnv = process.env, pid: number = process.pid): number | undefined {
  const { LISTEN_PID: forPid, LISTEN_FDS: count, LISTEN_FDNAMES: names } = env
  delete env.LISTEN_PID
  delete env.LISTEN_FDS
  delete env.LISTEN_FDNAMES
  if (Number(forPid) !== pid || count === undefined) return undefined
  const passed = Number(count)
  if (!Number.isInteger(passed) || passed < 1) return undefined
  const named = (names ?? '').split(':').indexOf('control')
  if (passed > 1 && (named < 0 || named >= passed)) {
    throw new Error(`${passed} sockets were passed and none is named "control" (FileDescriptorName=control)`)
  }
  const fd = FIRST + Math.max(0, named)
  if (!fstatSync(fd).isSocket()) throw new Error(`descriptor ${fd} was passed as a socket and is none`)
  return fd
}
