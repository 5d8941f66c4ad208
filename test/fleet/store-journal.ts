/**
 * The real store on this thread, for many gates in one process: a journal's own thread each would cost more memory than all the rest.
 * The same file, chain, syncs and CloudEvents as `createJournal`.
 */
import { encode } from '../../gateway/journal/encode.ts'
import type { EventEntry, Journal, JournalHead, StoredEvent } from '../../gateway/journal/journal.ts'
import type { Batch } from '../../gateway/journal/protocol.ts'
import { openStore, type Store } from '../../gateway/journal/store.ts'
import { Listeners } from '../../gateway/kernel/listeners.ts'

/** As the journal: positions are stored at least every second. */
const CURSOR_MS = 500

type Fewer = Pick<Journal, 'head' | 'events' | 'onCommit' | 'cursor' | 'setCursor' | 'documents' | 'putDocument'>

export class StoreJournal implements Fewer {
  readonly #store: Store
  readonly #listeners = new Listeners<[JournalHead]>()
  readonly #cursors = new Map<string, number>()
  readonly #dirty = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined

  constructor(dir: string, site: string) {
    this.#store = openStore({ dir, site, timezone: 'Asia/Ho_Chi_Minh', minFreeMb: 64, reserveMb: 16 })
  }

  /** Durable when it returns. */
  record(entries: readonly EventEntry[]): void {
    this.#write({ rows: entries.map(encode), documents: [] })
    this.#listeners.emit(this.head())
    this.#store.tidy()
  }

  #write(batch: Omit<Batch, 'cursors'>): void {
    const cursors = [...this.#dirty]
    this.#dirty.clear()
    this.#store.write({ ...batch, cursors })
  }

  head(): JournalHead {
    return this.#store.head()
  }
  bytes(): number {
    return this.#store.bytes()
  }
  async events(after: number, limit: number): Promise<StoredEvent[]> {
    return this.#store.query('events', [after, limit]) as StoredEvent[]
  }
  onCommit(fn: (head: JournalHead) => void): () => void {
    return this.#listeners.add(fn)
  }
  async cursor(target: string): Promise<number> {
    return this.#cursors.get(target) ?? (this.#store.query('cursor', [target]) as number)
  }
  setCursor(target: string, sequence: number): void {
    this.#cursors.set(target, sequence)
    this.#dirty.set(target, sequence)
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined
      if (this.#dirty.size > 0) this.#write({ rows: [], documents: [] })
    }, CURSOR_MS)
  }
  async documents(collection: string): Promise<{ key: string; value: unknown; at: number }[]> {
    return this.#store.query('documents', [collection]) as { key: string; value: unknown; at: number }[]
  }
  async putDocument(collection: string, key: string, value: unknown | null): Promise<void> {
    const text = value === null ? null : JSON.stringify(value)
    this.#write({ rows: [], documents: [{ collection, key, value: text, at: Date.now() }] })
  }
  close(): void {
    clearTimeout(this.#timer)
    this.#write({ rows: [], documents: [] })
    this.#store.close()
  }
}
