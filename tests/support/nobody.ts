// nobody.ts: programs run as a user without rights. Only root can do that, and only where that user can read the
// repository (not in the home folder of root) and run this Node.js.
import { spawnSync } from 'node:child_process'
import { root } from './folder.js'

/** The user and the group without rights. */
export const nobody = 65_534

let known: boolean | undefined

/** Whether programs of the repository can be run as `nobody`. If not, what needs that is to be skipped. */
export function canBeNobody(): boolean {
  if (known === undefined) {
    const script = `require('node:fs').accessSync(${JSON.stringify(`${root}/dist/daemon/main.js`)})`
    const probe = () => spawnSync(process.execPath, ['-e', script], { uid: nobody, gid: nobody, cwd: '/' }).status === 0
    known = process.getuid?.() === 0 && probe()
  }
  return known
}
