// answers.ts: the answers that one node owes: to events whose senders wait. Each is answered once; who is finished with an
// event, or dies, has answered it by that.
import { statuses } from '../../../shm/ring.js'
import type { Question } from '../../message/call.js'
import type { Calls } from './calls.js'
import type { NodeExecutor } from './executor.js'

const numberOf = (name: string): number => statuses.find(status => status.name === name)!.code
const [ok, refused, unanswered, died] = ['OK', 'REFUSED', 'UNANSWERED', 'DIED'].map(numberOf) as [
  number,
  number,
  number,
  number,
]
const nothing = new Uint8Array(0)

/** The answers of one node in one attachment. */
export class Answers {
  readonly #executor: NodeExecutor
  readonly #slot: number
  readonly #calls: Calls
  /** Of the events in hand; an array, because nearly always there is none or one. */
  #inHand: OpenQuestion[] = []
  /** Of events that are finished with, and whose answers come later. */
  readonly #deferred = new Set<OpenQuestion>()

  constructor(executor: NodeExecutor, slot: number, calls: Calls) {
    this.#executor = executor
    this.#slot = slot
    this.#calls = calls
  }

  /** For an event that is handed over now, with its nonzero handle. */
  open(handle: number): Question {
    const question = new OpenQuestion(this, handle)
    this.#inHand.push(question)
    return question
  }

  /** The events in hand are finished with. */
  finished(): void {
    if (this.#inHand.length === 0) return
    const inHand = this.#inHand
    this.#inHand = []
    for (const question of inHand) {
      if (question.deferred && !question.answered) this.#deferred.add(question)
      else question.answer(unanswered, nothing)
    }
  }

  /** The coroutine has ended: it answers nothing any more. */
  died(): void {
    const open = [...this.#inHand, ...this.#deferred]
    this.#inHand = []
    this.#deferred.clear()
    for (const question of open) question.answer(died, nothing)
  }

  /** The attachment is gone: nobody waits any more. */
  end(): void {
    for (const question of [...this.#inHand, ...this.#deferred]) question.answered = true
    this.#inHand = []
    this.#deferred.clear()
  }

  /** For the questions. */
  give(question: OpenQuestion, handle: number, status: number, bytes: Uint8Array): void {
    this.#deferred.delete(question)
    this.#calls.put(() => this.#executor.ring.answer(this.#slot, handle, status, bytes))
  }
}

class OpenQuestion implements Question {
  answered = false
  deferred = false
  readonly #answers: Answers
  readonly #handle: number

  constructor(answers: Answers, handle: number) {
    this.#answers = answers
    this.#handle = handle
  }

  reply(bytes: Uint8Array): boolean {
    return this.answer(ok, bytes)
  }

  refuse(reason: string): boolean {
    return this.answer(refused, Buffer.from(reason))
  }

  defer(): void {
    this.deferred = true
  }

  /** False: it was answered before. */
  answer(status: number, bytes: Uint8Array): boolean {
    if (this.answered) return false
    this.answered = true
    this.#answers.give(this, this.#handle, status, bytes)
    return true
  }
}
