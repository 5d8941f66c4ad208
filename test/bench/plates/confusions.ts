/** What is taken for what: characters of plates and what they were read as. Pure. */
import { type Outcome, right } from './score.ts'

export interface Confusions {
  /** Character of the plate → character read, the right one, too → times; of texts as long as the plate's. */
  readonly read: ReadonlyMap<string, ReadonlyMap<string, number>>
  /** What went wrong otherwise → times. */
  readonly other: ReadonlyMap<string, number>
}

/** By the labels put right. */
export function confusionsOf(all: readonly Outcome[]): Confusions {
  const read = new Map<string, Map<string, number>>()
  const other = new Map<string, number>()
  for (const o of all) {
    if (right(o) === undefined) continue
    const [shown, best] = [[...o.photo.shown!], [...o.best]]
    if (best.length !== shown.length) {
      count(other, best.length === 0 ? 'not found' : 'another length')
      continue
    }
    for (const [i, char] of shown.entries()) {
      const row = read.get(char) ?? new Map<string, number>()
      read.set(char, row)
      count(row, best[i]!)
    }
  }
  return { read, other }
}

/** Most frequent first. */
export function worst({ read, other }: Confusions, most: number): [what: string, times: number][] {
  const pairs = [...read].flatMap(([char, row]) => mistakes(char, row).map(([as, n]): [string, number] => [`${char} → ${as}`, n]))
  return [...pairs, ...other].sort((a, b) => b[1] - a[1]).slice(0, most)
}

/**
 * The `most` characters most often misread, and what they were read as: at most `most` columns, the rest together. Keys are more than one
 * character each, since digits alone would come first, whatever their order.
 */
export function matrix({ read }: Confusions, most: number): Record<string, Record<string, number>> {
  const rows = [...read]
    .map(([char, row]) => ({ char, row, wrong: mistakes(char, row) }))
    .filter(({ wrong }) => wrong.length > 0)
    .sort((a, b) => sum(b.wrong) - sum(a.wrong))
    .slice(0, most)
  const all = new Map<string, number>()
  for (const [as, n] of rows.flatMap(({ wrong }) => wrong)) count(all, as, n)
  const columns = [...all].sort((a, b) => b[1] - a[1]).map(([as]) => as)
  const told = columns.slice(0, most)
  return Object.fromEntries(
    rows.map(({ char, row, wrong }) => {
      const cells: Record<string, number> = { right: row.get(char) ?? 0, wrong: sum(wrong) }
      for (const as of told) if (as !== char && row.has(as)) cells[`→ ${as}`] = row.get(as)!
      const rest = sum(wrong.filter(([as]) => !told.includes(as)))
      return [`plate's ${char}`, rest > 0 ? { ...cells, '→ others': rest } : cells]
    }),
  )
}

const mistakes = (char: string, row: ReadonlyMap<string, number>): [string, number][] => [...row].filter(([as]) => as !== char)
const sum = (counts: readonly (readonly [string, number])[]): number => counts.reduce((all, [, n]) => all + n, 0)

function count(counts: Map<string, number>, what: string, n = 1): void {
  counts.set(what, (counts.get(what) ?? 0) + n)
}
