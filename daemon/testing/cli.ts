// cli.ts: a host's command line with answers from a script.

import { CliError } from '../process/errors.js'
import type { VirtualClock } from './clock.js'

/** The command fails: `vm.cli` rejects with {@link CliError}. */
export interface CliFailure {
  /** Why, in words. */
  readonly failed: string
  /** The host's name for it; default `CLI_FAILED`. */
  readonly status?: string
  /** What the command wrote before; default nothing. */
  readonly output?: string
  /** How long it takes, in milliseconds of virtual time; default: no time. */
  readonly after?: number
}

/** What the command writes, and how long it takes. */
export interface CliOutput {
  /** What it writes. */
  readonly text: string
  /** Milliseconds of virtual time; default: no time. */
  readonly after?: number
}

/** What a command is answered with: its output, or a failure. */
export type CliAnswer = string | CliOutput | CliFailure

/**
 * An answer, or a function that makes one for each command. `signal` aborts when the node does not wait for it any more.
 */
export type CliScript = CliAnswer | ((command: string, signal: AbortSignal) => CliAnswer | Promise<CliAnswer>)

interface Rule {
  readonly matches: (command: string) => boolean
  readonly script: CliScript
}

/** Answers commands by rules, the newest first. As on a host, commands of one node run one after the other. */
export class ScriptedCli {
  readonly #clock: VirtualClock
  readonly #rules: Rule[] = []
  #last: Promise<unknown> = Promise.resolve()

  constructor(clock: VirtualClock) {
    this.#clock = clock
  }

  /** Answers a command, or all that a pattern matches, with `script` from now on. */
  on(command: string | RegExp, script: CliScript): void {
    const matches = (given: string) => (typeof command === 'string' ? given === command : given.search(command) >= 0)
    this.#rules.unshift({ matches, script })
  }

  /** Runs a command after those before it. Rejects with CliError. */
  run(command: string, signal: AbortSignal): Promise<string> {
    const output = this.#last.then(() => this.#answer(command, signal))
    this.#last = output.catch(() => {})
    return output
  }

  async #answer(command: string, signal: AbortSignal): Promise<string> {
    const rule = this.#rules.find(one => one.matches(command))
    if (rule === undefined) {
      throw new CliError(command, 'CLI_FAILED', 'the test has no answer for this command: give one with kit.onCli()')
    }
    const { script } = rule
    const given = typeof script === 'function' ? await script(command, signal) : script
    const answer: CliOutput | CliFailure = typeof given === 'string' ? { text: given } : given
    const { after = 0 } = answer
    if (after > 0) await new Promise<void>(resolve => this.#clock.at(this.#clock.now + after, resolve))
    if ('text' in answer) return answer.text
    throw new CliError(command, answer.status ?? 'CLI_FAILED', answer.failed, answer.output)
  }
}
