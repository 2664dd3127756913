// members.ts: what a class, an interface or an object type has that others may use.
import {
  isConstructorDeclaration,
  isGetAccessorDeclaration,
  isMethodDeclaration,
  isMethodSignatureDeclaration,
  isPropertyDeclaration,
  isPropertySignatureDeclaration,
  isVariableDeclaration,
  type Node,
} from 'typescript/unstable/ast'
import { type Docstring, parseDocstring } from './docstring.js'
import { membersIn, signatureRange, signatureText } from './signature.js'

/** One way to call or to have something: its signature, and what is said of it. */
export interface Form {
  /** As in the source, without a body. */
  readonly signature: string
  readonly doc: Docstring | undefined
}

/** A member. */
export interface Member {
  readonly name: string
  readonly kind: 'constructor' | 'method' | 'property'
  /** Overloads have several. */
  readonly forms: readonly Form[]
}

/** The declarations of the members that others may use. */
export function ownMembers(node: Node): Node[] {
  return withoutImplementations([...(membersIn(node) ?? [])].filter(one => nameOf(one) !== undefined))
}

/** Of a function that has overloads, the declaration with the body is not for callers. */
export function withoutImplementations(nodes: readonly Node[]): Node[] {
  const named = (node: Node) => (node as Node & { readonly name?: Node }).name?.getText()
  const hasBody = (node: Node) => (node as Node & { readonly body?: Node }).body !== undefined
  return nodes.filter(node => !hasBody(node) || !nodes.some(one => !hasBody(one) && named(one) === named(node)))
}

/** A declaration as the page shows it. */
export function formOf(node: Node, type?: string): Form {
  const signature = signatureText(node, signatureRange(node))
  const comment = commentOf(node)
  const doc = comment === undefined ? undefined : parseDocstring(comment)
  return { signature: type === undefined ? signature : `${signature}: ${type}`, doc }
}

/** Overloads of one name are one member. */
export function gather(nodes: readonly Node[]): Member[] {
  const members = new Map<string, { readonly kind: Member['kind']; readonly forms: Form[] }>()
  for (const node of nodes) {
    const name = nameOf(node)!
    const known = members.get(name)
    if (known === undefined) members.set(name, { kind: memberKind(node)!, forms: [formOf(node)] })
    else known.forms.push(formOf(node))
  }
  return [...members].map(([name, member]) => ({ name, ...member }))
}

/** The name of a member, if others may use it. */
export function nameOf(node: Node): string | undefined {
  const kind = memberKind(node)
  if (kind === undefined || /^(?:\w+ )*(?:private|protected) /.test(node.getText())) return undefined
  if (kind === 'constructor') return kind
  const name = (node as Node & { readonly name: Node }).name.getText()
  // Names in brackets are how the runtime talks to itself, or come with what is implemented: AsyncIterable, Disposable.
  return /^[#[]/.test(name) ? undefined : name
}

function memberKind(node: Node): Member['kind'] | undefined {
  if (isMethodSignatureDeclaration(node) || isMethodDeclaration(node)) return 'method'
  if (isPropertySignatureDeclaration(node) || isPropertyDeclaration(node)) return 'property'
  // A setter says nothing that its getter does not.
  if (isGetAccessorDeclaration(node)) return 'property'
  return isConstructorDeclaration(node) ? 'constructor' : undefined
}

/** The docstring of a constant stands at its statement. */
function commentOf(node: Node): string | undefined {
  const at = isVariableDeclaration(node) ? node.parent.parent : node
  return at.jsDoc?.at(-1)?.getText()
}
