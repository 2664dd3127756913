// The figures of the README are those of docs/benchmarks.md: npm run bench writes both.
import assert from 'node:assert/strict'
import { withFigures } from '../bench/readme.js'
import { Page } from './page.js'

const readme = new Page('README.md').text

describe('docs: figures of the README', () => {
  it('are those of docs/benchmarks.md', () => {
    const raw = new Page('docs/benchmarks.md').text.split('## Figures by name')[1] ?? ''
    const figures = Object.fromEntries(
      [...raw.matchAll(/^\| `([^`]+)` \| (\S+) \|$/gm)].map(([, name, value]) => [name!, Number(value)]),
    )
    assert.ok(Object.keys(figures).length > 20)
    assert.equal(withFigures(readme, figures), readme)
  })

  it('a row whose figure was not measured is left out', () => {
    const written = withFigures(readme, { 'idle.cpu_percent': 0.25, 'idle.rss_mb': 81.27 })
    assert.deepEqual(
      [...written.matchAll(/^\| .*\|$/gm)].map(match => match[0]).filter(row => /core|late|lost/.test(row)),
      ['| the daemon with 1,000 idle nodes | 0.25 % of a core | 81.3 MiB |'],
    )
  })

  it('a README without the place is told so', () => {
    assert.throws(() => withFigures('# nothing', {}), /lacks the lines/)
  })
})
