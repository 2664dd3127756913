// wait.ts: waiting for what must become true. The time is a watchdog, never the thing that is tested.
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Asks `condition` until it gives something truthy, and returns that. An error that it throws counts as "not yet" and is
 * told with the failure. `what` completes the sentence "waited for ...".
 */
export async function waitFor<T>(
  what: string,
  condition: () => T | Promise<T>,
  { ms = 20_000, every = 10 }: { ms?: number; every?: number } = {},
): Promise<NonNullable<T>> {
  const end = performance.now() + ms
  let last: unknown
  for (;;) {
    try {
      const found = await condition()
      if (found) return found
      last = found
    } catch (error) {
      last = error
    }
    if (performance.now() > end) throw new Error(`waited ${ms} ms for ${what}; last: ${String(last)}`, { cause: last })
    await sleep(every)
  }
}
