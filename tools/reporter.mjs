// reporter.mjs: mocha's spec reporter, which also leaves the counts where tools/test.mjs finds them.
import { writeFileSync } from 'node:fs'
import mocha from 'mocha'

export default class CountingReporter extends mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options)
    const skipped = []
    runner.on('pending', test => skipped.push(test.fullTitle()))
    runner.once('end', () => {
      const { passes, failures } = runner.stats
      const into = process.env.COROD_TEST_COUNTS
      if (into) writeFileSync(into, JSON.stringify({ passed: passes, failed: failures, skipped }))
    })
  }
}
