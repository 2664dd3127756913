// select: who wins, and what losers keep.
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import type { Sources } from '../../daemon/process/select.js'
import { Unordered } from '../../daemon/process/unordered.js'
import { finish, settle, start } from './port.js'

describe('select', () => {
  it('ties go to the first named, at once and after a wait', async () => {
    const node = start(async (vm, { inbox }) => {
      using due = vm.timer(0)
      node.port.put('event')
      assert.equal((await vm.select({ inbox, due })).source, 'inbox')
      node.port.put('event')
      assert.equal((await vm.select({ due, inbox })).source, 'due')
      assert.equal((await vm.select({ due, inbox })).source, 'inbox')
      // Both become ready while it waits; the host tells of the event first.
      due.set(5)
      const waiting = vm.select({ due, inbox })
      node.port.put('event')
      node.port.time += 5
      node.runtime.ready()
      assert.equal((await waiting).source, 'due')
      assert.equal((await inbox.recv())?.seq, 3n)
    })
    await node.ended.then(result => assert.deepEqual(result, { how: 'returned' }))
  })

  it('a timer named first goes off in the middle of a flood, though the host has not told', async () => {
    const node = start(async (vm, { inbox }) => {
      for (let i = 0; i < 1000; i++) node.port.put('event')
      using due = vm.timer(10)
      let events = 0
      for (;;) {
        const event = await vm.select({ due, inbox })
        if (event.source === 'due') break
        events++
        node.port.time += 0.1
      }
      assert.ok(events >= 99 && events <= 101, `${events}`)
      // It was taken before the host told: there is nothing left to wake for.
      node.runtime.tick()
      assert.equal(node.port.nearest, Number.POSITIVE_INFINITY)
    })
    assert.deepEqual(await node.ended, { how: 'returned' })
  })

  it('takes from the winner only', async () => {
    await finish(async vm => {
      const [tx, rx] = vm.channel<number>()
      const [ty, ry] = vm.channel<number>()
      tx.send(1)
      ty.send(2)
      assert.deepEqual(await vm.select({ rx, ry }), {
        source: 'rx',
        done: false,
        value: 1,
      })
      assert.equal(ry.size, 1)
      assert.deepEqual(await vm.select({ rx, ry }), {
        source: 'ry',
        done: false,
        value: 2,
      })
      const waiting = vm.select({ rx, ry })
      ty.send(3)
      tx.send(4)
      assert.deepEqual(await waiting, { source: 'ry', done: false, value: 3 })
      assert.equal(await rx.recv(), 4)
    })
  })

  it('says done of a source that has ended, also while it waits', async () => {
    await finish(async vm => {
      const [tx, rx] = vm.channel<number>()
      const [, other] = vm.channel<number>()
      const waiting = vm.select({ other, rx })
      tx.close()
      assert.deepEqual(await waiting, {
        source: 'rx',
        done: true,
        value: undefined,
      })
      assert.deepEqual(await vm.select({ rx }), {
        source: 'rx',
        done: true,
        value: undefined,
      })
    })
  })

  it('a value of undefined wins too', async () => {
    await finish(async vm => {
      const results = new Unordered<undefined>([Promise.resolve(undefined)])
      assert.deepEqual(await vm.select({ results }), {
        source: 'results',
        done: false,
        value: undefined,
      })
    })
  })

  it('an Unordered gives its results, throws its rejections, and waits when it is empty', async () => {
    const node = start(async vm => {
      const work = new Unordered<string>()
      using due = vm.timer(5)
      assert.equal((await vm.select({ work, due })).source, 'due')
      work.add(Promise.reject(new Error('bad')))
      await assert.rejects(vm.select({ work }), /bad/)
      work.add(Promise.resolve('good'))
      work.add(Promise.resolve('better'))
      assert.deepEqual(await vm.select({ work, due }), {
        source: 'work',
        done: false,
        value: 'good',
      })
      const rest: string[] = []
      for await (const result of work) rest.push(result)
      assert.deepEqual(rest, ['better'])
      work.add(Promise.reject(new Error('late')))
      await assert.rejects(async () => {
        for await (const _ of work) assert.fail()
      }, /late/)
    })
    await node.pass(10)
    assert.deepEqual(await node.ended, { how: 'returned' })
  })

  it('one wait at a time on a timer and on an Unordered', async () => {
    await finish(async vm => {
      using due = vm.timer()
      const work = new Unordered<number>()
      const first = vm.select({ due })
      const second = vm.select({ work })
      await assert.rejects(vm.select({ due }), { code: 'ERR_RECEIVER_BUSY' })
      await assert.rejects(vm.timeout(1, work), { code: 'ERR_RECEIVER_BUSY' })
      await assert.rejects(work.next(), { code: 'ERR_RECEIVER_BUSY' })
      work.add(Promise.resolve(1))
      due.set(0)
      await first
      await second
    })
  })

  it('refuses promises, and nothing at all, before it takes anything', async () => {
    await finish(async vm => {
      const [tx, rx] = vm.channel<number>()
      tx.send(1)
      const wrong = { rx, promise: Promise.resolve(1) } as unknown as Sources
      await assert.rejects(vm.select(wrong), {
        code: 'ERR_INVALID_ARGUMENT',
        message: /"promise" is not a source.*Unordered/,
      })
      await assert.rejects(vm.select({}), { code: 'ERR_INVALID_ARGUMENT' })
      assert.equal(rx.size, 1)
    })
  })

  it('leaves no trace in its sources: 10,000 selects that a timer wins', async () => {
    await finish(async (vm, { inbox }) => {
      using due = vm.timer()
      for (let i = 0; i < 10_000; i++) {
        const waiting = vm.select({ inbox, due })
        due.set(0)
        assert.equal((await waiting).source, 'due')
      }
      await assert.doesNotReject(vm.timeout(0, inbox).catch(error => assert.equal(error.code, 'ERR_TIMEOUT')))
    })
    await settle()
  })
})
