// reload.ts: POST /v1/reload: the daemon loads its configuration again and applies what changed. No body.
//
//   200  what it did: {"added", "removed", "changed", "adjusted", "unchanged", "settings", "needsRestart", "failed", "ms"}
//   422  CONFIG_INVALID: nothing was changed; `problems` has every fault with its place
//   503  STOPPING: the daemon is stopping
//
// It is answered when everything that had to stop has stopped, which may take as long as the longest grace time. A
// client that goes away does not stop it.
import { ConfigError } from '../config/problems.js'
import { StoppingError } from '../host/report.js'
import { type Answer, ok, refusal } from './answer.js'
import { unlessStopped } from './ask.js'
import type { Surroundings } from './events.js'
import { Problem } from './problems.js'

/** Reloads. Throws Problem. */
export async function reloadNow({ plane, stop }: Surroundings): Promise<Answer> {
  try {
    return ok(await unlessStopped(plane.reload(), stop, 'the daemon is stopping'))
  } catch (error) {
    if (error instanceof StoppingError) throw new Problem('STOPPING', error.message)
    if (!(error instanceof ConfigError)) throw error
    const { problems } = error
    const count = problems.length === 1 ? 'a fault' : `${problems.length} faults`
    return refusal(new Problem('CONFIG_INVALID', `${count}; nothing was changed`), { problems })
  }
}
