// What the reference reads from declarations: on a small module with everything that the real ones have.
import assert from 'node:assert/strict'
import { mkdirSync } from 'node:fs'
import { type Declared, publicNames } from '../../daemon/reference/declarations.js'
import { Folder, root } from '../support/folder.js'

const index = `export { Derived, type Shape } from './shapes.js'
export { make, wide } from './make.js'
export type { Both } from './make.js'
`

const shapes = `/** A shape. */
export interface Shape<out T> {
  /** Its size. */
  readonly size: number
  /** @internal For the machine. */
  readonly hidden: T
  scale(by: number): void
}

abstract class Base {
  /** Said once. */
  get shared(): string {
    return 'x'
  }
  constructor(first: number) {
    void first
  }
  protected secret(): void {}
}

/** Derived. */
export class Derived extends Base implements Iterable<number> {
  #own = 1
  readonly kind = 'derived'
  constructor() {
    super(1)
  }
  /** Walks. */
  *[Symbol.iterator](): Iterator<number> {
    yield this.#own
  }
  set shared2(value: number) {
    this.#own = value
  }
}
`

const make = `import type { Shape } from './shapes.js'

export type Both = Shape<string> | Unseen

interface Unseen {}

/** Without. */
export function make(): Shape<string>
/** With. */
export function make<const T extends string>(
  name: T,
): Shape<T>
export function make(name = 'x'): Shape<string> {
  throw new Error(name)
}

/** A number. */
export const wide = 1 + 1
`

describe('reference/declarations', () => {
  const names = new Map<string, Declared>()
  before(function () {
    this.timeout(30_000)
    using folder = new Folder()
    const config = {
      extends: `${root}/tsconfig.json`,
      compilerOptions: { rootDir: '.', types: [] },
      include: ['daemon'],
    }
    folder.write('tsconfig.json', JSON.stringify(config))
    folder.write('package.json', '{"type":"module"}')
    mkdirSync(folder.at('daemon'))
    folder.write('daemon/index.ts', index)
    folder.write('daemon/shapes.ts', shapes)
    folder.write('daemon/make.ts', make)
    for (const one of publicNames(folder.path, ['daemon/index.ts']).get('daemon/index.ts')!) names.set(one.name, one)
  })

  const signatures = (name: string) => names.get(name)!.forms.map(form => form.signature)
  const member = (name: string, of: string) => names.get(name)!.members.find(one => one.name === of)

  it('has what is exported, and nothing else', () => {
    assert.deepEqual([...names.keys()].toSorted(), ['Both', 'Derived', 'Shape', 'make', 'wide'])
    assert.deepEqual([...names.values()].map(({ name, kind }) => `${name} ${kind}`).toSorted(), [
      'Both type',
      'Derived class',
      'Shape interface',
      'make function',
      'wide constant',
    ])
  })

  it('signatures are those of the source, without what only the implementation needs', () => {
    assert.deepEqual(signatures('Shape'), ['interface Shape<out T>'])
    assert.deepEqual(signatures('Derived'), ['class Derived implements Iterable<number>'])
    assert.deepEqual(signatures('Both'), ['type Both = Shape<string> | Unseen'])
    assert.deepEqual(signatures('make'), [
      'function make(): Shape<string>',
      'function make<const T extends string>(\n  name: T,\n): Shape<T>',
    ])
    assert.deepEqual(signatures('wide'), ['wide: number'])
  })

  it('each overload has its own docstring', () => {
    assert.deepEqual(
      names.get('make')!.forms.map(({ doc }) => doc?.text),
      ['Without.', 'With.'],
    )
    assert.equal(names.get('wide')!.forms[0]?.doc?.text, 'A number.')
    assert.equal(names.get('Both')!.forms[0]?.doc, undefined)
  })

  it('members are those that others may use, those of a base that is not public among them', () => {
    const of = (name: string) => names.get(name)!.members.map(one => `${one.kind} ${one.name}`)
    assert.deepEqual(of('Shape'), ['property size', 'property hidden', 'method scale'])
    assert.deepEqual(of('Derived'), ['property shared', 'property kind', 'constructor constructor'])
    assert.equal(member('Shape', 'hidden')?.forms[0]?.doc?.internal, true)
    assert.equal(member('Shape', 'scale')?.forms[0]?.doc, undefined)
    assert.equal(member('Derived', 'shared')?.forms[0]?.signature, 'get shared(): string')
    assert.equal(member('Derived', 'kind')?.forms[0]?.signature, "readonly kind = 'derived'")
    assert.equal(member('Derived', 'constructor')?.forms[0]?.signature, 'constructor()')
  })

  it('knows which types of the project are mentioned, public or not', () => {
    assert.deepEqual([...names.get('Both')!.mentions].toSorted(), ['Shape', 'Unseen'])
    assert.deepEqual(names.get('make')!.mentions, ['Shape'])
  })

  it('a module that is not there is told so', () => {
    assert.throws(() => publicNames(root, ['daemon/nowhere.ts']), /nowhere\.ts: the compiler knows no such module/)
  })
})
