/** The fields of a declaration as columns of a table, read out of the schema. */
import { z } from 'zod'
import { declaration } from '../identity/declaration.ts'

interface Node {
  readonly type?: string
  readonly title?: string
  readonly description?: string
  readonly items?: Node
  readonly properties?: Readonly<Record<string, Node>>
  readonly required?: readonly string[]
  readonly maxItems?: number
  readonly [key: string]: unknown
}

export interface Column {
  /** As it stands in the first line of a CSV file. */
  readonly name: string
  /** Where the value belongs. */
  readonly path: readonly (string | number)[]
  readonly type: 'text' | 'number' | 'boolean'
  readonly required: boolean
  readonly node: Node
}

/** JSON Schema (2020-12) of a declaration, as it may be sent. */
export const declarationJsonSchema = (): Record<string, unknown> => z.toJSONSchema(declaration, { io: 'input' }) as Record<string, unknown>

const schema = declarationJsonSchema() as unknown as Node
const cargo = schema.properties!.cargo!.items!

/** Goods that a line of a table may name: `hs`, then `hs_2` … */
export const MOST_CARGO = schema.properties!.cargo!.maxItems!

const typeOf = ({ type }: Node): Column['type'] =>
  type === 'number' || type === 'integer' ? 'number' : type === 'boolean' ? 'boolean' : 'text'

/** Every column that is known, in the order of the schema. */
export const COLUMNS: ReadonlyMap<string, Column> = new Map(
  [
    ...Object.entries(schema.properties!)
      .filter(([name]) => name !== 'cargo')
      .map(([name, node]) => ({ name, path: [name], type: typeOf(node), required: required(name, node), node })),
    ...Array.from({ length: MOST_CARGO }, (_, i) =>
      Object.entries(cargo.properties!).map(([key, node]) => ({
        name: i === 0 ? key : `${key}_${i + 1}`,
        path: ['cargo', i, key],
        type: typeOf(node),
        required: false,
        node,
      })),
    ).flat(),
  ].map((c) => [c.name, c]),
)

function required(name: string, node: Node): boolean {
  return schema.required!.includes(name) && node.default === undefined
}

/** What the schema says of the field at a path such as `cargo.0.hs`; undefined when there is none. */
export function nodeAt(path: readonly PropertyKey[]): Node | undefined {
  let node: Node | undefined = schema
  for (const step of path) node = typeof step === 'number' ? node?.items : node?.properties?.[String(step)]
  return node
}

/** Names that may stand at a path, for "did you mean". */
export const namesAt = (path: readonly PropertyKey[]): string[] => Object.keys(nodeAt(path)?.properties ?? {})
