// language-server.ts: the compiler as an editor uses it: asked over its standard streams what it shows at a place.
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { root } from './folder.js'

interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: { readonly items?: readonly unknown[] }
  readonly result?: unknown
  readonly error?: { readonly message: string }
}

/** A running language server, ended when disposed of. */
export class LanguageServer implements Disposable {
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, (answer: Message) => void>()
  #received = Buffer.alloc(0)
  #last = 0

  private constructor() {
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    this.#child = spawn(process.execPath, [tsc, '--lsp', '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child.stdout!.on('data', (bytes: Buffer) => this.#read(bytes))
  }

  /** Starts one for the project in `folder`. */
  static async start(folder: string): Promise<LanguageServer> {
    const server = new LanguageServer()
    const hover = { contentFormat: ['markdown'] }
    await server.#ask('initialize', {
      processId: process.pid,
      rootUri: pathToFileURL(folder).href,
      capabilities: { textDocument: { hover } },
    })
    server.#tell('initialized', {})
    return server
  }

  /** Opens a file, as an editor does. */
  open(file: string): void {
    const text = readFileSync(file, 'utf8')
    const textDocument = { uri: pathToFileURL(file).href, languageId: 'typescript', version: 1, text }
    this.#tell('textDocument/didOpen', { textDocument })
  }

  /** The docstring that it shows at a place of an open file, lines and characters counted from 0; '' if there is none. */
  async docstring(file: string, line: number, character: number): Promise<string> {
    const uri = pathToFileURL(file).href
    const answer = await this.#ask('textDocument/hover', { textDocument: { uri }, position: { line, character } })
    const { contents } = (answer ?? {}) as { contents?: { value?: string } }
    // First comes the signature, in a block of code.
    return (contents?.value ?? '').replace(/^```[^`]*```/, '').trim()
  }

  [Symbol.dispose](): void {
    this.#child.kill()
  }

  async #ask(method: string, params: object): Promise<unknown> {
    const id = ++this.#last
    const answered = new Promise<Message>(resolve => this.#waiting.set(id, resolve))
    this.#write({ id, method, params })
    const { result, error } = await answered
    if (error !== undefined) throw new Error(`${method}: ${error.message}`)
    return result
  }

  #tell(method: string, params: object): void {
    this.#write({ method, params })
  }

  #write(message: object): void {
    const text = JSON.stringify({ jsonrpc: '2.0', ...message })
    this.#child.stdin!.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`)
  }

  #read(bytes: Buffer): void {
    this.#received = Buffer.concat([this.#received, bytes])
    for (;;) {
      const head = this.#received.indexOf('\r\n\r\n')
      if (head < 0) return
      const length = Number(/Content-Length: (\d+)/i.exec(this.#received.toString('latin1', 0, head))?.[1])
      const end = head + 4 + length
      if (this.#received.length < end) return
      this.#take(JSON.parse(this.#received.toString('utf8', head + 4, end)) as Message)
      this.#received = this.#received.subarray(end)
    }
  }

  #take(message: Message): void {
    const { id, method, params } = message
    if (id === undefined) return
    if (method === undefined) {
      this.#waiting.get(id)?.(message)
      this.#waiting.delete(id)
      // It asks for settings, of which there are none.
    } else this.#write({ id, result: params?.items?.map(() => null) ?? null })
  }
}
