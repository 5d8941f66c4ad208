/** Events that must never be sent: recorded under numbers that the centre knows for others, before the journal went on above them. */
import type { Journal, StoredEvent } from '../journal/journal.ts'
import type { Range } from './publisher-options.ts'

type Source = Pick<Journal, 'head' | 'events' | 'onCommit' | 'cursor' | 'setCursor' | 'documents' | 'putDocument'>

/** Numbers that are left out, for whoever counts events by their numbers. */
export class LeftOut {
  /** In order, with at least one event between them. */
  readonly #ranges: readonly Range[]

  /** @param ranges in any order; they may overlap, as after a second restore */
  constructor(ranges: readonly Range[] = []) {
    const merged: Range[] = []
    for (const r of [...ranges].sort((a, b) => a.from - b.from)) {
      const last = merged.at(-1)
      if (last && r.from <= last.to + 1) merged[merged.length - 1] = { from: last.from, to: Math.max(last.to, r.to) }
      else merged.push(r)
    }
    this.#ranges = merged
  }

  holding(sequence: number): Range | undefined {
    return this.#ranges.find((r) => r.from <= sequence && sequence <= r.to)
  }
  /** The first of which the event behind it lies behind `after`, up to `upTo`. */
  next(after: number, upTo: number): Range | undefined {
    return this.#ranges.find((r) => r.to >= after && r.to < upTo)
  }
  /** Events behind `after`, up to `upTo`; zero where that is not behind it. */
  count(after: number, upTo: number): number {
    const without = this.#ranges.map((r) => Math.max(0, Math.min(upTo, r.to) - Math.max(after, r.from - 1)))
    return Math.max(0, upTo - after - without.reduce((a, b) => a + b, 0))
  }
}

/** The journal as publishers see it: without the events of these sequences. */
export function withoutSkipped(journal: Source, ranges: readonly Range[]): Source & { readonly leftOut?: LeftOut } {
  if (ranges.length === 0) return journal
  const leftOut = new LeftOut(ranges)
  const skipped = (sequence: number) => leftOut.holding(sequence)
  const events = async (after: number, limit: number): Promise<StoredEvent[]> => {
    for (let from = after; ; ) {
      for (let range = skipped(from + 1); range; range = skipped(from + 1)) from = range.to
      const rows = await journal.events(from, limit)
      const end = rows.findIndex((row) => skipped(row.sequence))
      if (end !== 0) return end < 0 ? rows : rows.slice(0, end)
      // The very next one is in a range: behind that.
      from = rows[0]!.sequence - 1
    }
  }
  return {
    leftOut,
    events,
    head: () => journal.head(),
    onCommit: (fn) => journal.onCommit(fn),
    cursor: (target) => journal.cursor(target),
    setCursor: (target, sequence) => journal.setCursor(target, sequence),
    documents: (collection) => journal.documents(collection),
    putDocument: (collection, key, value) => journal.putDocument(collection, key, value),
  }
}
