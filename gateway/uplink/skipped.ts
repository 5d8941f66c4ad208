/** Events that must never be sent: recorded under numbers that the centre knows for others, before the journal went on above them. */
import type { Journal, StoredEvent } from '../journal/journal.ts'
import type { CursorSource } from './course.ts'
import type { Range } from './publisher.ts'

type Source = Pick<Journal, 'head' | 'events' | 'onCommit' | 'cursor' | 'setCursor' | 'documents' | 'putDocument'>

/** The journal as publishers see it: without the events of these sequences. */
export function withoutSkipped(journal: Source, ranges: readonly Range[]): Source & Pick<CursorSource, 'leftOut'> {
  if (ranges.length === 0) return journal
  const skipped = (sequence: number) => ranges.find((r) => r.from <= sequence && sequence <= r.to)
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
  /** Ranges may overlap: after a second restore. */
  const leftOut = (after: number, upTo: number): number => {
    let [count, done] = [0, after]
    for (const { from, to } of [...ranges].sort((a, b) => a.from - b.from)) {
      count += Math.max(0, Math.min(to, upTo) - Math.max(from - 1, done))
      done = Math.max(done, Math.min(to, upTo))
    }
    return count
  }
  return {
    events,
    leftOut,
    head: () => journal.head(),
    onCommit: (fn) => journal.onCommit(fn),
    cursor: (target) => journal.cursor(target),
    setCursor: (target, sequence) => journal.setCursor(target, sequence),
    documents: (collection) => journal.documents(collection),
    putDocument: (collection, key, value) => journal.putDocument(collection, key, value),
  }
}
