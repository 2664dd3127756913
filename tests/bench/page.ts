// page.ts: docs/benchmarks.md, written by the run that measured it. No figure on it is typed by hand.
import { cpus, release, totalmem } from 'node:os'
import type { Finding, Section, Size } from './figures.js'

function table(section: Section): string {
  const rows = [section.head, section.head.map(() => '---'), ...section.rows]
  return rows.map(row => `| ${row.join(' | ')} |`).join('\n')
}

function machine(): string {
  const model = cpus()[0]?.model.trim() || 'unknown CPU'
  const memory = Math.round(totalmem() / 2 ** 30)
  return `${cpus().length} × ${model}, ${memory} GiB, Linux ${release()}, Node ${process.versions.node}`
}

/** The page. */
export function page(findings: readonly Finding[], size: Size): string {
  const sections = findings.map(({ section }) =>
    [`## ${section.title}`, section.method, table(section), section.verdict ?? ''].filter(Boolean).join('\n\n'),
  )
  const figures = Object.entries(
    Object.assign({}, ...findings.map(finding => finding.figures)) as Record<string, number>,
  )
  const raw = figures.map(([name, value]) => `| \`${name}\` | ${Number(value.toPrecision(6))} |`).join('\n')
  return `# Benchmarks

Written by \`npm run bench\` on ${new Date().toISOString().slice(0, 10)}: ${machine()}. ${size.rounds} rounds; floor and candidate alternate within
one run, a ratio is the median of the ratios of the rounds. Figures of one machine: compare ratios, not microseconds.

${sections.join('\n\n')}

## Figures by name

As \`npm run bench -- --json FILE\` writes them.

| name | value |
| --- | --- |
${raw}
`
}
