import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { appendFileSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import type { DeadLetter } from '../../../daemon/host/letters/letter.js'
import { LetterFile } from '../../../daemon/host/letters/letter-file.js'
import { Folder, root } from '../../support/folder.js'

function letter(n: number): DeadLetter {
  const reason = { name: 'Error', message: 'boom' }
  return { id: `id${n}`, time: '', node: 'a', type: 'tick', code: 1, seq: `${n}`, attempts: 3, value: { n }, reason }
}

describe('letter files', () => {
  let folder: Folder
  beforeEach(() => {
    folder = new Folder()
  })
  afterEach(() => folder[Symbol.dispose]())

  const open = (size = 1e6) => new LetterFile('a', folder.at('x/y'), size)
  const seqs = (file: LetterFile) => file.read().map(({ seq }) => Number(seq))

  it('keep letters in their order, for their owner alone', () => {
    const file = open()
    assert.deepEqual(file.read(), [])
    assert.equal(file.put(letter(1)), 0)
    assert.equal(file.put(letter(2)), 0)
    assert.deepEqual(file.read(), [letter(1), letter(2)])
    assert.deepEqual(seqs(open()), [1, 2])
    assert.equal(statSync(folder.at('x/y/a.ndjson')).mode & 0o777, 0o600)
    assert.equal(statSync(folder.at('x/y')).mode & 0o777, 0o700)
  })

  it('forget those that were sent again or dropped, but not what became of them', () => {
    const file = open()
    for (let n = 1; n <= 3; n++) file.put(letter(n))
    file.mark('id1', 'resent')
    file.mark('id3', 'dropped')
    assert.deepEqual(seqs(file), [2])
    assert.match(readFileSync(folder.at('x/y/a.ndjson'), 'utf8'), /"done":"id3","how":"dropped"/)
  })

  it('are bounded: the oldest are thrown away and counted, those that are done with are not', () => {
    const size = 8000
    const file = open(size)
    let lost = 0
    let last = 0
    for (let n = 1; n <= 200; n++) {
      lost += file.put(letter(n))
      last = n
      if (n % 2 === 0) file.mark(`id${n}`, 'resent')
    }
    const left = seqs(file)
    assert.equal(left.at(-1), last - 1)
    assert.ok(left.length >= 10, `${left.length}`)
    assert.deepEqual(
      left,
      left.map((_, i) => left[0]! + 2 * i),
    )
    assert.equal(lost, 100 - left.length)
    const bytes = readdirSync(folder.at('x/y')).map(name => statSync(folder.at(`x/y/${name}`)).size)
    assert.ok(bytes.length === 2 && bytes[0]! + bytes[1]! <= size + 500, `${bytes}`)
  })

  it('a mark in the new file holds for a letter in the old one', () => {
    const file = open(1500)
    let n = 0
    while (readdirSync(folder.path).length === 0 || !readdirSync(folder.at('x/y')).includes('a.ndjson.1'))
      file.put(letter(++n))
    file.mark('id1', 'resent')
    assert.deepEqual(seqs(file)[0], 2)
  })

  it('lines that are none are passed over, and one that was cut swallows no other', () => {
    const file = open()
    file.put(letter(1))
    appendFileSync(folder.at('x/y/a.ndjson'), 'nonsense\n7\n{"id":3}\n{"id":"cut')
    file.put(letter(2))
    assert.deepEqual(seqs(file), [1, 2])
  })

  it('what cannot be written is an error, and what was written stays', () => {
    writeFileSync(folder.at('x'), '')
    assert.throws(() => open().put(letter(1)), { code: 'ENOTDIR' })
    const script = `
      import { LetterFile } from '${root}/dist/daemon/host/letters/letter-file.js'
      const file = new LetterFile('a', '${folder.at('f')}', 1e9)
      let stored = 0
      try { for (;;) { file.put({ id: String(stored), reason: 'x'.repeat(500) }); stored++ } } catch (error) { console.log(stored, error.code) }`
    const args = ['-c', 'ulimit -f 16; exec "$@"', 'sh', process.execPath, '--input-type=module', '-e', script]
    const { stdout, stderr } = spawnSync('sh', args, { encoding: 'utf8' })
    const [, stored = ''] = /^(\d+) EFBIG\n$/.exec(stdout) ?? assert.fail(`${stdout}${stderr}`)
    const after = new LetterFile('a', folder.at('f'), 1e9)
    assert.equal(after.read().length, Number(stored))
    after.put(letter(1))
    assert.equal(after.read().length, Number(stored) + 1)
  })
})
