// The spin models of docs/ring.md hold, and each of their mutants fails.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const check = fileURLToPath(new URL('../../../tests/model/check.mjs', import.meta.url))

describe('models', () => {
  for (const model of ['doorbell', 'space', 'handover'])
    it(`${model} holds, and fails without each of its parts`, function () {
      this.timeout(300_000)
      const result = spawnSync(process.execPath, [check, model], { encoding: 'utf8' })
      if (result.status === 77) this.skip()
      assert.equal(result.status, 0, result.stdout + result.stderr)
      assert.match(result.stdout, new RegExp(`^ok {2}${model} as it is: holds`, 'm'))
      assert.ok((result.stdout.match(/^ok .* fails: /gm) ?? []).length >= 5)
    })
})
