// service.ts: the daemon as a service of systemd (sd_notify(3)): ready, status, stopping, watchdog. Without systemd it
// does nothing.
import { notify, now } from '../../shm/ring.js'

/** Tells the service manager how the daemon is. */
export class Service {
  readonly #summary: () => string
  #watchdog: NodeJS.Timeout | undefined
  #told = ''
  #state: 'starting' | 'ready' | 'reloading' | 'stopping' = 'starting'

  /** `summary`: one line on how things are, for `systemctl status`. */
  constructor(summary: () => string) {
    this.#summary = summary
  }

  /** The daemon serves. From now on the watchdog, if systemd wants one, is fed from the main loop. */
  ready(): void {
    this.#state = 'ready'
    this.#told = this.#summary()
    if (!say(`READY=1\nSTATUS=${this.#told}`)) return
    const every = watchdogInterval()
    if (every !== undefined) this.#watchdog = setInterval(() => say('WATCHDOG=1'), every)
  }

  /** Something changed: tells the summary if it is another one. */
  tell(): void {
    if (this.#state !== 'ready') return
    const summary = this.#summary()
    if (summary === this.#told) return
    this.#told = summary
    say(`STATUS=${summary}`)
  }

  /** A reload begins; `reloaded` ends it. systemd takes the time for that of the signal it waits for. */
  reloading(): void {
    if (this.#state !== 'ready') return
    this.#state = 'reloading'
    say(`RELOADING=1\nMONOTONIC_USEC=${Math.floor(now() * 1000)}\nSTATUS=reloading`)
  }

  reloaded(): void {
    if (this.#state !== 'reloading') return
    this.#state = 'ready'
    this.#told = this.#summary()
    say(`READY=1\nSTATUS=${this.#told}`)
  }

  stopping(): void {
    this.#state = 'stopping'
    say('STOPPING=1\nSTATUS=stopping')
  }

  close(): void {
    clearInterval(this.#watchdog)
  }
}

/** Whether there is a service manager that was told. One that cannot be reached must not end the daemon. */
function say(state: string): boolean {
  try {
    return notify(state)
  } catch {
    return false
  }
}

/** A third of the time after which systemd takes this process for dead, ms; undefined: it does not watch. */
function watchdogInterval(env: NodeJS.ProcessEnv = process.env): number | undefined {
  const { WATCHDOG_USEC: usec, WATCHDOG_PID: pid } = env
  if (usec === undefined || (pid !== undefined && Number(pid) !== process.pid)) return undefined
  const ms = Number(usec) / 3000
  return Number.isFinite(ms) && ms > 0 ? Math.max(1, ms) : undefined
}
