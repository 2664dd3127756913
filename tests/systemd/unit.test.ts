import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { describe, it } from 'mocha'
import { exits } from '../../daemon/cli/exits.js'
import { loadConfig } from '../../daemon/config/load.js'
import { Folder, root } from '../support/folder.js'

const unit = readFileSync(`${root}/systemd/corod.service`, 'utf8')
const settings = (name: string) => [...unit.matchAll(new RegExp(`^${name}=(.*)$`, 'gm'))].map(match => match[1] ?? '')

/** What systemd says about the unit with `change` applied; undefined: systemd-analyze is not installed. */
function verify(change: (text: string) => string): { status: number | null; stderr: string } | undefined {
  using folder = new Folder()
  // The program is not installed where tests run: the one of the repository stands in for it.
  const text = change(unit.replaceAll('/usr/bin/corod ', `${root}/bin/corod `))
  const file = folder.write('corod.service', text)
  // Other units of this machine, and what is wrong with them, do not matter; neither do manual pages.
  const result = spawnSync('systemd-analyze', ['verify', '--man=no', '--recursive-errors=no', file], {
    encoding: 'utf8',
    env: { ...process.env, SYSTEMD_LOG_COLOR: '0' },
  })
  if (result.error !== undefined) return undefined
  return { status: result.status, stderr: result.stderr }
}

describe('systemd/corod.service', () => {
  it('is accepted by systemd-analyze verify without a word', function () {
    const found = verify(text => text)
    if (found === undefined) {
      process.stderr.write('SKIPPED: systemd-analyze is not installed: the unit was not verified\n')
      this.skip()
    }
    assert.deepEqual(found, { status: 0, stderr: '' })
  })

  it('would not be, with a key that systemd does not know', function () {
    const found = verify(text => text.replace('[Service]', '[Service]\nRestartPatience=1'))
    if (found === undefined) this.skip()
    assert.match(found.stderr, /RestartPatience/)
  })

  it('runs commands that exist, as the command line takes them', () => {
    const commands = [...settings('ExecStart'), ...settings('ExecReload')].filter(line =>
      line.startsWith('/usr/bin/corod'),
    )
    assert.equal(commands.length, 2)
    for (const command of commands) {
      const [, verb = '', option = ''] = command.split(' ')
      const help = spawnSync(process.execPath, [`${root}/bin/corod`, verb, '--help'], { encoding: 'utf8' })
      assert.equal(help.status, 0)
      assert.match(help.stdout, new RegExp(`${option}, --config`))
    }
  })

  it('has the state folder of the configuration, for the daemon alone', () => {
    using folder = new Folder()
    const { state } = loadConfig(folder.write('c.yaml', 'nodes: {}'))
    assert.deepEqual(
      [settings('StateDirectory'), settings('StateDirectoryMode')],
      [[state.slice('/var/lib/'.length)], ['0700']],
    )
  })

  it('does not restart after what a restart cannot cure', () => {
    assert.deepEqual(settings('RestartPreventExitStatus'), [`${exits.usage.code} ${exits.config.code}`])
  })

  it('waits for the notice of the main process, and outlives VPP', () => {
    assert.deepEqual([settings('Type'), settings('NotifyAccess')], [['notify'], ['main']])
    assert.deepEqual([settings('Wants'), settings('BindsTo'), settings('Requires')], [['vpp.service'], [], []])
  })
})
