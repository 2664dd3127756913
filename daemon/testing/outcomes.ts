// outcomes.ts: peers as they took events and answered calls in a recording.

import type { CompiledPeer } from '../process/peers.js'
import type { OutcomeLine, PeerLine, RecordingLine } from '../record/format.js'
import { type Delay, delayOf } from './delay.js'
import type { PeerAnswer, PeerScript, ScriptedPeers } from './peers.js'

interface Outcome {
  readonly answer: PeerAnswer
  readonly delay: Delay
}

type Outcomes = (Outcome | undefined)[]

/**
 * Has `others` answer as in the recording: the first event of a name as the first one, and those beyond as the last.
 * What has no recorded outcome is never answered, and a call that was never made before is not delivered.
 *
 * @param now milliseconds from the start of the recording.
 */
export function recordedPeers(
  others: ScriptedPeers,
  peers: readonly CompiledPeer[],
  lines: readonly RecordingLine[],
  now: () => number,
): void {
  const recorded = outcomesOf(lines)
  for (const { key, table } of peers) {
    for (const type of table.names) {
      for (const kind of ['send', 'call'] as const) {
        const outcomes = recorded.get(`${kind} ${key} ${type}`)
        if (outcomes !== undefined) others.on(key, type, inTurn(outcomes, now), [kind])
        else if (kind === 'call') others.on(key, type, { undelivered: 'the recording has no such call' }, [kind])
      }
    }
  }
}

function inTurn(outcomes: Outcomes, now: () => number): PeerScript {
  let next = 0
  return () => {
    const found = outcomes[Math.min(next++, outcomes.length - 1)]
    if (found === undefined) return new Promise<never>(() => {})
    return { ...found.answer, after: delayOf(found.delay, now()) }
  }
}

function outcomesOf(lines: readonly RecordingLine[]): Map<string, Outcomes> {
  const all = new Map<string, Outcomes>()
  const open = new Map<number, { line: PeerLine; outcomes: Outcomes; place: number }>()
  // Events for one peer arrive one after the other: one that was sent earlier than this was on its way until then.
  const free = new Map<string, number>()
  for (const line of lines) {
    if ('to' in line) {
      const name = `${line.kind} ${line.peer} ${line.type}`
      const outcomes = all.get(name) ?? []
      all.set(name, outcomes)
      open.set(line.to, { line, outcomes, place: outcomes.push(undefined) - 1 })
    } else if ('from' in line) {
      const sent = open.get(line.from)
      if (sent === undefined) continue
      const { kind, peer, at } = sent.line
      const begun = kind === 'send' ? Math.max(at, free.get(peer) ?? 0) : at
      if (kind === 'send') free.set(peer, line.at)
      const answer = answerOf(line)
      if (answer !== undefined) sent.outcomes[sent.place] = { answer, delay: { from: begun, to: line.at } }
    }
  }
  return all
}

// An error that comes of the node's own clock, or of its end, comes of them again.
function answerOf({ reply = {}, error, why = '' }: OutcomeLine): PeerAnswer | undefined {
  switch (error) {
    case undefined:
      return { reply }
    case 'ERR_REFUSED':
      return { refused: why }
    case 'ERR_UNANSWERED':
      return { unanswered: true }
    case 'ERR_PEER_DIED':
      return { died: true }
    case 'ERR_UNDELIVERED':
      return { undelivered: why }
    default:
      return undefined
  }
}
