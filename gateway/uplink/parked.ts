/** Events that a broker refuses again and again: put aside so that they do not block the others, and never forgotten. */
import type { Journal } from '../journal/journal.ts'
import { messageOf } from '../kernel/errors.ts'
import type { Log } from '../kernel/log.ts'

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

/** What was put aside, as memory and store know it. */
export class ParkedEvents {
  readonly #store: ParkedStore
  readonly #log: Log
  readonly #rows = new Map<number, Parked>()
  readonly #putting = new Set<number>()

  constructor(store: ParkedStore, log: Log) {
    this.#store = store
    this.#log = log
  }

  /** What an earlier run put aside. */
  async load(): Promise<void> {
    for (const row of await this.#store.load()) this.#rows.set(row.sequence, row)
  }

  get size(): number {
    return this.#rows.size
  }
  has(sequence: number): boolean {
    return this.#rows.has(sequence)
  }
  all(): Parked[] {
    return [...this.#rows.values()]
  }

  /** Resolves when it is durable (true), or to false: it could not be kept, or is being put aside already. */
  async put(parked: Parked): Promise<boolean> {
    const { sequence } = parked
    if (this.#putting.has(sequence)) return false
    this.#putting.add(sequence)
    try {
      await this.#store.put(parked)
      this.#rows.set(sequence, parked)
      return true
    } catch (error) {
      this.#log.error({ sequence, err: messageOf(error) }, 'an event could not be put aside; trying on')
      return false
    } finally {
      this.#putting.delete(sequence)
    }
  }

  /** The broker has it now. */
  remove(sequence: number): void {
    if (!this.#rows.delete(sequence)) return
    this.#store.delete(sequence).catch((error) => this.#log.warn({ sequence, err: messageOf(error) }, 'a parked mark was not removed'))
  }
}
