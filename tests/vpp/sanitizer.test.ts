// sanitizer.test.ts: a VPP built with AddressSanitizer ends at a fault: else the rest of the suite would prove nothing
// in it.
import assert from 'node:assert/strict'
import { needVpp, sanitized, Vpp } from './vpp.js'

describe('vpp: AddressSanitizer', function () {
  this.timeout(120_000)
  before(function () {
    needVpp(this)
    if (sanitized) return
    process.stderr.write('  skipped: this VPP was built without AddressSanitizer (docs/vpp.md)\n')
    this.skip()
  })

  for (const [memory, fault] of [
    ['malloc', 'heap-buffer-overflow'],
    ['vector', 'use-after-poison'],
  ])
    it(`ends VPP when a plugin writes behind what it has by ${memory}`, async () => {
      await using vpp = await Vpp.start()
      await vpp.cli(`corod-test fault ${memory}`).catch(() => {})
      assert.match(await vpp.died(), new RegExp(`AddressSanitizer: ${fault}[\\s\\S]*test_fault`))
    })
})
