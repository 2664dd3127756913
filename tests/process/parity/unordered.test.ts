// FuturesUnordered.
import assert from 'node:assert/strict'
import { describe, it } from 'mocha'
import { Unordered } from '../../../daemon/process/unordered.js'
import { finish, settle, start } from '../port.js'

describe('parity: FuturesUnordered', () => {
  it('gives results in the order in which they are ready, rejections included', async () => {
    const node = start(async vm => {
      const work = new Unordered<string>()
      const later = async (ms: number, text: string) => {
        await vm.sleep(ms)
        if (text === 'bad') throw new Error(text)
        return text
      }
      work.add(later(30, 'slow'))
      work.add(later(20, 'bad'))
      work.add(later(10, 'fast'))
      assert.equal(work.size, 3)
      assert.equal(await work.next(), 'fast')
      await assert.rejects(work.next(), /bad/)
      assert.equal(await work.next(), 'slow')
      assert.equal(await work.next(), undefined)
      assert.equal(work.size, 0)
    })
    await node.pass(50)
    assert.deepEqual(await node.ended, { how: 'returned' })
  })

  it('results wait until they are asked for; rejections that wait are nobody’s unhandled ones', async () => {
    await finish(async vm => {
      const work = new Unordered<number>()
      work.add(Promise.reject(new Error('first')))
      work.add(Promise.resolve(2))
      // Were the rejection unhandled, mocha would end here.
      for (let i = 0; i < 3; i++) await settle()
      assert.equal(work.size, 2)
      await assert.rejects(vm.select({ work }), /first/)
      assert.equal((await vm.select({ work })).value, 2)
      assert.equal(work.size, 0)
    })
  })

  it('takes more at any time, also after it was empty', async () => {
    const work = new Unordered<number>()
    assert.equal(await work.next(), undefined)
    for (let round = 0; round < 3; round++) {
      work.add(Promise.resolve(round))
      assert.equal(await work.next(), round)
      assert.equal(await work.next(), undefined)
    }
  })

  it('the result goes to who waited, not to who asks in between', async () => {
    const work = new Unordered<string>([Promise.resolve('first')])
    const next = work.next()
    await assert.rejects(work.next(), { code: 'ERR_RECEIVER_BUSY' })
    work.add(Promise.resolve('second'))
    await settle()
    assert.equal(await work.next(), 'second')
    assert.equal(await next, 'first')
  })

  it('a result may be undefined, and for await does not end there', async () => {
    const work = new Unordered<number | undefined>([Promise.resolve(undefined), Promise.resolve(1)])
    const got: unknown[] = []
    for await (const result of work) got.push(result)
    assert.deepEqual(got, [undefined, 1])
  })

  it('one that was added while somebody waits may come first', async () => {
    const work = new Unordered<string>()
    let finishSlow: (text: string) => void = () => {}
    work.add(
      new Promise(resolve => {
        finishSlow = resolve
      }),
    )
    const next = work.next()
    work.add(Promise.resolve('fast'))
    assert.equal(await next, 'fast')
    finishSlow('slow')
    assert.equal(await work.next(), 'slow')
  })
})
