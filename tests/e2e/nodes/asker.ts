// asker.ts: sends to and calls other nodes, and says what came of it.
import { processNode, UndeliveredError } from 'corod'
import { asker, counted, store } from './messages.js'

const said = (error: unknown) => {
  const { name, code, reason, status } = error as { name: string; code?: unknown; reason?: string; status?: string }
  return [typeof code === 'string' ? code : name, reason, status].filter(one => one !== undefined).join(' ')
}

export default processNode({
  messages: asker,
  peers: { store, other: asker, sink: counted },
  async run(_vm, node) {
    const { store, other, sink } = node.peers
    let seen = 0
    let full = 0
    const ask = async (what: string, key: string, timeout: number): Promise<string> => {
      switch (what) {
        case 'put':
          return `${await store.send('put', { key, value: 'from a node' })}`
        case 'get': {
          const { value, size, raw } = await store.call('get', { key }, { timeout })
          return `${value} ${size} ${Buffer.from(raw)}`
        }
        case 'slow':
          return `${(await store.call('slow', { ms: Number(key) }, { timeout })).ms}`
        case 'ignore':
        case 'fail':
          await store.call(what, {}, { timeout })
          return 'done'
        case 'aborted':
          await store.call('slow', { ms: 5000 }, { signal: AbortSignal.timeout(timeout) })
          return 'done'
        default:
          await store.call('get', { key: what }, { timeout })
          return 'done'
      }
    }
    const isFull = (error: unknown) => {
      if (!(error instanceof UndeliveredError) || error.status !== 'FULL') throw error
      full++
    }
    for await (const event of node.inbox) {
      switch (event.type) {
        case 'ask':
          try {
            event.reply({ said: await ask(event.what, event.key, event.ms) })
          } catch (error) {
            event.reply({ said: said(error) })
          }
          break
        case 'flood': {
          let refused = 0
          const sends: Promise<unknown>[] = []
          for (let n = event.from; n <= event.to; n++) sends.push(sink.send('number', { n }).catch(() => refused++))
          await Promise.all(sends)
          event.reply({ full: refused })
          break
        }
        case 'ball':
          seen++
          // Two for one: the queues are full soon, in both directions.
          if (event.hops > 0) {
            const hops = event.hops - 1
            await Promise.all([other.send('ball', { hops }).catch(isFull), other.send('ball', { hops }).catch(isFull)])
          }
          break
        case 'balls':
          event.reply({ seen, full })
          break
        case 'circle':
          if (event.depth === 0) event.reply({ said: 'end' })
          else {
            const asked = other.call('circle', { depth: event.depth - 1 }, { timeout: 100 * event.depth })
            event.reply({ said: await asked.then(reply => `(${reply.said})`, said) })
          }
          break
      }
    }
  },
})
