// answers.ts: the host's CLI as it answered in a recording.

import type { AnswerLine, Line } from '../record/format.js'
import type { CliAnswer, CliScript } from './cli.js'

/**
 * Answers the first call of a command as the first one was answered, the second as the second, and those beyond as the
 * last; each takes as long as it took. A call whose answer was not recorded is never answered.
 */
export function recordedCli(lines: readonly Line[]): CliScript {
  const recorded = answersByCommand(lines)
  const calls = new Map<string, number>()
  return command => {
    const answers = recorded.get(command)
    if (answers === undefined) return { failed: 'the recording has no answer for this command' }
    const call = calls.get(command) ?? 0
    calls.set(command, call + 1)
    return answers[Math.min(call, answers.length - 1)] ?? new Promise<never>(() => {})
  }
}

function answersByCommand(lines: readonly Line[]): Map<string, (CliAnswer | undefined)[]> {
  const byCommand = new Map<string, (CliAnswer | undefined)[]>()
  const open = new Map<number, { at: number; answers: (CliAnswer | undefined)[]; place: number }>()
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
      call.answers[call.place] = answerOf(line, line.at - Math.max(call.at, free))
      free = line.at
    }
  }
  return byCommand
}

function answerOf({ text = '', failed, status, output }: AnswerLine, after: number): CliAnswer {
  if (failed === undefined) return { text, after }
  return { failed, after, ...(status === undefined ? {} : { status }), ...(output === undefined ? {} : { output }) }
}
