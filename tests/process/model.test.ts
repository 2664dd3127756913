// Channels, timers and select against models that are simple enough to be seen to be right.
import assert from 'node:assert/strict'
import fc from 'fast-check'
import { describe, it } from 'mocha'
import { channel, type Sender } from '../../daemon/process/channel.js'
import type { Timer } from '../../daemon/process/timer.js'
import { settle, start } from './port.js'

/** What a call gave: its value, or the code of its error. */
async function outcome(work: () => unknown): Promise<unknown> {
  try {
    return await work()
  } catch (error) {
    return (error as { code: unknown }).code
  }
}

describe('a channel, against a list', () => {
  type Ask = 'recv' | 'next' | 'batch'
  type Step =
    | { readonly do: 'send' | 'clone' | 'close'; readonly sender: number }
    | { readonly do: Ask | 'tryRecv' | 'end' }
  const sender = fc.nat({ max: 3 })
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 8, arbitrary: fc.record({ do: fc.constant('send' as const), sender }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('clone' as const, 'close' as const), sender }) },
    { weight: 6, arbitrary: fc.record({ do: fc.constantFrom<Ask | 'tryRecv'>('recv', 'next', 'batch', 'tryRecv') }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('end' as const) }) },
  )

  it('gives what the list gives, whatever is asked and closed in whatever order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async steps => {
        const [first, rx] = channel<number>()
        const senders: Sender<number>[] = [first]
        // The model: what is queued, which senders are open, whether the receiver is, and who waits.
        const queue: number[] = []
        const open = [true]
        let receiving = true
        let waiting: { readonly how: Ask; told: unknown } | undefined
        let sent = 0

        const exhausted = () => !receiving || !open.includes(true)
        const given = (how: Ask): unknown => {
          if (how === 'batch') {
            return queue.length > 0
              ? { value: queue.splice(0), done: false }
              : exhausted()
                ? { value: undefined, done: true }
                : 'waits'
          }
          if (queue.length === 0 && !exhausted()) return 'waits'
          const value = queue.shift()
          return how === 'recv' ? value : { value, done: value === undefined }
        }
        const asks: Record<Ask, () => unknown> = {
          recv: () => rx.recv(),
          next: () => rx[Symbol.asyncIterator]().next(),
          batch: () => rx.batches()[Symbol.asyncIterator]().next(),
        }
        /** After whatever changed: who waits has what the model says, or waits. */
        const answered = async () => {
          if (waiting === undefined) return
          await settle()
          const expected = given(waiting.how)
          assert.deepEqual(waiting.told, expected)
          if (expected !== 'waits') waiting = undefined
        }

        for (const one of steps) {
          if ('sender' in one) {
            const at = one.sender % senders.length
            const closed: boolean = !open[at] || !receiving
            if (one.do === 'send') {
              const value = ++sent
              const told = await outcome(() => senders[at]!.send(value))
              assert.equal(told, closed ? 'ERR_CHANNEL_CLOSED' : undefined)
              if (!closed) queue.push(value)
            } else if (one.do === 'clone') {
              const told = await outcome(() => void senders.push(senders[at]!.clone()))
              assert.equal(told, open[at] ? undefined : 'ERR_CHANNEL_CLOSED')
              if (open[at]) open.push(true)
            } else {
              senders[at]!.close()
              open[at] = false
            }
            assert.equal(senders[at]!.closed, !open[at] || !receiving)
            await answered()
          } else if (one.do === 'end') {
            rx.close()
            receiving = false
            await answered()
          } else if (waiting !== undefined) {
            const ask = one.do === 'tryRecv' ? () => rx.tryRecv() : asks[one.do]
            assert.equal(await outcome(ask), 'ERR_RECEIVER_BUSY')
          } else if (one.do === 'tryRecv') {
            assert.equal(rx.tryRecv(), queue.shift())
          } else {
            const asked = { how: one.do, told: 'waits' as unknown }
            void outcome(asks[one.do]).then(told => {
              asked.told = told
            })
            waiting = asked
            await answered()
          }
          if (waiting === undefined) assert.equal(rx.size, queue.length)
          assert.equal(rx.ended, queue.length === 0 && exhausted())
        }
      }),
      { numRuns: 150 },
    )
  }).timeout(60_000)
})

describe('timers in a select, against a list of times', () => {
  const names = ['a', 'b', 'c'] as const
  type Name = (typeof names)[number]
  type Step =
    | { readonly do: 'set' | 'at'; readonly name: Name; readonly ms: number }
    | { readonly do: 'clear'; readonly name: Name }
    | { readonly do: 'pass'; readonly ms: number }
  const name = fc.constantFrom(...names)
  const ms = fc.oneof(
    fc.integer({ min: -5, max: 40 }),
    fc.double({ min: 0, max: 3, noNaN: true }),
    fc.constant(Number.POSITIVE_INFINITY),
  )
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('set' as const, 'at' as const), name, ms }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('clear' as const), name }) },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.double({ min: 0, max: 30, noNaN: true }) }),
    },
  )

  it('each goes off once for each time it is set, at that time, in the order of the names', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async steps => {
        const fired: [string, number][] = []
        let timers: Record<Name, Timer> | undefined
        const node = start(async vm => {
          timers = { a: vm.timer(), b: vm.timer(), c: vm.timer() }
          for (;;) {
            const { source } = await vm.select(timers)
            fired.push([source, vm.now()])
          }
        })
        await settle()
        // The model: when each is due; those that are not set are never.
        const due: Record<Name, number> = { a: Infinity, b: Infinity, c: Infinity }
        const armed = new Set<Name>()
        const expected: [string, number][] = []
        const fire = (now: number) => {
          for (const one of names) {
            if (due[one] > now) continue
            expected.push([one, now])
            due[one] = Infinity
            armed.delete(one)
          }
        }
        for (const one of steps) {
          if (one.do === 'pass') {
            const end = node.port.time + one.ms
            for (let next = Math.min(...Object.values(due)); next <= end; next = Math.min(...Object.values(due)))
              fire(next)
            await node.pass(one.ms)
          } else if (one.do === 'clear') {
            timers![one.name].clear()
            due[one.name] = Infinity
            armed.delete(one.name)
          } else {
            const { time } = node.port
            const when = one.do === 'set' ? time + Math.max(0, one.ms) : time + one.ms
            if (one.do === 'set') timers![one.name].set(one.ms)
            else timers![one.name].at(when)
            assert.equal(timers![one.name].elapsed, when <= time)
            due[one.name] = when
            armed.add(one.name)
            fire(time)
            await settle()
          }
          assert.deepEqual(fired, expected)
          for (const one of names) assert.equal(timers![one].armed, armed.has(one))
          assert.ok(node.port.nearest <= Math.min(...Object.values(due)), 'the host wakes it in time')
        }
        node.runtime.destroy()
        assert.deepEqual(await node.ended, { how: 'stopped' })
      }),
      { numRuns: 150 },
    )
  }).timeout(60_000)
})

describe('select over channels, against lists', () => {
  const sends = fc.array(fc.nat({ max: 2 }), { maxLength: 8 })

  it('the first named that has something wins; nothing is lost, and each keeps its order', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(sends, { maxLength: 20 }), async rounds => {
        const got: [string, number][] = []
        let senders: Sender<number>[] = []
        const node = start(async vm => {
          const [[ta, a], [tb, b], [tc, c]] = [vm.channel<number>(), vm.channel<number>(), vm.channel<number>()]
          senders = [ta, tb, tc]
          for (;;) {
            const event = await vm.select({ a, b, c })
            if (event.done) return
            got.push([event.source, event.value])
          }
        })
        await settle()
        const expected: [string, number][] = []
        let value = 0
        for (const round of rounds) {
          // It waits: the first that comes is taken at once. The rest is there when it asks again.
          const [first, ...rest] = round.map(to => ({ to, value: ++value }))
          for (const { to, value } of [first, ...rest].filter(one => one !== undefined)) senders[to]!.send(value)
          const inOrder = [first, ...rest.toSorted((x, y) => x.to - y.to || x.value - y.value)]
          for (const one of inOrder) if (one !== undefined) expected.push(['abc'[one.to]!, one.value])
          await settle()
          assert.deepEqual(got, expected)
        }
        node.runtime.destroy()
        assert.deepEqual(await node.ended, { how: 'stopped' })
      }),
      { numRuns: 150 },
    )
  }).timeout(60_000)
})
