// exits.ts: how a command ends, as numbers for scripts (sysexits(3), whose names systemd prints), and the errors that
// say so. No I/O.

/** Every exit status of the program and what it means. */
export const exits = {
  ok: { code: 0, text: 'done' },
  failed: { code: 1, text: 'the action failed' },
  usage: { code: 2, text: 'wrong usage: an unknown command or option, a missing argument, JSON that is none' },
  unavailable: {
    code: 69,
    text: 'the daemon, or the host behind it, cannot be reached; or the node ended before it replied',
  },
  fault: { code: 70, text: 'an error that nobody caught: a fault of corod, or of a module' },
  retry: {
    code: 75,
    text: 'try again later: the queue of the node is full, the daemon is busy, it or the node did not answer in time',
  },
  permission: { code: 77, text: 'no permission to use the socket; the message says what to do' },
  config: { code: 78, text: 'the configuration is invalid' },
} as const

/** The name of an exit status. */
export type Exit = keyof typeof exits

/** Ends a command with one line on standard error and an exit status. */
export class CliError extends Error {
  override readonly name = 'CliError'
  readonly exit: number
  /** Stable, for `--json`. */
  readonly code: string

  constructor(exit: Exit, code: string, message: string) {
    super(message)
    this.exit = exits[exit].code
    this.code = code
  }
}
