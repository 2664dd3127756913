// inspector.ts: a thread of this process seen from another one, by the protocol of V8's debugger, without its help: it
// may be in the middle of a loop that never ends. No port is opened. Only for a thread that is stuck: to be looked at
// makes code slow for a moment.
import { Session } from 'node:inspector'

/** A message that the thread's debugger sends by itself. */
export interface InspectorEvent {
  readonly method: string
  readonly params: unknown
}

/** The debugger of one thread. */
export interface Inspector {
  /** Resolves with the result, or rejects. The thread need not turn its loop for it. */
  ask(method: string, params?: object): Promise<unknown>
  /** Lets go of the thread, at once. */
  close(): void
}

interface Answer {
  readonly id?: number
  readonly method?: string
  readonly params?: unknown
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

/** Opens the debugger of a worker thread; only the main thread can. `on` gets its events. */
export function inspectWorker(threadId: number, on: (event: InspectorEvent) => void): Promise<Inspector> {
  const session = new Session()
  session.connect()
  const inspector = new WorkerInspector(session, on)
  return inspector.open(threadId)
}

/** Opens the debugger of the main thread; only a worker can. */
export function inspectMain(on: (event: InspectorEvent) => void): Inspector {
  const session = new Session()
  session.connectToMainThread()
  // The one event whose name is the notification's own: every other has a name of its own.
  session.on('inspectorNotification', message => on(message as InspectorEvent))
  return {
    ask: (method, params = {}) => post(session, method, params),
    close: () => session.disconnect(),
  }
}

function post(session: Session, method: string, params: object): Promise<unknown> {
  return new Promise((resolve, reject) => {
    session.post(method, params, (error, result) => {
      if (error === null) resolve(result)
      else reject(new Error(`${method}: ${error.message}`))
    })
  })
}

/** Talks to a worker's debugger through that of the main thread. */
class WorkerInspector implements Inspector {
  readonly #session: Session
  readonly #on: (event: InspectorEvent) => void
  readonly #asked = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>()
  #worker: string | undefined
  #last = 0

  constructor(session: Session, on: (event: InspectorEvent) => void) {
    this.#session = session
    this.#on = on
  }

  /** Attaches to every worker, which costs them nothing, and keeps the one. */
  async open(threadId: number): Promise<Inspector> {
    this.#session.on('NodeWorker.attachedToWorker', ({ params: { sessionId, workerInfo } }) => {
      // Its `workerId` counts the workers of this session; the thread's own number is in the title only.
      if (workerInfo.title.startsWith(`[worker ${threadId}]`)) this.#worker = sessionId
    })
    this.#session.on('NodeWorker.receivedMessageFromWorker', ({ params: { sessionId, message } }) => {
      if (sessionId === this.#worker) this.#heard(JSON.parse(message) as Answer)
    })
    try {
      await post(this.#session, 'NodeWorker.enable', { waitForDebuggerOnStart: false })
      if (this.#worker === undefined) throw new Error(`there is no thread ${threadId}`)
      return this
    } catch (error) {
      this.close()
      throw error
    }
  }

  ask(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#last
    return new Promise((resolve, reject) => {
      this.#asked.set(id, { resolve, reject })
      const message = JSON.stringify({ id, method, params })
      post(this.#session, 'NodeWorker.sendMessageToWorker', { sessionId: this.#worker, message }).catch(reject)
    })
  }

  close(): void {
    this.#session.disconnect()
    const error = new Error('the inspector was closed')
    for (const { reject } of this.#asked.values()) reject(error)
    this.#asked.clear()
  }

  #heard({ id, method, params, result, error }: Answer): void {
    if (id === undefined) {
      if (method !== undefined) this.#on({ method, params })
      return
    }
    const asked = this.#asked.get(id)
    this.#asked.delete(id)
    if (error === undefined) asked?.resolve(result)
    else asked?.reject(new Error(error.message))
  }
}
