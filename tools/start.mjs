// start.mjs: npm start. The main job without VPP: prepares, starts the standalone host and the daemon with
// docs/examples/demo.yaml, and shows what they do until Ctrl-C or --for DURATION. Exits 0 when it ended as asked.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { orExplain, prepare, root } from './prepare.mjs'

const started = []
const stop = new AbortController()

function say(what, text) {
  for (const line of String(text).trimEnd().split('\n')) process.stdout.write(`${what.padEnd(11)}│ ${line}\n`)
}

/** `10s`, `500ms`, `2m` as milliseconds. */
function duration(text) {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text)
  if (!match) {
    process.stderr.write(`npm start: --for ${text}: not a duration; write 10s, 500ms or 2m\n`)
    process.exit(2)
  }
  return Number(match[1]) * { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }[match[2]]
}

function start(label, program, args) {
  const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on('line', line => say(label, line))
  child.once('exit', (code, signal) => {
    if (!stop.signal.aborted) {
      say(label, `ended too early (${signal ?? `status ${code}`})`)
      process.exitCode = 1
      stop.abort()
    }
  })
  started.push(child)
  return child
}

async function end(child) {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise(resolve => child.once('exit', resolve))
  child.kill('SIGTERM')
  const insist = setTimeout(() => child.kill('SIGKILL'), 5000)
  await gone
  clearTimeout(insist)
}

async function until(holds, what) {
  const limit = performance.now() + 20_000
  while (!stop.signal.aborted && !holds()) {
    if (performance.now() > limit) throw new Error(`waited 20 s for ${what}`)
    await sleep(50)
  }
}

/** Whether this user may make a user and network namespace with a link of its own, and the kind of link. */
function linkKind() {
  const has = program => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0
  if (!has('ip') || !has('unshare') || !has('nsenter')) return { missing: 'apt-get install iproute2 util-linux' }
  for (const kind of ['dummy', 'veth'])
    if (spawnSync('unshare', ['-Urn', 'ip', 'link', 'add', 'demo0', 'type', kind]).status === 0) return { kind }
  if (spawnSync('unshare', ['-Urn', 'ip', 'link', 'set', 'lo', 'up']).status === 0) return { kind: 'lo' }
  return { missing: 'user and network namespaces are forbidden here' }
}

const setUp = {
  dummy: 'ip link add demo0 type dummy',
  veth: 'ip link add demo0 type veth peer name demo1 && ip link set demo1 up',
  lo: 'true',
}

function startHost(dir, link) {
  const args = ['--socket', join(dir, 'host.sock'), '--cli', join(dir, 'cli.sock'), '--pcap', join(dir, 'packets.pcap')]
  const program = join(root, 'build', 'release', 'corod-standalone')
  if (!link.kind) return start('host', program, args)
  const script = `${setUp[link.kind]} && exec "$0" "$@"`
  return start('host', 'unshare', ['-Urn', 'sh', '-c', script, program, ...args])
}

/** Takes the demo's link down and up again, inside the host's namespace. */
function flip(host, link, up) {
  const device = link.kind === 'lo' ? 'lo' : 'demo0'
  const args = [
    '-t',
    String(host.pid),
    '-U',
    '-n',
    '--preserve-credentials',
    'ip',
    'link',
    'set',
    device,
    up ? 'up' : 'down',
  ]
  const result = spawnSync('nsenter', args, { encoding: 'utf8' })
  say('kernel', result.status === 0 ? `ip link set ${device} ${up ? 'up' : 'down'}` : result.stderr)
}

/** Runs a command as the user would and shows it with what it printed. */
function show(label, program, args, shown) {
  say(label, `$ ${shown}`)
  const result = spawnSync(program, args, { cwd: root, encoding: 'utf8' })
  say(label, result.stdout + result.stderr)
}

async function demo(limit) {
  const dir = mkdtempSync(join(tmpdir(), 'corod-demo-'))
  const control = join(dir, 'corod.sock')
  const corod = (...args) =>
    show(
      'you',
      process.execPath,
      ['bin/corod', '--socket', control, ...args],
      `npx corod --socket ${control} ${args.map(a => (/[{ ]/.test(a) ? `'${a}'` : a)).join(' ')}`,
    )
  const cli = text =>
    show('host CLI', join(root, 'build/release/corod-standalone'), ['--cli', join(dir, 'cli.sock'), text], text)
  const wait = ms => sleep(ms, undefined, { signal: stop.signal }).catch(() => {})
  try {
    const link = linkKind()
    if (!link.kind) say('kernel', `no interface transitions in this demonstration: ${link.missing}`)
    const host = startHost(dir, link)
    await until(() => existsSync(join(dir, 'host.sock')), 'the standalone host')
    const config = join(root, 'docs', 'examples', 'demo.yaml')
    start('daemon', process.execPath, [
      'bin/corod',
      'run',
      '-c',
      config,
      '--host-socket',
      join(dir, 'host.sock'),
      '--socket',
      control,
      '--state',
      join(dir, 'state'),
    ])
    await until(() => existsSync(control), 'the daemon')
    await wait(500)
    const end = limit === undefined ? Number.POSITIVE_INFINITY : performance.now() + limit
    if (!stop.signal.aborted) corod('nodes')
    if (!stop.signal.aborted) corod('send', 'beacon', 'enable', '{"dest":"192.0.2.1"}')
    for (let turn = 0; !stop.signal.aborted && performance.now() < end; turn++) {
      await wait(Math.min(1000, Math.max(0, end - performance.now())))
      if (stop.signal.aborted || performance.now() >= end) break
      if (link.kind) flip(host, link, turn % 2 === 0)
      if (turn % 5 === 1) {
        await wait(300)
        cli('show errors')
        const { size } = statSync(join(dir, 'packets.pcap'))
        say('packets', `${size} bytes in ${join(dir, 'packets.pcap')}; look: tshark -r ${join(dir, 'packets.pcap')}`)
      }
      if (turn % 10 === 4) corod('nodes')
    }
  } finally {
    stop.abort()
    for (const child of started.reverse()) await end(child)
    rmSync(dir, { recursive: true, force: true })
  }
}

/** The options, or what is wrong with them and status 2. */
function options() {
  try {
    return parseArgs({ options: { for: { type: 'string' }, help: { type: 'boolean' } } }).values
  } catch (error) {
    process.stderr.write(`npm start: ${error.message}; try npm start -- --help\n`)
    process.exit(2)
  }
}

const values = options()
if (values.help) {
  process.stdout.write('npm start [-- --for DURATION]   e.g. 10s; without it the demonstration runs until Ctrl-C\n')
  process.exit(0)
}
const limit = values.for === undefined ? undefined : duration(values.for)
orExplain(() => prepare())
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stop.abort())
await demo(limit).catch(error => {
  process.stderr.write(`npm start: ${error.message}\n`)
  process.exitCode = 1
})
if (!process.exitCode) say('corod', 'stopped cleanly')
