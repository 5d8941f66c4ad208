/** Events that a broker refuses again and again: put aside so that they do not block the others, and never forgotten. */
import type { Journal } from '../journal/journal.ts'

export interface Parked {
  readonly sequence: number
  readonly reason: string
  /** Wall-clock ms. */
  readonly at: number
}

/** Durable, so that a restart knows them. */
export interface ParkedStore {
  load(): Promise<Parked[]>
  put(parked: Parked): Promise<void>
  delete(sequence: number): Promise<void>
}

/** Keeps them as documents of the journal. */
export function parkedInJournal(journal: Pick<Journal, 'documents' | 'putDocument'>, target: string): ParkedStore {
  const collection = `parked:${target}`
  return {
    async load() {
      const rows = await journal.documents(collection)
      return rows.map(({ value }) => value as Parked).sort((a, b) => a.sequence - b.sequence)
    },
    put: (parked) => journal.putDocument(collection, String(parked.sequence), parked),
    delete: (sequence) => journal.putDocument(collection, String(sequence), null),
  }
}
