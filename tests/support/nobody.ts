// nobody.ts: programs run as a user without rights. Only root can do that, and only where that user can read the
// repository (not in the home folder of root), run this Node.js, and get to the folders of the tests.
import { spawnSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { root } from './folder.js'

/** The user and the group without rights. */
export const nobody = 65_534

let known: boolean | undefined

/** Whether programs of the repository can be run as `nobody`. If not, what needs that is to be skipped. */
export function canBeNobody(): boolean {
  if (known === undefined) {
    const needed = JSON.stringify([`${root}/dist/daemon/main.js`, `${tmpdir()}/.`])
    const script = `for (const path of ${needed}) require('node:fs').accessSync(path)`
    const probe = () => spawnSync(process.execPath, ['-e', script], { uid: nobody, gid: nobody, cwd: '/' }).status === 0
    known = process.getuid?.() === 0 && probe()
  }
  return known
}
