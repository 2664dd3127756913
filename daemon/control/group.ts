// group.ts: the number of a group. Node.js has no getgrnam.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** The gid of `group`, a name or a number. Throws if there is no such group. */
export function groupId(group: string | number): number {
  if (typeof group === 'number') return group
  if (/^\d+$/.test(group)) return Number(group)
  for (const line of readFileSync('/etc/group', 'utf8').split('\n')) {
    const [name, , gid] = line.split(':')
    if (name === group) return Number(gid)
  }
  try {
    // Groups of a directory service are known to the system's C library alone.
    const found = execFileSync('getent', ['--', 'group', group], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    })
    return Number(found.split(':')[2])
  } catch {
    throw new Error(`there is no group "${group}"`)
  }
}
