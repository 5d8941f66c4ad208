/** docs/generated/declaration.md and declaration.schema.json, from the schema that checks every declaration. */
import { COLUMNS, type Column, declarationJsonSchema, MOST_CARGO } from './fields.ts'

/** The generated files: name → text. */
export function declarationDocs(): Record<string, string> {
  return {
    'declaration.md': markdown(),
    'declaration.schema.json': `${JSON.stringify(declarationJsonSchema(), null, 2)}\n`,
  }
}

function markdown(): string {
  const columns = [...COLUMNS.values()]
  const own = columns.filter((c) => c.path[0] !== 'cargo')
  const goods = columns.filter((c) => c.path[1] === 0)
  return `<!-- Generated from gateway/identity/declaration.ts by \`npm run docs\`. Do not edit. -->
# Declarations, field by field

How to send or import them: [declarations](../declarations.md). The same as JSON Schema: [declaration.schema.json](declaration.schema.json).

## The vehicle

In a table (CSV) the column has the name of the field.

${table(
  ['field', 'meaning', 'type', 'needed'],
  own.map((c) => [code(c.name), about(c), type(c), c.required ? 'yes' : fallback(c)]),
)}

## The goods: \`cargo\`

At most ${MOST_CARGO} kinds a vehicle. In JSON a list of objects; in a table the columns below, and for more kinds of goods the same with
${code('_2')} to ${code(`_${MOST_CARGO}`)}: ${code('hs_2')}, ${code('net_kg_2')} …

${table(
  ['field', 'meaning', 'type'],
  goods.map((c) => [code(c.name), about(c), type(c)]),
)}
`
}

const code = (text: string) => `\`${text}\``
const about = ({ node }: Column) => `**${node.title ?? ''}**. ${node.description ?? ''}`

function fallback({ node }: Column): string {
  return node.default === undefined ? '' : `else ${code(String(node.default))}`
}

function type({ node, type: kind }: Column): string {
  const { enum: words, minimum, maximum, maxLength, unit, format } = node as Record<string, unknown>
  if (Array.isArray(words)) return words.map((w) => code(String(w))).join(', ')
  if (kind === 'boolean') return 'yes or no'
  if (kind === 'number') return `${minimum ?? '…'} to ${maximum ?? '…'}${unit ? ` ${unit}` : ''}`
  if (format === 'date-time') return 'time'
  return maxLength === undefined ? 'text' : `text, up to ${maxLength} characters`
}

function table(head: string[], body: string[][]): string {
  const line = (cells: string[]) => `| ${cells.map((c) => c.replaceAll('|', '\\|')).join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...body.map(line)].join('\n')
}
