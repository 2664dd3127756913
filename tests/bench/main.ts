// main.ts: npm run bench [-- --quick] [--json FILE] [--only WORD]. A full run writes docs/benchmarks.md.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Finding, Size } from './figures.js'
import { idle } from './idle.js'
import { page } from './page.js'
import { root } from './peers.js'
import { spinPicture } from './picture.js'
import { withFigures } from './readme.js'
import { roundtrip } from './roundtrip.js'
import { runtime } from './runtime.js'
import { sleepLateness } from './sleep.js'
import { localSocket } from './socket.js'
import { spin } from './spin.js'
import { stall } from './stall.js'
import { scale, throughput } from './throughput.js'
import { typeChecking } from './types.js'
import { inVpp, type Measure } from './vpp.js'
import { vppCost } from './vpp-cost.js'
import { vppOrigin } from './vpp-origin.js'
import { vppPolled } from './vpp-polled.js'
import { vppBusy, vppRoundtrip } from './vpp-roundtrip.js'
import { vppSpin } from './vpp-spin.js'
import { vppWorker } from './vpp-worker.js'

const measures: Readonly<Record<string, Measure>> = {
  roundtrip,
  spin,
  stall,
  throughput,
  scale,
  idle,
  sleep: sleepLateness,
  socket: localSocket,
  runtime,
  types: typeChecking,
  'vpp-roundtrip': inVpp(vppRoundtrip),
  'vpp-busy': inVpp(vppBusy),
  'vpp-polled': inVpp(vppPolled),
  'vpp-cost': inVpp(vppCost),
  'vpp-worker': inVpp(vppWorker),
  'vpp-spin': inVpp(vppSpin),
  'vpp-origin': inVpp(vppOrigin),
}

function buildPeers(): void {
  const build = join(root, 'build', 'bench')
  for (const args of [
    ['-S', join(root, 'tests', 'bench'), '-B', build, '-DCMAKE_BUILD_TYPE=Release'],
    ['--build', build],
  ]) {
    const made = spawnSync('cmake', args, { encoding: 'utf8' })
    if (made.status !== 0) throw new Error(`cmake ${args.join(' ')}\n${made.stdout}${made.stderr}`)
  }
}

const { values } = parseArgs({
  options: { quick: { type: 'boolean', default: false }, json: { type: 'string' }, only: { type: 'string' } },
})
const size: Size = { quick: values.quick, rounds: values.quick ? 3 : 5 }
buildPeers()
const findings: Finding[] = []
const figures: Record<string, number> = {}
for (const [name, measure] of Object.entries(measures)) {
  if (values.only !== undefined && !name.includes(values.only)) continue
  process.stdout.write(`${name} …\n`)
  const finding = await measure(size, figures)
  if (finding === undefined) continue
  findings.push(finding)
  Object.assign(figures, finding.figures)
  for (const [figure, value] of Object.entries(finding.figures))
    process.stdout.write(`  ${figure} ${Number(value.toPrecision(4))}\n`)
  if (finding.section.verdict) process.stdout.write(`  ${finding.section.verdict}\n`)
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(figures, null, 2)}\n`)
if (!values.quick && values.only === undefined) {
  writeFileSync(join(root, 'docs', 'benchmarks.md'), page(findings, size))
  const { 'vpp.spin_sent_packets': sent, 'vpp.spin_loss_packets': ours, 'vpp.spin_loss_c_packets': native } = figures
  if (sent !== undefined && ours !== undefined && native !== undefined)
    writeFileSync(join(root, 'docs', 'spin.svg'), spinPicture(sent, ours, native))
  const readme = join(root, 'README.md')
  writeFileSync(readme, withFigures(readFileSync(readme, 'utf8'), figures))
  process.stdout.write('docs/benchmarks.md and the figures of README.md are written\n')
}
