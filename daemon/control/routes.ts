// routes.ts: the resources of the control socket, in one table.
import type { IncomingMessage } from 'node:http'
import { type Answer, ok } from './answer.js'
import { askNode, waitOf } from './ask.js'
import { noSuchNode, type Surroundings, takeEvents } from './events.js'
import { listLetters, settleLetters } from './letters.js'
import { Problem } from './problems.js'
import { recordNode, unrecordNode } from './record.js'
import { reloadNow } from './reload.js'

interface Route {
  readonly path: RegExp
  readonly methods: Readonly<
    Record<string, (around: Surroundings, req: IncomingMessage, ...parts: string[]) => Answer | Promise<Answer>>
  >
}

const routes: readonly Route[] = [
  { path: /^\/v1\/status$/, methods: { GET: around => ok(around.plane.status()) } },
  { path: /^\/v1\/reload$/, methods: { POST: around => reloadNow(around) } },
  { path: /^\/v1\/nodes$/, methods: { GET: around => ok(around.plane.nodes()) } },
  {
    path: /^\/v1\/nodes\/([^/]+)$/,
    methods: {
      GET: (around, _req, name = '') => {
        const report = around.plane.nodes().find(node => node.name === name)
        if (report === undefined) throw noSuchNode(around.plane, name)
        return ok(report)
      },
    },
  },
  {
    path: /^\/v1\/nodes\/([^/]+)\/schema$/,
    methods: {
      GET: (around, _req, name = '') => {
        const table = around.plane.table(name)
        if (table === undefined) throw noSuchNode(around.plane, name)
        return ok(table.jsonSchema())
      },
    },
  },
  {
    path: /^\/v1\/nodes\/([^/]+)\/events$/,
    methods: {
      POST: (around, req, name = '') => {
        const wait = waitOf(req)
        return wait === undefined ? takeEvents(around, name, req) : askNode(around, name, wait, req)
      },
    },
  },
  {
    path: /^\/v1\/nodes\/([^/]+)\/dead-letters$/,
    methods: {
      GET: (around, req, name = '') => listLetters(around, name, req),
      POST: (around, req, name = '') => settleLetters(around, name, req),
    },
  },
  {
    path: /^\/v1\/nodes\/([^/]+)\/recording$/,
    methods: {
      PUT: (around, req, name = '') => recordNode(around, name, req),
      DELETE: (around, _req, name = '') => unrecordNode(around, name),
    },
  },
]

/** Where the resources are, for people. */
export const resources: readonly string[] = [
  '/v1/status',
  '/v1/nodes',
  '/v1/nodes/{node}/events',
  '/v1/nodes/{node}/schema',
  '/v1/nodes/{node}/dead-letters',
  '/v1/nodes/{node}/recording',
  '/v1/reload',
]

/** 405 also says what would be allowed. */
export class MethodProblem extends Problem {
  readonly allow: string

  constructor(method: string, path: string, allow: readonly string[]) {
    super('METHOD_NOT_ALLOWED', `${path} takes ${allow.join(', ')}, not ${method}`)
    this.allow = allow.join(', ')
  }
}

/** Finds and runs the handler. Throws Problem. HEAD is GET without the body, which node:http leaves out by itself. */
export function route(around: Surroundings, req: IncomingMessage): Answer | Promise<Answer> {
  const path = (req.url ?? '').split('?', 1)[0] ?? ''
  const method = req.method === 'HEAD' ? 'GET' : (req.method ?? '')
  for (const { path: pattern, methods } of routes) {
    const match = pattern.exec(path)
    if (match === null) continue
    const handler = Object.hasOwn(methods, method) ? methods[method] : undefined
    if (handler === undefined) {
      const allow = Object.keys(methods).flatMap(name => (name === 'GET' ? ['GET', 'HEAD'] : [name]))
      throw new MethodProblem(req.method ?? '', path, allow)
    }
    return handler(around, req, ...match.slice(1).map(decode))
  }
  throw new Problem('PATH_UNKNOWN', `there is no ${path}; see ${resources.join(', ')}`)
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new Problem('REQUEST_MALFORMED', `"${part}" is not percent-encoded UTF-8`)
  }
}
