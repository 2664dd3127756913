// vpp-spin.ts: packets that a VPP loses while a coroutine of ours computes, and while a process node in C does.
//
// Another VPP sends at a fixed rate through this one over memif and counts what comes back (as tests/vpp/spin.test.ts).
import { Folder } from '../support/folder.js'
import { waitFor } from '../support/wait.js'
import { Daemon } from '../vpp/daemon.js'
import { Vpp, vppHas } from '../vpp/vpp.js'
import { type Finding, judge, type Size, show } from './figures.js'
import { median } from './rounds.js'

const spinMs = 5000
const seconds = 6
const rate = 5000
const sent = rate * seconds

/** Two VPPs, back to back. */
class Line implements AsyncDisposable {
  readonly #folder = new Folder()
  readonly #vpps: Vpp[] = []

  get vpp(): Vpp {
    return this.#vpps[0]!
  }

  get #source(): Vpp {
    return this.#vpps[1]!
  }

  async connect(): Promise<this> {
    for (let i = 0; i < 2; i++) this.#vpps.push(await Vpp.start({ plugins: ['memif'] }))
    const socket = `create memif socket id 1 filename ${this.#folder.at('memif.sock')}`
    const memif = (role: string) => [
      socket,
      ...[0, 1].map(id => `create interface memif id ${id} socket-id 1 ring-size 4096 ${role}`),
      ...[0, 1].map(id => `set interface state memif1/${id} up`),
    ]
    await this.vpp.script([
      ...memif('master'),
      'set interface ip address memif1/0 10.1.0.1/24',
      'set interface ip address memif1/1 10.2.0.1/24',
      'set ip neighbor memif1/1 10.2.0.2 02:00:00:00:00:99',
    ])
    await this.#source.script([
      ...memif('slave no-zero-copy'),
      'create packet-generator interface pg0',
      'set interface state pg0 up',
    ])
    await waitFor('memif', async () => /connected/.test(await this.#source.cli('show memif memif1/1')))
    for (const vpp of this.#vpps) await vpp.script([0, 1].map(id => `set interface rx-mode memif1/${id} interrupt`))
    return this
  }

  async #returned(): Promise<number> {
    return Number(/rx packets +(\d+)/.exec(await this.#source.cli('show interface memif1/1'))?.[1] ?? 0)
  }

  /** Sends `sent` packets and starts `meanwhile`; gives how many did not come back. */
  async lossDuring(meanwhile: () => Promise<unknown>): Promise<number> {
    const source = this.#source
    const before = await this.#returned()
    const mac = /Ethernet address ([0-9a-f:]+)/.exec(await this.vpp.cli('show hardware-interfaces memif1/0'))?.[1]
    const packet = `IP4: 02:00:00:00:00:01 -> ${mac} UDP: 10.1.0.2 -> 10.2.0.2 UDP: 1 -> 2 incrementing 20`
    await source.script([
      `packet-generator new { name s limit ${sent} rate ${rate} size 64-64 interface pg0 node memif1/0-output tx-interface memif1/0 data { ${packet} } }`,
      'packet-generator enable-stream s',
    ])
    await meanwhile()
    const generated = async () => Number(/^s +\w+ +(\d+)/m.exec(await source.cli('show packet-generator'))?.[1] ?? 0)
    await waitFor('the stream to end', async () => (await generated()) === sent, { ms: 60_000, every: 200 })
    let received = -1
    const settled = async () => {
      const last = received
      received = (await this.#returned()) - before
      return received === last || received === sent
    }
    await waitFor('the last packet', settled, { ms: 30_000, every: 500 })
    await source.cli('packet-generator delete s')
    return sent - received
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const vpp of this.#vpps.reverse()) await vpp[Symbol.asyncDispose]()
    this.#folder[Symbol.dispose]()
  }
}

/** Both spin for 5 s on end while 6 s of packets flow. */
export async function vppSpin(size: Size): Promise<Finding | undefined> {
  if (!vppHas('memif')) {
    process.stdout.write('  skipped: this VPP has no memif plugin\n')
    return undefined
  }
  const rounds = size.quick ? 1 : 3
  const ours: number[] = []
  const native: number[] = []
  await using line = new Line()
  await line.connect()
  for (let round = 0; round < rounds; round++) {
    // A daemon for each round: five seconds of silence, its own or VPP's, make it call the host stalled.
    await using daemon = new Daemon(line.vpp.socket, { spin: { module: 'spin.js' } }, { log: { level: 'error' } })
    await daemon.running()
    ours.push(await line.lossDuring(() => daemon.send('spin', 'spin', { ms: spinMs })))
    await waitFor('the coroutine', () => daemon.lines('spin').length === 1)
    native.push(await line.lossDuring(() => line.vpp.cli(`corod-test spin ${spinMs}`)))
  }
  const lost = median(ours)
  return {
    figures: {
      'vpp.spin_loss_packets': lost,
      'vpp.spin_loss_c_packets': median(native),
      'vpp.spin_sent_packets': sent,
    },
    section: {
      title: 'VPP: a node that computes for 5 s',
      method: `${show(sent)} packets at ${show(rate)} a second from another VPP through this one over memif and back, while one node computes for ${spinMs / 1000} s without giving way; ${rounds} rounds of each, medians. Neither VPP has workers: whoever holds up main holds up the packets.`,
      head: ['what computes', 'packets lost', `of ${show(sent)}`],
      rows: [
        ['a coroutine', show(lost), `${show((lost / sent) * 100)} %`],
        ['a process node in C', show(median(native)), `${show((median(native) / sent) * 100)} %`],
      ],
      verdict: judge('packets lost', Math.max(...ours), 0, '', 'low'),
    },
  }
}
