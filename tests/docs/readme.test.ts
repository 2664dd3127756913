// README.md: the first node as somebody new would try it: the files of the page, and its commands one after the other.
import assert from 'node:assert/strict'
import { Folder, root } from '../support/folder.js'
import { Program } from '../support/program.js'
import { Page } from './page.js'

const page = new Page('README.md')

/** A command line of the page, for a folder elsewhere: `../` is the clone. */
function start(line: string, folder: Folder): Program {
  return new Program('sh', ['-c', `exec ${line.replaceAll('../', `${root}/`)}`], { cwd: folder.path })
}

describe('README.md', () => {
  const blocks = page.blocks.filter(({ heading }) => heading === 'A first node')
  const text = (language: string) => blocks.find(block => block.language === language)?.text ?? assert.fail(language)
  const [dev, send, nodes, check] = blocks
    .filter(({ language }) => language === 'sh')
    .flatMap(block => block.text.trim().split('\n'))

  /** The folder of the page, with `corod dev` in it. */
  async function developing(folder: Folder): Promise<Program> {
    folder.write('hello.ts', text('ts'))
    folder.write('corod.yaml', text('yaml'))
    const program = start(dev!, folder)
    await program.says(/runs 1 node/)
    await program.says(/attached/)
    return program
  }

  it('its first node runs with the commands of the page', async () => {
    using folder = new Folder()
    await using running = await developing(folder)
    await using sending = start(send!, folder)
    assert.equal((await sending.exit).code, 0, sending.output)
    await running.says(/hello Ada/)
    await using listing = start(nodes!, folder)
    await listing.exit
    assert.match(listing.stdout, /^hello +running/m)
    await using checking = start(check!, folder)
    assert.equal((await checking.exit).code, 0, checking.output)
    folder.write('hello.ts', text('ts').replace('`hello', '`good day'))
    await running.says(/reloaded/)
    await using again = start(send!, folder)
    await again.exit
    await running.says(/good day Ada/)
    assert.equal((await running.kill('SIGINT')).code, 0)
  })

  it('what is wrong is told in the words of the page', async () => {
    using folder = new Folder()
    await using running = await developing(folder)
    await using sending = start(send!.replace('Ada', 'x'.repeat(40)), folder)
    await sending.exit
    const said = /`(\/name: [^`]*)`/.exec(page.text)?.[1] ?? assert.fail('the page shows no such message')
    assert.ok(sending.stderr.includes(said), sending.stderr)
    await running.kill('SIGINT')
  })
})
