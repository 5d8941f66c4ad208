/**
 * The figures of the present, folded from the journal's entries as they are recorded. What it holds is a function of the journal alone:
 * restored from the journal's rows it is the same as if it had seen every entry.
 */
import type { Entry, PassageRow } from '../journal/journal.ts'
import { type CrossingRow, loadIn, type UseRow } from '../journal/loads.ts'
import { fold, seen } from '../journal/projection.ts'
import { dayStart, type Zone } from '../journal/zone.ts'
import { type Crossing, crossed, crossingOf } from './crossing.ts'
import { type Load, loadFrom } from './load.ts'
import { InsideBook, type StayPolicy } from './stays.ts'
import { REMEMBERED_MS, UseBook } from './uses.ts'

const DAY = 86_400_000
/** Passages in memory at most: some days of the busiest gate. Beyond it those that ended first are forgotten. */
const MOST = 50_000

export interface LedgerRows {
  readonly crossings: readonly CrossingRow[]
  readonly lastCrossed: readonly CrossingRow[]
  readonly uses: readonly UseRow[]
}

/** What a ledger is restored from. */
export interface LedgerSource {
  crossings(since: number): Promise<CrossingRow[]>
  lastCrossed(direction: 'import' | 'export'): Promise<CrossingRow[]>
  uses(since: number): Promise<UseRow[]>
}

interface Held {
  row: PassageRow | null
  load: Load | null
}

export class Ledger {
  readonly #zone: Zone
  readonly #held = new Map<string, Held>()
  readonly inside: InsideBook
  readonly uses = new UseBook()
  #day = Number.NEGATIVE_INFINITY

  constructor(zone: Zone, home: StayPolicy['home']) {
    this.#zone = zone
    this.inside = new InsideBook(home)
  }

  /** From when on passages are kept: a day before the local day of `now`, so that what was under way at midnight is whole. */
  since(now: number): number {
    return dayStart(this.#zone, now) - DAY
  }

  /** Begins with what the journal holds. */
  async restore(source: LedgerSource, inward: 'import' | 'export', now: number): Promise<void> {
    const [crossings, lastCrossed, uses] = await Promise.all([
      source.crossings(this.since(now)),
      source.lastCrossed(inward),
      source.uses(now - REMEMBERED_MS),
    ])
    this.load({ crossings, lastCrossed, uses }, now)
  }

  load(rows: LedgerRows, now: number): void {
    for (const { load, ...row } of rows.crossings) this.#held.set(row.id, { row, load: loadFrom(load) })
    for (const row of rows.lastCrossed) this.inside.add(crossingOf(row))
    for (const use of rows.uses) this.uses.add(use)
    this.#turn(now)
  }

  /** What is being recorded, in the order of the journal. */
  apply(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.passage === undefined) continue
      const load = entry.kind === 'input' ? loadIn(entry.body, entry.passage) : null
      if (load !== null) this.#hold(entry.passage).load ??= loadFrom(load.text)
      if (entry.kind === 'event') this.#event(entry.passage, entry)
    }
  }

  #hold(passage: string): Held {
    const held = this.#held.get(passage) ?? { row: null, load: null }
    this.#held.set(passage, held)
    return held
  }

  #event(passage: string, entry: Entry & { kind: 'event' }): void {
    const at = Math.round(entry.at)
    const held = this.#hold(passage)
    const before = held.row
    held.row = fold(before, { type: entry.type, lane: entry.lane ?? null, passage, at, ...seen(entry.subject ?? null, entry.data) })
    if (held.row === before || held.row === null) return
    this.#turn(at)
    const crossing: Crossing = { ...held.row, load: held.load }
    if (!crossed(crossing)) return
    this.inside.add(crossing)
    const declaration = held.load?.declaration ?? null
    if (declaration !== null)
      this.uses.add({ declaration, direction: crossing.direction, at: crossing.endedAt!, validTo: held.load!.valid_to })
  }

  /** Once a local day, and when there are too many: forgets what no figure needs any more. */
  #turn(now: number): void {
    const day = dayStart(this.#zone, now)
    if (day <= this.#day && this.#held.size <= MOST) return
    this.#day = Math.max(day, this.#day)
    const since = this.since(this.#day)
    const ended = (h: Held) => h.row?.endedAt ?? null
    for (const [id, held] of this.#held) if (held.row !== null && ended(held) !== null && held.row.arrivedAt < since) this.#held.delete(id)
    const over = [...this.#held].filter(([, h]) => ended(h) !== null).slice(0, Math.max(0, this.#held.size - MOST))
    for (const [id] of over) this.#held.delete(id)
    this.uses.prune(now)
  }

  /** Passages of yesterday and today, and those without an end. */
  *crossings(): Generator<Crossing> {
    for (const { row, load } of this.#held.values()) if (row !== null) yield { ...row, load }
  }
}
