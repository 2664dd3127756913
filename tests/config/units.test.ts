import assert from 'node:assert/strict'
import fc from 'fast-check'
import {
  durationMeant,
  formatDuration,
  formatSize,
  parseDuration,
  parseSize,
  sizeMeant,
} from '../../daemon/config/units.js'

describe('config/units', () => {
  it('durations have a unit and come out as milliseconds', () => {
    const given = ['50us', '0ms', '100ms', '1.5s', '2m', '1h', '1d']
    assert.deepEqual(given.map(parseDuration), [0.05, 0, 100, 1500, 120_000, 3_600_000, 86_400_000])
  })

  it('sizes have a unit and come out as bytes', () => {
    assert.deepEqual(['0B', '512B', '64KiB', '1.5MiB', '2GiB'].map(parseSize), [0, 512, 65_536, 1_572_864, 2 ** 31])
  })

  it('anything else is neither', () => {
    for (const text of [
      '',
      '10',
      'ms',
      '10 ms',
      '-1s',
      '1S',
      '1e3s',
      '1s ',
      '.5s',
      '1m30s',
      'constructors',
      '1constructor',
    ])
      assert.equal(parseDuration(text), undefined, text)
    for (const text of ['', '64', '64K', '64KB', '64kib', '-1B', '1 MiB', '1toString'])
      assert.equal(parseSize(text), undefined, text)
  })

  it('format is the inverse of parse', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 40 }), ms => parseDuration(formatDuration(ms)) === ms))
    fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 40 }), bytes => parseSize(formatSize(bytes)) === bytes))
  })

  it('guesses what was meant', () => {
    const durations = [10, '10 s', '10S', '10sec', '2minutes', '3 Hours', '5MS', 'soon']
    const meant = ['10ms or 10s', '10s', '10s', '10s', '2m', '3h', '5ms', undefined]
    assert.deepEqual(durations.map(durationMeant), meant)
    const sizes = [64, '64K', '64kb', '1 MB', '10bytes', '2 gib', 'big', '3 km']
    const bytes = ['64B or 64KiB', '64KiB', '64KiB', '1MiB', '10B', '2GiB', undefined, undefined]
    assert.deepEqual(sizes.map(sizeMeant), bytes)
  })

  it('every guess of one unit is a value', () => {
    fc.assert(
      fc.property(fc.string(), text => {
        const duration = durationMeant(text)
        const size = sizeMeant(text)
        if (duration && !duration.includes(' or ')) assert.notEqual(parseDuration(duration), undefined)
        if (size && !size.includes(' or ')) assert.notEqual(parseSize(size), undefined)
      }),
    )
  })
})
