import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { readSource } from '../../daemon/config/source.js'
import { Folder } from '../support/folder.js'

describe('config/source', () => {
  let folder: Folder
  beforeEach(() => {
    folder = new Folder()
  })
  afterEach(() => folder[Symbol.dispose]())

  const bytes = (...all: (number[] | string)[]): string => {
    const path = folder.at('c.yaml')
    writeFileSync(path, Buffer.concat(all.map(part => Buffer.from(part as string))))
    return path
  }

  it('reads UTF-8, with or without a byte order mark', () => {
    assert.equal(readSource(bytes('a: ä🙂\n')), 'a: ä🙂\n')
    assert.equal(readSource(bytes([0xef, 0xbb, 0xbf], 'a: 1\n')), 'a: 1\n')
  })

  it('says where a file stops being UTF-8', () => {
    assert.throws(() => readSource(bytes('a: 1\nä: ', [0xff, 0x41])), { message: /not UTF-8/, line: 2, col: 4 })
    assert.throws(() => readSource(bytes([0xc3])), { message: /not UTF-8/, line: 1, col: 1 })
    assert.throws(() => readSource(bytes('a\n\n', [0x80])), { line: 3, col: 1 })
  })

  it('knows UTF-16 when it sees it', () => {
    for (const mark of [
      [0xff, 0xfe],
      [0xfe, 0xff],
    ])
      assert.throws(() => readSource(bytes(mark, 'a')), /this is UTF-16: save the file as UTF-8/)
  })

  it('says why a file cannot be read and what to do', async () => {
    assert.throws(() => readSource(folder.at('none')), { name: 'SourceError', message: /no such file: name another/ })
    assert.throws(() => readSource(folder.path), /this is a folder/)
    folder.write('file', '')
    assert.throws(() => readSource(folder.at('file/c.yaml')), /not a folder/)
    symlinkSync(folder.at('loop'), folder.at('loop'))
    assert.throws(() => readSource(folder.at('loop')), /too many symbolic links/)
    assert.throws(() => readSource(`/${'x'.repeat(300)}`), /path is too long/)
    const server = createServer().listen(folder.at('s.sock'))
    await new Promise(resolve => server.once('listening', resolve))
    assert.throws(() => readSource(folder.at('s.sock')), /socket or a device/)
    await new Promise(resolve => server.close(resolve))
    mkdirSync(folder.at('d'))
  })

  it('stops reading what is too long or endless', () => {
    assert.throws(() => readSource('/dev/zero'), /longer than 1 MiB/)
    assert.equal(readSource(bytes('x'.repeat(1024 * 1024))).length, 1024 * 1024)
    assert.throws(() => readSource(bytes('x'.repeat(1024 * 1024 + 1))), /longer than 1 MiB/)
  })

  it('reads a pipe to its end', () => {
    const script = `import { readSource } from ${JSON.stringify(new URL('../../daemon/config/source.js', import.meta.url).href)}
      process.stdout.write(readSource('/dev/stdin'))`
    const shell = `{ printf 'a: '; sleep 0.05; printf '1\\n'; } | "$0" --input-type=module -e "$1"`
    assert.equal(execFileSync('sh', ['-c', shell, process.execPath, script], { encoding: 'utf8' }), 'a: 1\n')
  })
})
