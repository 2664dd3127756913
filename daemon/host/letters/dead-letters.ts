// dead-letters.ts: what operators do with the dead letters of a daemon's nodes: look at them, send them again, drop them.
import { MessageError } from '../../message/errors.js'
import { type MessageTable, recordKind } from '../../message/table.js'
import { type Accepted, type LetterFailure, type LettersSettled, SendError } from '../report.js'
import type { DeadLetter } from './letter.js'
import type { LetterFile } from './letter-file.js'

/** What is needed of the daemon. Each throws SendError for a node that is not there. */
export interface LetterServices {
  readonly file: (node: string) => LetterFile
  readonly table: (node: string) => MessageTable
  readonly send: (node: string, code: number, bytes: Uint8Array) => Promise<Accepted>
}

/** While one of these is the answer, letters that come later would only be the next to hear it, or overtake. */
const final: readonly string[] = ['FULL', 'CLOSED', 'UNREGISTERED', 'HOST_AWAY', 'NODE_UNKNOWN']

/** The dead letters of all nodes. */
export class DeadLetters {
  readonly #services: LetterServices
  /** Letters are sent again by one at a time: none must go twice. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(services: LetterServices) {
    this.#services = services
  }

  /** Those of a node, the oldest first. @throws SendError, or the file system's error */
  list(node: string): readonly DeadLetter[] {
    return this.#services.file(node).read()
  }

  /** Sends them again, in their order, or drops them: those of `ids`, or all. @throws as list */
  settle(node: string, how: 'resend' | 'drop', ids?: readonly string[]): Promise<LettersSettled> {
    const turn = this.#turn.then(() => this.#settle(node, how, ids))
    this.#turn = turn.catch(() => {})
    return turn
  }

  async #settle(node: string, how: 'resend' | 'drop', ids: readonly string[] | undefined): Promise<LettersSettled> {
    const file = this.#services.file(node)
    const letters = file.read()
    const known = new Set(letters.map(letter => letter.id))
    const failures: LetterFailure[] = (ids ?? [])
      .filter(id => !known.has(id))
      .map(id => ({
        id,
        code: 'UNKNOWN',
        detail: 'there is no such letter: it was sent again, dropped or thrown away',
      }))
    let done = 0
    for (const letter of letters.filter(({ id }) => ids?.includes(id) ?? true)) {
      const failure = how === 'resend' ? await this.#resend(node, letter) : undefined
      if (failure === undefined) {
        file.mark(letter.id, how === 'resend' ? 'resent' : 'dropped')
        done++
      } else failures.push(failure)
      if (failure !== undefined && final.includes(failure.code)) break
    }
    return { done, left: letters.length - done, failures }
  }

  async #resend(node: string, letter: DeadLetter): Promise<LetterFailure | undefined> {
    try {
      const table = this.#services.table(node)
      await this.#services.send(node, codeOf(table, letter), bytesOf(table, letter))
      return undefined
    } catch (error) {
      const { id } = letter
      if (error instanceof MessageError) return { id, code: 'INVALID', detail: error.message }
      if (error instanceof SendError) return { id, code: error.code, detail: error.message }
      throw error
    }
  }
}

function codeOf(table: MessageTable, { type, code, value }: DeadLetter): number {
  // The message may have another code by now.
  return (value === undefined || type === undefined ? undefined : table.code(type)) ?? code
}

/** The payload of a letter for the messages that the node has now. @throws MessageError */
function bytesOf(table: MessageTable, { type, code, value, bytes = '' }: DeadLetter): Uint8Array {
  if (value !== undefined && type !== undefined) return table.encode(type, value)
  const payload = Uint8Array.from(Buffer.from(bytes, 'base64'))
  // What still does not fit would only come back.
  table.decode(code, recordKind.event, new DataView(payload.buffer), 0, payload.length)
  return payload
}
