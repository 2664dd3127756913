// answering.ts: an event of a call that tells how the node answers it.

import type { CallEvent } from '../message/call.js'
import type { AnyEvent } from '../message/message.js'
import { toJsonFields } from './format.js'

/** What the node answered. */
export interface GivenAnswer {
  readonly reply?: Readonly<Record<string, unknown>>
  readonly refused?: string
}

/**
 * `event`, and whoever answers it by what is returned has `told` called, if the answer counts. A proxy, because the event
 * keeps who waits for it to itself.
 */
export function watchAnswers<E extends CallEvent & AnyEvent>(event: E, told: (answer: GivenAnswer) => void): E {
  const answering = {
    reply(value?: object): boolean {
      const counted = event.reply(value)
      if (counted) told({ reply: toJsonFields(value ?? {}) })
      return counted
    },
    refuse(reason: string): boolean {
      const counted = event.refuse(reason)
      if (counted) told({ refused: String(reason) })
      return counted
    },
    defer: () => event.defer(),
  }
  return new Proxy(event, {
    get: (target, key) =>
      Object.hasOwn(answering, key) ? Reflect.get(answering, key) : Reflect.get(target, key, target),
  })
}
