/**
 * The journal's contract. One append-only, hash-chained log holds what came in (for replay) and what happened
 * (for publishing). It lives in its own thread; an append resolves only when it is on disk (WAL, full sync),
 * many appends sharing one commit.
 */

import type { CrossingRow, UseRow } from './loads.ts'

/** What happened, as it will be published. The journal gives it the next `sequence` and freezes its CloudEvents text. */
export interface EventEntry {
  readonly kind: 'event'
  /** `luong.passage.cleared.v1` … */
  readonly type: string
  /** Absent for site events. */
  readonly lane?: string
  readonly passage?: string
  /** CloudEvents subject: the plate, an alarm code, a command id. */
  readonly subject?: string
  /** Wall-clock ms. */
  readonly at: number
  readonly data: Readonly<Record<string, unknown>>
}

/** What came into a lane's core, for replay. `body` is a LaneInput, or the settings at start. */
export interface InputEntry {
  readonly kind: 'input'
  readonly lane: string
  readonly passage?: string
  readonly at: number
  readonly body: unknown
  /** The actions that `step` answered with, so that a replay can say where it differs. */
  readonly actions: readonly unknown[]
}

export type Entry = EventEntry | InputEntry

export interface StoredEvent {
  /** Gap-free over all events of the site, from 1. */
  readonly sequence: number
  readonly type: string
  readonly lane: string | null
  readonly passage: string | null
  /** Wall-clock ms. */
  readonly at: number
  /** The CloudEvents JSON, byte for byte what is published. */
  readonly json: string
}

export interface StoredInput {
  readonly id: number
  readonly lane: string
  readonly passage: string | null
  readonly at: number
  readonly body: unknown
  readonly actions: readonly unknown[]
}

export interface Appended {
  /** Sequences of the events of this append, in order. */
  readonly sequences: readonly number[]
}

export interface JournalHead {
  /** Last event sequence, 0 when none. */
  readonly sequence: number
  /** Last entry of the chain, 0 when none. */
  readonly entry: number
  /** Hex SHA-256 of the chain's last entry. */
  readonly hash: string
}

/** A passage as the projection knows it. */
export interface PassageRow {
  readonly id: string
  readonly lane: string
  /** import or export, when an event said so. */
  readonly direction: string | null
  readonly plate: string | null
  /** cleared, refused, referred, redirected, aborted; null while undecided. */
  readonly outcome: string | null
  readonly arrivedAt: number
  readonly decidedAt: number | null
  /** When it was sent to the officer first; whatever came of it. */
  readonly referredAt: number | null
  /** When it was cleared, refused, redirected or aborted; a referred vehicle still stands in the lane. */
  readonly endedAt: number | null
}

export interface JournalStats {
  /** Appends waiting for the disk, and the bound at which append rejects with QUEUE_FULL. */
  readonly waiting: number
  readonly bound: number
  /** Append to durable, of the last 1,000, ms. */
  readonly durable: { readonly p50: number; readonly p99: number }
  readonly commits: number
  readonly bytes: number
  /** False when the last write failed or the disk is nearly full: lanes refer vehicles until it is true again. */
  readonly writable: boolean
  readonly why?: string
}

/** One document of many; `text`: its JSON, where that is known already. */
export type ImportRow = { readonly key: string } & ({ readonly value: unknown } | { readonly text: string })

/** Something kept by its name: last write wins; `value` null deletes. */
export interface Document {
  readonly collection: string
  readonly key: string
  readonly value: unknown | null
}

export interface ImportOptions {
  /** What is in the collection and not among the rows is deleted. */
  readonly replace?: boolean
  /** A document that is stored in the same commit that puts the rows in force; `count` is their number. */
  readonly note?: (count: number) => { readonly collection: string; readonly key: string; readonly value: unknown }
}

export interface Journal {
  /** Opens or creates, migrates, checks the end of the chain, locks the folder. JOURNAL_CORRUPT, JOURNAL_UNAVAILABLE, DATA_IN_USE. */
  open(): Promise<JournalHead>
  /** All or nothing, in order, with documents that must be true together with them. Resolves when durable. Rejects with JOURNAL_UNAVAILABLE or QUEUE_FULL; then nothing of it is stored. */
  append(entries: readonly Entry[], documents?: readonly Document[]): Promise<Appended>
  head(): JournalHead
  /** Hash of an entry of the chain, hex; null: there is none with this number. */
  hashOf(entry: number): Promise<string | null>
  /** Events with sequence > `after`, at most `limit`, ascending. */
  events(after: number, limit: number): Promise<StoredEvent[]>
  /** Called after each commit that holds events. */
  onCommit(fn: (head: JournalHead) => void): () => void
  /** Where a publisher stands; 0 when new. Stored durably, at least every second and on close. */
  cursor(target: string): Promise<number>
  setCursor(target: string, sequence: number): void
  inputs(passage: string): Promise<StoredInput[]>
  passage(id: string): Promise<PassageRow | null>
  /** Passages that arrived and have no end yet, for recovery after a restart. */
  unfinished(): Promise<PassageRow[]>
  /** Passages that arrived at `since` or later, wall-clock ms, and those without an end, in the order of arrival, with their loads. */
  crossings(since: number): Promise<CrossingRow[]>
  /** Vehicles whose last crossing was in this direction, in the order in which they crossed. */
  lastCrossed(direction: 'import' | 'export'): Promise<CrossingRow[]>
  /** Declarations that vehicles were cleared with which arrived, or which were still valid, at `since` or later; wall-clock ms. */
  uses(since: number): Promise<UseRow[]>
  /** Raised and cleared alarms of the whole site, from the first one on. */
  siteAlarms(): Promise<StoredEvent[]>
  /** What happened at the desk with passages that have no end yet: *referred*, *taken*, *escalated*, in order. */
  deskEvents(): Promise<StoredEvent[]>
  /** Documents that came down (declarations, list entries, commands seen, lane plan): last write wins; null deletes. */
  putDocument(collection: string, key: string, value: unknown | null): Promise<void>
  documents(collection: string): Promise<{ key: string; value: unknown; at: number }[]>
  /**
   * Many documents at once, all or nothing; resolves to their number. They are set aside in small commits, between which others get
   * their turn, and put in force by the last one. Rejects with what `rows` throws, or as `putDocument`; then nothing has changed.
   */
  importDocuments(collection: string, rows: AsyncIterable<ImportRow>, options?: ImportOptions): Promise<number>
  stats(): JournalStats
  close(): Promise<void>
}
