// trouble.ts: does what a node must not do, on demand, and answers pings as long as it can.
import { call, message, processNode, text, u32 } from 'corod'

const held: object[] = []

function spin(): never {
  for (;;) held.length = 0
}

function leak(): never {
  for (;;) held.push({ more: Array.from({ length: 100 }, (_, i) => ({ i })) })
}

export default processNode({
  messages: {
    ping: call(1, { n: u32 }, { n: u32, attempts: u32 }),
    spin: message(2, {}),
    leak: message(3, {}),
    exit: message(4, {}),
    throwLater: message(5, {}),
    rejectLater: message(6, {}),
    deaf: message(7, {}),
    say: message(8, { text: text(64) }),
    sayAndSpin: message(9, {}),
    fail: message(10, {}),
    spinFor: message(11, { ms: u32 }),
    askAndSpin: call(12, {}, {}),
    stubborn: message(13, {}),
    careless: message(14, {}),
  },
  counters: { seen: 'events seen' },
  async run(vm, node) {
    for await (const event of node.inbox) {
      node.count('seen')
      const { attempts } = event
      if (event.type !== 'ping') node.log.info({ attempts, what: event.type }, 'trouble')
      switch (event.type) {
        case 'ping':
          event.reply({ n: event.n, attempts })
          break
        case 'spin':
          // The second time it behaves, so that a test comes to an end.
          if (attempts < 2) spin()
          break
        case 'leak':
          if (attempts < 1) leak()
          break
        case 'exit':
          if (attempts < 1) process.exit(3)
          break
        case 'throwLater':
          setTimeout(() => {
            throw Object.assign(new Error('thrown from a timer'), { code: 'E_TIMER', cause: new Error('the cause') })
          }, 1)
          break
        case 'rejectLater':
          setTimeout(() => void Promise.reject(new Error('rejected in a callback')), 1)
          break
        case 'deaf':
          await new Promise(() => setInterval(() => {}, 1000))
          break
        case 'say':
          node.log.warn({ big: 1n, list: [1, { a: 2 }], err: new Error('logged') }, event.text)
          break
        case 'sayAndSpin':
          node.log.info('said before the loop')
          if (attempts < 1) spin()
          break
        case 'spinFor': {
          const until = vm.now() + event.ms
          while (vm.now() < until) held.length = 0
          break
        }
        case 'askAndSpin':
          if (attempts < 1) spin()
          break
        case 'stubborn':
          for (;;) await vm.sleep(5).catch(() => {})
        case 'careless':
          for (;;) await node.inbox.recv()
        case 'fail':
          throw new Error('asked to fail')
      }
    }
    await vm.yield()
  },
})
