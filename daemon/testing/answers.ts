// answers.ts: the host's CLI as it answered in a recording.

import type { AnswerLine, RecordingLine } from '../record/format.js'
import type { CliAnswer, CliScript } from './cli.js'
import { type Delay, delayOf } from './delay.js'

interface Recorded {
  readonly answer: CliAnswer
  readonly delay: Delay
}

/**
 * Answers the first call of a command as the first one was answered, the second as the second, and those beyond as the
 * last; each takes as long as it took. A call whose answer was not recorded is never answered.
 *
 * @param now milliseconds from the start of the recording.
 */
export function recordedCli(lines: readonly RecordingLine[], now: () => number): CliScript {
  const recorded = answersByCommand(lines)
  const calls = new Map<string, number>()
  return command => {
    const answers = recorded.get(command)
    if (answers === undefined) return { failed: 'the recording has no answer for this command' }
    const call = calls.get(command) ?? 0
    calls.set(command, call + 1)
    const found = answers[Math.min(call, answers.length - 1)]
    if (found === undefined) return new Promise<never>(() => {})
    return { ...(found.answer as object), after: delayOf(found.delay, now()) } as CliAnswer
  }
}

function answersByCommand(lines: readonly RecordingLine[]): Map<string, (Recorded | undefined)[]> {
  const byCommand = new Map<string, (Recorded | undefined)[]>()
  const open = new Map<number, { at: number; answers: (Recorded | undefined)[]; place: number }>()
  // Commands of a node run one by one: one that was given earlier than this began only here.
  let free = 0
  for (const line of lines) {
    if ('command' in line) {
      const answers = byCommand.get(line.command) ?? []
      byCommand.set(line.command, answers)
      open.set(line.cli, { at: line.at, answers, place: answers.push(undefined) - 1 })
    } else if ('answer' in line) {
      const call = open.get(line.answer)
      if (call === undefined) continue
      const delay = { from: Math.max(call.at, free), to: line.at }
      call.answers[call.place] = { answer: answerOf(line), delay }
      free = line.at
    }
  }
  return byCommand
}

function answerOf({ text = '', failed, status, output }: AnswerLine): CliAnswer {
  if (failed === undefined) return { text }
  return { failed, ...(status === undefined ? {} : { status }), ...(output === undefined ? {} : { output }) }
}
