/** Lists that the centre sends down: detained vehicles, priority firms, … Held in memory, found by key. */
import type { ListEntry } from './declaration.ts'

export class ListIndex {
  readonly #lists = new Map<string, Map<string, { entry: ListEntry; until: number }>>()

  put(list: string, entry: ListEntry): void {
    let entries = this.#lists.get(list)
    if (!entries) {
      entries = new Map()
      this.#lists.set(list, entries)
    }
    entries.set(normal(entry.key), { entry, until: entry.until === undefined ? Number.POSITIVE_INFINITY : Date.parse(entry.until) })
  }

  delete(list: string, key: string): void {
    this.#lists.get(list)?.delete(normal(key))
  }

  get(list: string, key: string): ListEntry | undefined {
    return this.#lists.get(list)?.get(normal(key))?.entry
  }

  /** Whether `key` is on the list at wall-clock time `now`. */
  has(list: string, key: string, now: number): boolean {
    const found = this.#lists.get(list)?.get(normal(key))
    return found !== undefined && now <= found.until
  }

  /** Entries of all lists. */
  get entries(): number {
    return [...this.#lists.values()].reduce((n, entries) => n + entries.size, 0)
  }

  size(list: string): number {
    return this.#lists.get(list)?.size ?? 0
  }
}

/** Plates are written with dots and dashes by some and without by others. */
function normal(key: string): string {
  return key
    .toUpperCase()
    .replaceAll('Đ', 'D')
    .replace(/[\s.\-·•]/g, '')
}
