import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { RecordFile, recordingsOf } from '../../daemon/record/file.js'
import { Folder, root } from '../support/folder.js'

const at = Date.UTC(2026, 0, 31, 23, 59, 59, 123)

describe('record: files', () => {
  let folder: Folder
  beforeEach(() => {
    folder = new Folder()
  })
  afterEach(() => folder[Symbol.dispose]())

  const begin = (node = 'uplink', { size = 1000, files = 3, time = at } = {}) =>
    RecordFile.begin(node, { folder: folder.at('a/b'), size, files }, time)

  it('are named after the node and the time, and are their owner’s alone', () => {
    const file = begin()
    assert.equal(file.path, folder.at('a/b/uplink-20260131T235959.123Z.ndjson'))
    assert.equal(statSync(file.path).mode & 0o777, 0o600)
    assert.equal(statSync(folder.at('a/b')).mode & 0o777, 0o700)
    file.close()
  })

  it('have each line at once', () => {
    const file = begin()
    file.write('{"ä":1}\n')
    assert.equal(readFileSync(file.path, 'utf8'), '{"ä":1}\n')
    assert.equal(file.bytes, 9)
    file.write('{}\n')
    assert.equal(readFileSync(file.path, 'utf8'), '{"ä":1}\n{}\n')
    file.close()
    file.close()
    assert.throws(() => file.write('{}\n'), /closed/)
  })

  it('end before the line that would be too much', () => {
    const file = begin('uplink', { size: 10 })
    file.write('12345678\n')
    assert.throws(() => file.write('12\n'), /longer than 10 bytes/)
    assert.throws(() => file.write('\n'), /closed/)
    assert.equal(readFileSync(file.path, 'utf8'), '12345678\n')
  })

  it('are kept up to a number, those of each node for themselves', () => {
    const files = Array.from({ length: 5 }, (_, i) => begin('up', { time: at + 1000 * i }))
    const other = begin('up-20260131T235959.123Z')
    folder.write('a/b/up-notes.ndjson', '')
    begin('up', { files: 1, time: at + 9000 })
    assert.deepEqual(recordingsOf('up', folder.at('a/b')), ['up-20260201T000008.123Z.ndjson'])
    assert.deepEqual(readdirSync(folder.at('a/b')).length, 3)
    for (const file of [...files, other]) file.close()
  })

  it('never replace each other, however short the lives are', () => {
    const files = Array.from({ length: 3 }, () => begin())
    assert.equal(new Set(files.map(file => file.path)).size, 3)
    assert.deepEqual(
      recordingsOf('uplink', folder.at('a/b')),
      files.map(file => file.path.slice(folder.at('a/b/').length)),
    )
    for (const file of files) file.close()
  })

  it('a folder that cannot be: the error of the file system', () => {
    folder.write('a', '')
    assert.throws(() => begin(), { code: 'ENOTDIR' })
  })

  it('a write that fails ends it, with at most one line that is cut', () => {
    mkdirSync(folder.at('f'))
    const script = `
      import { RecordFile } from '${root}/dist/daemon/record/file.js'
      const file = RecordFile.begin('n', { folder: '${folder.at('f')}', size: 1e9, files: 1 })
      let lines = 0
      try { for (;;) { file.write('x'.repeat(999) + '\\n'); lines++ } } catch (error) { console.log(lines, error.code) }
      try { file.write('\\n') } catch (error) { console.log(error.message) }`
    // The largest file that a process may write is as good as a full disk. 16 blocks of 512 bytes, or of 1024.
    const args = ['-c', 'ulimit -f 16; exec "$@"', 'sh', process.execPath, '--input-type=module', '-e', script]
    const { stdout, stderr } = spawnSync('sh', args, { encoding: 'utf8' })
    const [, lines = ''] = /^(\d+) EFBIG\nit is closed\n$/.exec(stdout) ?? assert.fail(`${stdout}${stderr}`)
    const [name = ''] = recordingsOf('n', folder.at('f'))
    const text = readFileSync(folder.at(`f/${name}`), 'utf8')
    assert.equal(text.split('\n').length - 1, Number(lines))
  })
})
