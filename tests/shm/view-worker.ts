// view-worker.ts: a worker thread with a view: does with its events what it is told to.
import { parentPort } from 'node:worker_threads'
import { flags, type SharedExecutor, type SharedSlot, View } from '../../shm/ring.js'
import { heads } from './real.js'

/** What the main thread says to it. */
export type Order =
  | { readonly open: SharedExecutor; readonly then: Then; readonly spin: number }
  | { readonly add: SharedSlot }
  | { readonly remove: number }
  | { readonly close: true }

/**
 * What it does when events have come: tells each and releases them; spins for ever inside `onWake`; takes the first of
 * a batch and spins; exits; throws.
 */
export type Then = 'tell' | 'spin' | 'hold' | 'exit' | 'throw'

/** What it says. */
export type Told =
  | { readonly opened: true }
  | { readonly added: number }
  | { readonly removed: number }
  | { readonly closed: true }
  | { readonly error: string }
  | { readonly ended: string }
  | {
      readonly events: readonly { seq: bigint; payload: string; again: boolean; attempts: number }[]
      readonly slot: number
    }

const port = parentPort
if (!port) throw new Error('not a worker')
const tell = (told: Told) => port.postMessage(told)
const buffer = new Uint8Array(1 << 16)
let view: View | undefined
let then: Then = 'tell'

function spin(): never {
  for (;;);
}

function onWake(count: number): void {
  const executor = view?.executor
  if (!executor) return
  for (const slot of executor.slots.subarray(0, count))
    for (let got = executor.drain(slot, buffer, 0); got > 0; got = executor.drain(slot, buffer, 0)) {
      const events = heads(buffer, got)
      executor.take(slot, then === 'hold' ? 1 : events.length)
      const said = events.map(e => ({
        seq: e.seq,
        payload: e.payload,
        again: (e.flags & flags.redelivered) !== 0,
        attempts: e.attempts,
      }))
      executor.count(slot, 0, 1) // never published if this thread ends now
      tell({ events: said, slot })
      if (then === 'spin' || then === 'hold') spin()
      if (then === 'exit') process.exit()
      if (then === 'throw') throw new Error('thrown in onWake')
      executor.release(slot)
    }
}

port.on('message', (order: Order) => {
  try {
    if ('open' in order) {
      then = order.then
      view = View.open(order.open, onWake, why => tell({ ended: why }), { spin: order.spin })
      tell({ opened: true })
    } else if ('add' in order) {
      view?.addSlot(order.add)
      tell({ added: order.add.slot })
    } else if ('remove' in order) {
      view?.removeSlot(order.remove)
      tell({ removed: order.remove })
    } else {
      view?.close()
      port.close() // nothing keeps the thread alive now
    }
  } catch (error) {
    tell({ error: (error as { code?: string }).code ?? String(error) })
  }
})
