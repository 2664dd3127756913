// check.mjs: runs the models of this folder through spin, exhaustively: each must hold, and each mutant must fail.
//
//   node tests/model/check.mjs [MODEL...]
//
// Exit status 0: all as expected; 1: not; 77: spin or a C compiler is not installed. Each model names its mutants in its
// first comment; a mutant is a -D that takes away one fence, look, bell or order.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))

function run(program, args, cwd) {
  const result = spawnSync(program, args, { cwd, encoding: 'utf8', maxBuffer: 1 << 26 })
  if (result.error) throw result.error
  return result
}

for (const program of ['spin', 'cc'])
  if (spawnSync(program, ['--version']).error) {
    process.stdout.write(`${program} is not installed: apt-get install ${program === 'cc' ? 'gcc' : program}\n`)
    process.exit(77)
  }

/** Explores every state of a model, changed by `mutant` if there is one. */
function explore(model, mutant) {
  const folder = mkdtempSync(join(tmpdir(), 'corod-model-'))
  try {
    const generated = run('spin', [...(mutant ? [`-D${mutant}`] : []), '-a', model], folder)
    if (generated.status !== 0) throw new Error(`spin -a ${model}: ${generated.stdout}${generated.stderr}`)
    // SAFETY: assertions and end states; no cycles are asked for.
    const built = run('cc', ['-O2', '-w', '-DSAFETY', '-o', 'pan', 'pan.c'], folder)
    if (built.status !== 0) throw new Error(`cc pan.c: ${built.stderr}`)
    const { stdout } = run('./pan', ['-m1000000'], folder)
    const errors = Number(/errors: (\d+)/.exec(stdout)?.[1] ?? Number.NaN)
    const states = Number(/(\S+) states, stored/.exec(stdout)?.[1] ?? Number.NaN)
    const why = /pan:1: (.*?)(?: \(at depth \d+\))?\n/.exec(stdout)?.[1]
    const whole = !/Search not completed|max search depth too small/.test(stdout)
    if (Number.isNaN(errors) || Number.isNaN(states)) throw new Error(`pan said:\n${stdout}`)
    return { errors, states, why, whole }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const wanted = process.argv.slice(2)
const models = readdirSync(here)
  .filter(name => name.endsWith('.pml') && (wanted.length === 0 || wanted.includes(basename(name, '.pml'))))
  .sort()
let failed = models.length === 0
for (const name of models) {
  const model = join(here, name)
  const list = /Mutants \(-D\)[^:]*: ([^.]*)\./.exec(readFileSync(model, 'utf8'))?.[1] ?? ''
  const mutants = list.match(/[A-Z_]{3,}/g) ?? []
  if (mutants.length === 0) throw new Error(`${name} names no mutants`)
  for (const mutant of [undefined, ...mutants]) {
    const { errors, states, why, whole } = explore(model, mutant)
    const good = mutant ? errors > 0 : errors === 0 && whole
    failed ||= !good
    const what = mutant ? `without it (${mutant})` : 'as it is'
    const how = errors > 0 ? `fails: ${why}` : whole ? 'holds' : 'was not searched to the end'
    process.stdout.write(`${good ? 'ok ' : 'BAD'} ${basename(name, '.pml')} ${what}: ${how}, ${states} states\n`)
  }
}
process.exitCode = failed ? 1 : 0
