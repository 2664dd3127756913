// declarations.ts: the public names of a module with their signatures and docstrings, as the compiler reads them.
//
// TypeScript calls this interface of its compiler unstable; package-lock.json says which one is meant. Only this folder
// uses it, and only to write documentation.
import { resolve } from 'node:path'
import {
  type HeritageClause,
  isClassDeclaration,
  isFunctionDeclaration,
  isIdentifier,
  isInterfaceDeclaration,
  isTypeAliasDeclaration,
  isVariableDeclaration,
  type Node,
} from 'typescript/unstable/ast'
import { API, type Symbol as Named, type Project, SymbolFlags } from 'typescript/unstable/sync'
import { type Form, formOf, gather, type Member, nameOf, ownMembers, withoutImplementations } from './members.js'
import { signatureRange } from './signature.js'

/** A public name. */
export interface Declared {
  readonly name: string
  readonly kind: 'function' | 'class' | 'interface' | 'type' | 'constant'
  /** Overloads have several. */
  readonly forms: readonly Form[]
  readonly members: readonly Member[]
  /** Types of the project that the signatures mention, public or not. */
  readonly mentions: readonly string[]
}

/**
 * What modules export, by the paths of the modules.
 *
 * @param root where tsconfig.json is.
 * @param entries the modules, relative to `root`.
 */
export function publicNames(root: string, entries: readonly string[]): Map<string, readonly Declared[]> {
  const api = new API({ cwd: root })
  try {
    const config = resolve(root, 'tsconfig.json')
    using snapshot = api.updateSnapshot({ openProjects: [config] })
    const project = snapshot.getProject(config)
    if (project === undefined) throw new Error(`${config}: the compiler does not open it`)
    const reader = new Reader(project, root)
    const exported = entries.map(entry => reader.exportsOf(resolve(root, entry)))
    return new Map(entries.map((entry, i) => [entry, exported[i]!.map(symbol => reader.declared(symbol))]))
  } finally {
    api.close()
  }
}

class Reader {
  readonly #project: Project
  readonly #ours: string
  readonly #public = new Set<number>()

  constructor(project: Project, root: string) {
    this.#project = project
    this.#ours = resolve(root, 'daemon')
  }

  exportsOf(path: string): Named[] {
    const { checker, program } = this.#project
    const file = program.getSourceFile(path)
    const module = file && checker.getSymbolAtLocation(file)
    if (module === undefined) throw new Error(`${path}: the compiler knows no such module`)
    const names = checker.getExportsOfModule(module).map(symbol => this.#origin(symbol))
    for (const { id } of names) this.#public.add(id)
    return names
  }

  declared(symbol: Named): Declared {
    const nodes = withoutImplementations(this.#nodes(symbol))
    const members = nodes.flatMap(node => this.#membersOf(node))
    const mentions = new Set([...nodes, ...members].flatMap(node => this.#mentioned(node)))
    mentions.delete(symbol.name)
    const forms = nodes.map(node => this.#withoutHidden(node, formOf(node, this.#inferred(node, symbol))))
    return { name: symbol.name, kind: kindOf(nodes[0]!), forms, members: gather(members), mentions: [...mentions] }
  }

  #origin(symbol: Named): Named {
    return symbol.flags & SymbolFlags.Alias ? this.#project.checker.getAliasedSymbol(symbol) : symbol
  }

  #nodes(symbol: Named): Node[] {
    return symbol.declarations.map(handle => handle.resolve(this.#project)).filter(node => node !== undefined)
  }

  /** The type of a constant that does not say it itself. */
  #inferred(node: Node, symbol: Named): string | undefined {
    if (!isVariableDeclaration(node) || node.type !== undefined) return undefined
    const { checker } = this.#project
    const type = checker.getTypeOfSymbol(symbol)
    return type && checker.typeToString(type, node)
  }

  /** The members, with those of bases that have no place of their own on the page. */
  #membersOf(node: Node): Node[] {
    const own = ownMembers(node)
    const inherited = this.#hiddenBases(node).flatMap(base => this.#nodes(base).flatMap(one => this.#membersOf(one)))
    return [...inherited.filter(base => !own.some(one => nameOf(one) === nameOf(base))), ...own]
  }

  #hiddenBases(node: Node): Named[] {
    const { heritageClauses = [] } = node as Node & { readonly heritageClauses?: readonly HeritageClause[] }
    return heritageClauses
      .flatMap(clause => clause.types)
      .map(type => this.#project.checker.getSymbolAtLocation(type.expression))
      .filter(symbol => symbol !== undefined)
      .map(symbol => this.#origin(symbol))
      .filter(symbol => !this.#public.has(symbol.id) && this.#isOurs(symbol))
  }

  /** A base whose members are shown as the type's own is not named. */
  #withoutHidden(node: Node, form: Form): Form {
    const names = this.#hiddenBases(node).map(base => base.name)
    if (names.length === 0) return form
    const named = new RegExp(`\\s+extends (?:${names.join('|')})\\b(?:<[^<>]*>)?`)
    // The formatter indents type parameters further where bases follow on lines of their own.
    const signature = form.signature
      .replace(named, '')
      .replace(/^ {2}(?= +\S|>)/gm, '')
      .replace(/>\s+implements/, '> implements')
    return { ...form, signature }
  }

  #isOurs(symbol: Named): boolean {
    return this.#nodes(symbol).some(node => node.getSourceFile().fileName.startsWith(this.#ours))
  }

  #mentioned(node: Node): string[] {
    const { end } = signatureRange(node)
    const names: string[] = []
    const visit = (one: Node): undefined => {
      if (one.pos >= end) return
      const symbol = isIdentifier(one) ? this.#project.checker.getSymbolAtLocation(one) : undefined
      const { name, flags } = (symbol && this.#origin(symbol)) ?? { name: '', flags: 0 }
      const isType = flags & SymbolFlags.Type && !(flags & SymbolFlags.TypeParameter)
      if (symbol && isType && this.#isOurs(this.#origin(symbol))) names.push(name)
      one.forEachChild(visit)
    }
    node.forEachChild(visit)
    return names
  }
}

function kindOf(node: Node): Declared['kind'] {
  if (isFunctionDeclaration(node)) return 'function'
  if (isClassDeclaration(node)) return 'class'
  if (isInterfaceDeclaration(node)) return 'interface'
  return isTypeAliasDeclaration(node) ? 'type' : 'constant'
}
