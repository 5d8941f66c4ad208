/** Declarations in a table: the first line names the columns, each further one is a vehicle. Commas, semicolons or tabs between them. */
import { didYouMean } from '../kernel/problems.ts'
import { COLUMNS, type Column } from './fields.ts'
import { MAX_ROW_CHARS, type Row, type RowProblem, type Tell } from './row.ts'
import { TableError, type TableRow, tableRows } from './table.ts'
import type { Place } from './utf8.ts'

const DELIMITERS = [',', ';', '\t'] as const
/** Cells that mean nothing was declared. */
const EMPTY = new Set(['', '-'])

/** Every row. Stops, after telling why, where the rest cannot be read. */
export async function* csvRows(pieces: AsyncGenerator<string>, tell: Tell): AsyncGenerator<Row> {
  const first = await pieces.next()
  if (first.done) return
  const delimiter = delimiterOf(first.value)
  const all = async function* () {
    yield first.value
    yield* pieces
  }
  let header: readonly Column[] | null = null
  try {
    for await (const row of tableRows(all(), delimiter)) {
      if (header === null) {
        const columns = headerOf(row, delimiter, tell)
        if (columns === null) return
        header = columns
      } else yield rowOf(row, delimiter, header)
    }
  } catch (error) {
    if (!(error instanceof TableError)) throw error
    tell({ line: error.line, column: 1, path: '', ...UNREADABLE[error.why] })
  }
}

const UNREADABLE: Readonly<Record<TableError['why'], { message: string; hint: string }>> = {
  'open-quote': {
    message: 'the file ends inside quotes: it is only half there, or a closing quote is missing',
    hint: 'export it again, and wait until it is written',
  },
  quote: {
    message: 'a quote stands where none may be; the rest cannot be read',
    hint: 'put quotes around the whole cell and double those inside it: "12"" pipe"',
  },
  'too-long': {
    message: `a row is longer than ${MAX_ROW_CHARS} characters; the rest cannot be read`,
    hint: 'look for a quote that is not closed',
  },
}

/** The one that the first line has most of. */
function delimiterOf(text: string): string {
  const line = text.replace(/^\n+/, '').split('\n', 1)[0]!
  const count = (d: string) => line.split(d).length
  return [...DELIMITERS].sort((a, b) => count(b) - count(a))[0]!
}

/** Where the cell of that index begins, in its row and, after a line break inside quotes, on its line. */
export function cellPlace(text: string, index: number, delimiter: string): Place {
  let line = 1
  let column = 1
  let quoted = false
  for (let i = 0, cell = 0; i < text.length && cell < index; i++) {
    const char = text[i]!
    column++
    if (char === '"') quoted = !quoted
    else if (char === '\n') {
      line++
      column = 1
    }
    if (char === delimiter && !quoted) cell++
  }
  return { line, column }
}

function headerOf({ cells, raw, line }: TableRow, delimiter: string, tell: Tell): Column[] | null {
  const names = cells.map((n) => n.trim().toLowerCase())
  let wrong = false
  const fail = (index: number, message: string, hint: string) => {
    wrong = true
    const { column } = cellPlace(raw, index, delimiter)
    tell({ line, column, path: names[index] ?? '', message, hint })
  }
  names.forEach((name, i) => {
    if (!COLUMNS.has(name))
      fail(
        i,
        name === '' ? 'this column has no name' : `unknown column "${name}"`,
        didYouMean(name, COLUMNS.keys()) ?? 'remove it; docs/declarations.md has the columns',
      )
    else if (names.indexOf(name) !== i) fail(i, `column "${name}" is there twice`, 'remove one of them')
  })
  const missing = [...COLUMNS.values()].filter((c) => c.required && !names.includes(c.name)).map((c) => c.name)
  if (missing.length > 0) {
    wrong = true
    tell({
      line,
      column: 1,
      path: '',
      message: `${missing.length === 1 ? 'this column is' : 'these columns are'} missing: ${missing.join(', ')}`,
      hint: 'the first line must name the columns, separated by commas, semicolons or tabs',
    })
  }
  return wrong ? null : names.map((name) => COLUMNS.get(name)!)
}

function rowOf({ cells, raw, line }: TableRow, delimiter: string, header: readonly Column[]): Row {
  const at = (index: number): Place => {
    const place = cellPlace(raw, index, delimiter)
    return { line: line + place.line - 1, column: place.column }
  }
  const problems: RowProblem[] = []
  if (cells.length !== header.length)
    problems.push({
      ...at(Math.min(cells.length, header.length)),
      path: '',
      message: `${cells.length} cells, but the first line names ${header.length} columns`,
      hint: 'a cell with a comma, semicolon or line break in it needs quotes around it; a row that is too short may be only half there',
    })
  const value =
    problems.length > 0
      ? undefined
      : cellsToValue(cells, header, (i, message, hint) => problems.push({ ...at(i), path: header[i]!.name, message, hint }))
  return {
    line,
    column: 1,
    value,
    problems,
    place(path) {
      const key = path.join('.')
      const index = header.findIndex((c) => c.path.join('.') === key)
      return { ...(index < 0 ? { line, column: 1 } : at(index)), path: index < 0 ? key : header[index]!.name }
    },
  }
}

function cellsToValue(
  cells: readonly string[],
  header: readonly Column[],
  fail: (index: number, message: string, hint: string) => void,
): object {
  const value: Record<string, unknown> = {}
  const cargo: (Record<string, unknown> | undefined)[] = []
  cells.forEach((cell, i) => {
    const text = cell.trim()
    if (EMPTY.has(text)) return
    const { path, type } = header[i]!
    const converted = convert(text, type)
    const [key, item, field] = path
    if (converted === undefined) fail(i, ...WRONG[type as 'number' | 'boolean'](text))
    else if (field === undefined) value[key!] = converted
    else {
      cargo[item as number] ??= {}
      cargo[item as number]![field] = converted
    }
  })
  // Gaps keep their place, so that complaints name the right column.
  if (cargo.length > 0) value.cargo = Array.from(cargo, (c) => c ?? {})
  return value
}

const WRONG = {
  number: (text: string): [string, string] => [
    `is no number: ${text.slice(0, 40)}`,
    'write digits, a point before decimals, and nothing between thousands',
  ],
  boolean: (text: string): [string, string] => [`is neither yes nor no: ${text.slice(0, 40)}`, 'write yes or no'],
}
const YES_NO: Readonly<Record<string, boolean>> = { yes: true, true: true, 1: true, x: true, no: false, false: false, 0: false }

function convert(text: string, type: Column['type']): unknown {
  if (type === 'number') return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : undefined
  if (type === 'boolean') return YES_NO[text.toLowerCase()]
  return text
}
