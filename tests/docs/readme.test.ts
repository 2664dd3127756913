// README.md: the first node as somebody new would try it: the files of the page, and its commands one after the other.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { ControlClient } from '../../daemon/control/client.js'
import { Folder, root } from '../support/folder.js'
import { Program } from '../support/program.js'
import { waitFor } from '../support/wait.js'
import { Page } from './page.js'

const page = new Page('README.md')

/** A command line of the page, for a folder elsewhere: `../` is the clone. */
function start(line: string, folder: Folder): Program {
  const command = line.replace(/\s+#.*$/, '').replace(/\s*&$/, '')
  return new Program('sh', ['-c', `exec ${command.replaceAll('../', `${root}/`)}`], { cwd: folder.path })
}

describe('README.md', () => {
  it('its first node runs with the commands of the page', async () => {
    using folder = new Folder()
    const blocks = page.blocks.filter(({ heading }) => heading === 'A first node')
    const text = (language: string) => blocks.find(block => block.language === language)?.text ?? assert.fail(language)
    folder.write('hello.ts', text('ts'))
    folder.write('corod.yaml', text('yaml'))
    const [host, check, run, send, nodes, errors] = text('sh').trim().split('\n')

    await using hosting = start(host!, folder)
    await hosting.says(/ready/)
    await using checking = start(check!, folder)
    assert.equal((await checking.exit).code, 0, checking.output)
    await using running = start(run!, folder)
    const client = new ControlClient(folder.at('control.sock'))
    await waitFor('the node to run', async () => {
      if (!existsSync(folder.at('control.sock'))) return false
      return (await client.node('hello').catch(() => undefined))?.state === 'running'
    })
    await using sending = start(send!, folder)
    assert.equal((await sending.exit).code, 0, sending.output)
    await running.says(/hello Ada/)
    await using listing = start(nodes!, folder)
    await listing.exit
    assert.match(listing.stdout, /^hello +running/m)
    const counted = async () => {
      await using counting = start(errors!, folder)
      await counting.exit
      return /1 hello +people greeted/.test(counting.stdout)
    }
    await waitFor('the counter', counted)
    assert.deepEqual(await running.kill(), { code: 0, signal: null })
  })

  it('what is wrong is told in the words of the page', async () => {
    using folder = new Folder()
    const long = `'{"name": "${'x'.repeat(40)}"}'`
    folder.write('hello.ts', page.blocks.find(block => block.text.startsWith('// hello.ts'))!.text)
    folder.write('corod.yaml', page.blocks.find(block => block.text.startsWith('# corod.yaml'))!.text)
    await using _host = start('../build/release/corod-standalone --socket host.sock --cli cli.sock', folder)
    await using running = start('../bin/corod run', folder)
    await running.says(/attached/)
    await using sending = start(`../bin/corod send hello greet ${long}`, folder)
    await sending.exit
    const said = /`(\/name: [^`]*)`/.exec(page.text)?.[1] ?? assert.fail('the page shows no such message')
    assert.ok(sending.stderr.includes(said), sending.stderr)
  })
})
