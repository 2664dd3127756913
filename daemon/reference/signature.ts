// signature.ts: where the signature of a declaration is in its source: what a reader has to know, without bodies.
import {
  type FunctionBody,
  isClassDeclaration,
  isInterfaceDeclaration,
  isTypeAliasDeclaration,
  isTypeLiteralNode,
  isVariableDeclaration,
  type Node,
  type NodeArray,
  type TypeNode,
} from 'typescript/unstable/ast'

/** A part of a source file. */
export interface Range {
  readonly start: number
  readonly end: number
}

/** What declarations of any kind may have. */
type Parts = Node & {
  readonly name?: Node
  readonly type?: TypeNode
  readonly body?: FunctionBody
  readonly initializer?: Node
}

/** The members of a class, an interface, or an alias of one object type. */
export function membersIn(node: Node): NodeArray<Node> | undefined {
  if (isClassDeclaration(node) || isInterfaceDeclaration(node)) return node.members
  if (isTypeAliasDeclaration(node) && isTypeLiteralNode(node.type)) return node.type.members
  return undefined
}

/** The range of the signature. Members, bodies and values are no part of it. */
export function signatureRange(node: Node): Range {
  const { body, initializer, type, name } = node as Parts
  const start = node.getStart()
  const members = membersIn(node)
  // An array of members begins behind the brace.
  if (members !== undefined) return { start, end: members.pos - 1 }
  if (body !== undefined) return { start, end: body.getFullStart() }
  // The value of a constant is nobody's business; without a type, that of a property is all there is to say.
  if (isVariableDeclaration(node)) return { start, end: (type ?? name ?? node).end }
  if (initializer !== undefined && type !== undefined) return { start, end: type.end }
  return { start, end: node.end }
}

const modifiers = /^(?:(?:export|declare|override|abstract|async|public) )+/

/** The text of a range, as it would stand at the margin. */
export function signatureText(node: Node, { start, end }: Range): string {
  const { text } = node.getSourceFile()
  const margin = start - (text.lastIndexOf('\n', start - 1) + 1)
  const lines = text.slice(start, end).trimEnd().split('\n')
  const dedented = lines.map((line, i) => (i === 0 ? line : line.replace(new RegExp(`^ {0,${margin}}`), '')))
  return dedented.join('\n').replace(modifiers, '').replace(/\s*=$/, '')
}
