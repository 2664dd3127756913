// replay.ts: gives a node what another life of it was given, at the same times, and compares what it does.
//
// Time is virtual, so computing takes none. Three things keep it at the pace of the recording: events come when they
// were handed over, timers go off as late as they did, and commands of the CLI take as long as they took.

import type { ProcessNode } from '../process/node.js'
import type { RunResult } from '../process/runtime.js'
import type { Recording, RecordingHead, RecordingLine } from '../record/format.js'
import { readRecording } from '../record/reader.js'
import { recordedCli } from './answers.js'
import { EventReader, type Input, inputsOf } from './inputs.js'
import { Lateness } from './lateness.js'
import { checkedOptions, OptionsError } from './options.js'
import { recordedPeers } from './outcomes.js'
import { OpenCall } from './questions.js'
import { RecordedReads } from './reads.js'
import { ReplayedLines } from './replayed.js'
import { compare } from './report.js'
import { recordedSignals } from './signals.js'
import { defaultLimit } from './spin.js'
import { type Pace, Stage } from './stage.js'
import { stepKey, stepsOf, untilCut } from './trace.js'

/** What a replay does differently from the recording. */
export interface ReplaySetup {
  /** Options in place of the recorded ones: as the YAML has them, checked by the node's schema. */
  readonly options?: Readonly<Record<string, unknown>>
  /** So many waits without any time passing are an endless loop, and fail the node. Default: 1000000. */
  readonly limit?: number
}

/** An event of the recording that the node cannot get. */
export interface Undelivered {
  /** The name of its message. */
  readonly event: string
  /** Its sequence number. */
  readonly seq: bigint
  /** Why it does not fit. */
  readonly reason: string
}

/** What came of a replay. */
export interface Replay {
  /** The node did what the recorded one had done. */
  readonly same: boolean
  /** Commands that the recorded node gave and this one did not. */
  readonly removed: number
  /** Commands that this node gave and the recorded one did not. */
  readonly added: number
  /** Events that do not fit the node's messages: in production they would go to the dead letters. */
  readonly undelivered: readonly Undelivered[]
  /** How the node ended; undefined: it ran until the end of the recording. */
  readonly result: RunResult | undefined
  /** The difference, to be read; empty if there is none. */
  readonly diff: string
}

/**
 * Replays a recording against a node, the one that was recorded or a changed one. It is exact for nodes that depend on
 * nothing but their events, their timers and the answers of the CLI.
 *
 * @param definition the node.
 * @param recording its text, or what `readRecording()` made of it.
 * @param setup what is to be different.
 * @throws RecordingError for a text that is none; OptionsError if there are no options to run the node with.
 */
export async function replay(
  definition: ProcessNode,
  recording: Recording | string,
  setup: ReplaySetup = {},
): Promise<Replay> {
  const { head, lines } = typeof recording === 'string' ? readRecording(recording) : recording
  const options = await optionsOf(definition, head, setup)
  const { start, node: name } = head
  const reads = new RecordedReads(lines, start)
  const replayed = new ReplayedLines(lines, line => reads.enter(line))
  const { limit = defaultLimit } = setup
  const stage = new Stage(definition, {
    name,
    options,
    start,
    limit,
    record: replayed,
    pace: paceOf(lines, start, reads),
  })
  const now = () => stage.clock.now - start
  stage.cli.on(/^/, recordedCli(lines, now))
  stage.port.admit = () => replayed.admit()
  recordedPeers(stage.others, stage.compiled.peers, lines, now)
  stage.port.signalled = recordedSignals(lines, stage.clock, now)

  const undelivered = new Map<string, Undelivered>()
  const reader = new EventReader(definition.messages, stage.compiled.table, start)
  plan(stage, inputsOf(lines), start, input => give(stage, reader, input, undelivered))
  const last = lines.at(-1)
  await stage.pass(start + (last?.at ?? 0), () => false)
  const { result } = stage
  const before = replayed.lines.length
  stage.destroy()
  await stage.settle()
  // What it does because the replay is over counts only if the recorded life was ended in the same way.
  const ended = last !== undefined && 'end' in last && last.end === 'stopped'
  const all = ended ? replayed.lines : replayed.lines.slice(0, before)
  const own = last !== undefined && 'end' in last ? all : untilCut(all, lines)

  const notes = new Map([...undelivered].map(([key, { reason }]) => [key, `was not delivered: ${reason}`]))
  const { removed, added, text } = compare(stepsOf(lines), stepsOf(own), notes)
  return { same: text === '', removed, added, undelivered: [...undelivered.values()], result, diff: text }
}

function paceOf(lines: readonly RecordingLine[], start: number, reads: RecordedReads): Pace {
  const lateness = new Lateness(lines, start)
  return {
    late: (deadline, now) => lateness.of(deadline, now),
    wakes(now) {
      const timer = lateness.at(now)
      if (timer === undefined) reads.leave()
      else reads.enter(timer)
    },
    told: now => reads.next(now) ?? now,
  }
}

async function optionsOf(definition: ProcessNode, head: RecordingHead, setup: ReplaySetup): Promise<unknown> {
  if (setup.options !== undefined) return checkedOptions(definition.options, setup.options)
  if ('options' in head) return head.options
  throw new OptionsError('the recording has no options, JSON could not say them: give those of the node')
}

// Each input plans the next one, so that a long recording does not fill the agenda.
function plan(stage: Stage, inputs: readonly Input[], start: number, give: (input: Input) => void, i = 0): void {
  const input = inputs[i]
  if (input === undefined) return
  stage.clock.at(start + input.at, () => {
    give(input)
    plan(stage, inputs, start, give, i + 1)
  })
}

function give(stage: Stage, reader: EventReader, input: Input, undelivered: Map<string, Undelivered>): void {
  for (const line of input.events) {
    const call = line.asked === true ? new OpenCall() : undefined
    const event = reader.read(line, call)
    if (typeof event === 'string') {
      const key = stepKey({ event: line, deeds: [] })
      undelivered.set(key, { event: line.event, seq: BigInt(line.seq), reason: event })
      continue
    }
    if (call !== undefined) stage.port.calls.add(event, call)
    stage.send(event)
  }
  if (input.close) stage.close()
}
