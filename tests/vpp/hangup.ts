// hangup.ts: a daemon that breaks the contract: attaches to the host of its first argument, closes its ends of the
// doorbells that the host reads, and stays.
import { closeSync, readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { Peer } from './peer.js'

/** Descriptors of this process that write into a pipe. */
function writers(): readonly number[] {
  return readdirSync('/proc/self/fd')
    .map(Number)
    .filter(fd => {
      try {
        const flags = /flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '0'
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith('pipe:') && (Number.parseInt(flags, 8) & 3) === 1
      } catch {
        return false // the listing's own
      }
    })
}

const before = writers()
const peer = await Peer.attach(process.argv[2] as string)
await peer.node('hung-up')
await peer.ready()
const bells = writers().filter(fd => !before.includes(fd))
for (const fd of bells) closeSync(fd)
process.stdout.write(`closed ${bells.length}\n`)
setInterval(() => {}, 60_000)
