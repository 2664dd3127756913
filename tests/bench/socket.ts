// socket.ts: events through the local socket: one POST per event, and one NDJSON stream.
import { Agent, request } from 'node:http'
import { Readable } from 'node:stream'
import { type Finding, type Size, show } from './figures.js'
import { nodesYaml } from './peers.js'
import { median } from './rounds.js'
import { type Service, service } from './service.js'

const path = '/v1/nodes/bench-0/events'
const event = '{"type":"ping","a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7,"h":8}'

function post(running: Service, agent: Agent, type: string, body: string | Readable): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { socketPath: running.socket, method: 'POST', path, agent, headers: { 'content-type': type } },
      answer => {
        let text = ''
        answer.setEncoding('utf8')
        answer.on('data', chunk => (text += chunk))
        answer.on('end', () => (answer.statusCode === 202 ? resolve(text) : reject(new Error(text))))
      },
    )
    asked.on('error', reject)
    if (typeof body === 'string') asked.end(body)
    else body.pipe(asked)
  })
}

function* lines(count: number): Generator<string> {
  const block = `${event}\n`.repeat(100)
  for (let i = 0; i < count; i += 100) yield block
}

/** Each figure is acknowledged events: in the host's backlog when the answer came. */
export async function localSocket(size: Size): Promise<Finding> {
  const one: number[] = []
  const many: number[] = []
  await using running = await service(folder =>
    nodesYaml(folder, 'each.js', 1, ', queue: { backlog: 65536, bytes: 16MiB }'),
  )
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const posts = size.quick ? 1_000 : 10_000
  const stream = size.quick ? 30_000 : 300_000
  for (let i = 0; i < size.rounds; i++) {
    let begin = performance.now()
    for (let sent = 0; sent < posts; sent++) await post(running, agent, 'application/json', event)
    one.push((posts / (performance.now() - begin)) * 1000)
    begin = performance.now()
    const answer = JSON.parse(await post(running, agent, 'application/x-ndjson', Readable.from(lines(stream)))) as {
      accepted: number
    }
    many.push((answer.accepted / (performance.now() - begin)) * 1000)
  }
  agent.destroy()
  return {
    figures: { 'socket.post_per_s': median(one), 'socket.ndjson_per_s': median(many) },
    section: {
      title: 'Events through the local socket',
      method: `One connection of Node's own HTTP client, every event acknowledged: ${posts} POSTs one after the other; ${stream} events as one NDJSON stream, 100 lines a write; ${size.rounds} rounds.`,
      head: ['', 'events/s'],
      rows: [
        ['POST, one event each', show(median(one))],
        ['NDJSON stream', show(median(many))],
      ],
    },
  }
}
