// child.ts: the daemon of corod dev, in a process of its own: a node that never yields must not keep corod dev from
// noticing, reloading and ending. Started by daemon.ts with its options as JSON.
import { faultsOf, type Guided, type RunOptions, run } from '../run.js'
import type { Said } from './daemon.js'

const options = JSON.parse(process.argv[2] ?? '{}') as RunOptions & { readonly color: boolean }

/** Without corod dev there is nobody to tell; see 'disconnect'. */
function say(said: Said): Promise<void> {
  return new Promise(resolve => {
    if (process.send === undefined || !process.connected) resolve()
    else process.send(said, undefined, undefined, () => resolve())
  })
}

async function reload(daemon: Guided): Promise<void> {
  try {
    const report = await daemon.reload()
    await say({ kind: 'reloaded', report, files: daemon.files() })
  } catch (error) {
    const faults = faultsOf(error)
    if (faults === undefined)
      await say({ kind: 'failed', text: error instanceof Error ? error.message : String(error) })
    else await say({ kind: 'refused', ...faults })
  }
}

// However corod dev ended, this ends with it.
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'))
let code: number
try {
  code = await run(options, {
    color: options.color,
    started: daemon => {
      process.on('message', asked => void (asked === 'ping' ? say({ kind: 'pong' }) : reload(daemon)))
      void say({ kind: 'started', files: daemon.files(), nodes: daemon.nodes() })
    },
  })
} catch (error) {
  const faults = faultsOf(error)
  const { exit, message } = error as { exit?: number; message: string }
  code = exit ?? 70
  if (faults !== undefined) await say({ kind: 'refused', ...faults })
  else await say({ kind: 'failed', text: exit === undefined ? String((error as Error).stack) : message })
}
process.exit(code)
