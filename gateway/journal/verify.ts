/** The whole journal, checked from the first entry: hash chain, sequences, event texts, projections. Bounded memory. */
import type Database from 'better-sqlite3'
import { GENESIS, hashRow } from './chain.ts'
import { eventId, eventSource } from './cloudevent.ts'
import { type Continuation, continuation } from './continue.ts'
import { failure } from './failure.ts'
import type { JournalHead, PassageRow } from './journal.ts'
import { type LoadRow, loadInText } from './loads.ts'
import { fold, seen } from './projection.ts'
import type { StoredRow } from './queries.ts'
import { type JournalReader, openReader } from './reader.ts'

const BATCH = 2_000

export interface VerifyReport {
  readonly ok: boolean
  /** Entries that were found good, and how many of them are events. */
  readonly entries: number
  readonly events: number
  readonly passages: number
  /** Of the last good entry. Compare it with a head published or noted earlier: a cut-off end cannot be seen in any other way. */
  readonly head: JournalHead
  /** Where it goes on above numbers that it does not hold, in order: after a restore, by somebody's decision. */
  readonly continued: readonly Continuation[]
  /** The first thing that is wrong. `entry` is 0 when it is not about one entry. */
  readonly bad?: { readonly entry: number; readonly sequence?: number; readonly why: string }
}

export interface VerifyOptions {
  readonly onProgress?: (entries: number) => void
}

/** @throws BAD_USAGE when there is no journal, JOURNAL_CORRUPT when it cannot even be opened */
export async function verifyJournal(dir: string, options: VerifyOptions = {}): Promise<VerifyReport> {
  const reader = openReader(dir)
  try {
    return await verifyReader(reader, dir, options)
  } finally {
    reader.close()
  }
}

/** The same on an open database. Gives the event loop a turn after each batch. */
export async function verifyReader(reader: JournalReader, dir: string, options: VerifyOptions = {}): Promise<VerifyReport> {
  const walk = new Walk(reader)
  let bad: VerifyReport['bad']
  try {
    const damage = reader.db.pragma('integrity_check(1)', { simple: true }) as string
    if (damage !== 'ok') walk.flaw = { entry: 0, why: `the database file is damaged: ${damage}` }
    // One read transaction a batch: a running gateway's log is never held up, and entries never change.
    const batch = reader.db.transaction(() => walk.batch())
    while (batch()) {
      options.onProgress?.(walk.entry)
      await new Promise((resolve) => setImmediate(resolve))
    }
    bad = walk.flaw
  } catch (error) {
    bad = walk.flaw ?? { entry: walk.entry + 1, why: failure(error, dir).message }
  }
  const head = { sequence: walk.sequence, entry: walk.entry, hash: Buffer.from(walk.hash).toString('hex') }
  const { events, passages, continued } = walk
  const report = { entries: walk.entry, events, passages, head, continued }
  return bad === undefined ? { ok: true, ...report } : { ok: false, ...report, bad }
}

class Walk {
  entry = 0
  sequence = 0
  events = 0
  passages = 0
  readonly continued: Continuation[] = []
  hash: Uint8Array = GENESIS
  flaw: { entry: number; sequence?: number; why: string } | undefined
  readonly #reader: JournalReader
  readonly #open = new Map<string, PassageRow>()
  #loads = 0
  /** Last crossing of each vehicle: entry by plate. As many as there are vehicles, not passages. */
  readonly #vehicles = new Map<string, number>()
  readonly #ended: Database.Statement<[string, number]>
  constructor(reader: JournalReader) {
    this.#reader = reader
    this.#ended = reader.db.prepare(
      `SELECT 1 FROM entries WHERE passage = ? AND id < ? AND lane IS NOT NULL
       AND type IN ('luong.passage.cleared.v1', 'luong.passage.aborted.v1', 'luong.passage.refused.v1', 'luong.passage.redirected.v1') LIMIT 1`,
    )
  }

  /** Checks the next entries; false when the end, or something wrong, was reached. */
  batch(): boolean {
    const rows = this.#reader.queries.rows(this.entry, BATCH)
    for (const row of rows) {
      const why = this.#check(row)
      if (why !== undefined) {
        // The file as a whole may be known to be damaged already; the entry says more.
        this.flaw = { entry: row.id, ...(row.sequence === null ? {} : { sequence: row.sequence }), why }
        return false
      }
      this.entry = row.id
      if (row.sequence !== null) {
        this.sequence = row.sequence
        this.events++
      }
      this.hash = row.hash
    }
    if (rows.length === BATCH) return true
    const why = this.flaw === undefined ? this.#checkEnd() : undefined
    if (why !== undefined) this.flaw = { entry: 0, why }
    return false
  }

  #check(row: StoredRow): string | undefined {
    if (row.id !== this.entry + 1) return `entry ${this.entry + 1} is missing`
    if (typeof row.text !== 'string' || !Buffer.isBuffer(row.hash)) return 'a column has the wrong type'
    if (!hashRow(this.hash, row).equals(row.hash)) return 'it does not fit the hash chain: it, or the one before it, was changed'
    if ((row.sequence === null) !== (row.type === null)) return 'it is neither an event nor an input'
    if (row.sequence === null) return this.#checkLoad(row)
    return this.#checkEvent(row)
  }

  /** One by one, but for the event that says which numbers are left out. */
  #checkSequence(row: StoredRow, data: unknown): string | undefined {
    const found = continuation(row, data)
    if (found && found.from <= this.sequence + 1 && found.to > this.sequence) this.continued.push(found)
    else if (row.sequence !== this.sequence + 1) return `sequence ${row.sequence} follows ${this.sequence}`
    return undefined
  }

  #checkEvent(row: StoredRow): string | undefined {
    let event: Record<string, unknown>
    try {
      event = JSON.parse(row.text) as Record<string, unknown>
    } catch {
      return 'its text is not JSON'
    }
    const why = this.#checkSequence(row, event.data)
    if (why !== undefined) return why
    const { site } = this.#reader
    const expected = {
      id: eventId(site, row.sequence!),
      sequence: String(row.sequence),
      source: eventSource(site, row.lane),
      type: row.type,
    }
    for (const [key, value] of Object.entries(expected)) {
      if (event[key] !== value) return `its text says ${key} ${JSON.stringify(event[key])}, it should be ${JSON.stringify(value)}`
    }
    if (Date.parse(String(event.time)) !== row.at) return `its text says time ${event.time}, it should be ${new Date(row.at).toISOString()}`
    return this.#project(row, event)
  }

  #project(row: StoredRow, event: Record<string, unknown>): string | undefined {
    if (row.passage === null) return undefined
    const before = this.#open.get(row.passage) ?? null
    // An ended passage is not kept here: the stored row says whether this one has ended before.
    const stored = before === null ? this.#reader.queries.passage(row.passage) : null
    if (stored?.endedAt != null && this.#endedBefore(row)) return undefined
    const { plate, direction } = seen(
      typeof event.subject === 'string' ? event.subject : null,
      (event.data ?? {}) as Readonly<Record<string, unknown>>,
    )
    const after = fold(before, { type: row.type!, lane: row.lane, passage: row.passage, at: row.at, plate, direction })
    if (after === null) return undefined
    if (before === null) this.passages++
    if (after.endedAt === null) {
      this.#open.set(row.passage, after)
      return undefined
    }
    this.#open.delete(row.passage)
    if (after.outcome === 'cleared') {
      const vehicle = this.#reader.queries.load(row.passage)?.vehicle ?? after.plate
      if (vehicle !== null) this.#vehicles.set(vehicle, row.id)
    }
    return this.#compare(after)
  }

  /** What was declared, against the list of loads; only the first record of a passage counts. */
  #checkLoad(row: StoredRow): string | undefined {
    const expected = loadInText(row.text, row.passage)
    if (expected === null) return undefined
    const stored = this.#reader.queries.load(expected.passage)
    if (stored === null) return `the load of passage ${expected.passage} is missing from the list of loads`
    const keys = Object.keys(expected) as (keyof LoadRow)[]
    const wrong = keys.find((key) => stored[key] !== expected[key])
    if (wrong === undefined) {
      this.#loads++
      return undefined
    }
    const first = this.#reader.queries.ofPassage(expected.passage).find((r) => r.type === null && loadInText(r.text, r.passage) !== null)
    if (first !== undefined && first.id < row.id) return undefined
    return `the list of loads says ${wrong} ${stored[wrong]} for ${expected.passage}, its record says ${expected[wrong]}`
  }

  /** Whether an earlier event ended this passage. */
  #endedBefore(row: StoredRow): boolean {
    return this.#ended.get(row.passage!, row.id) !== undefined
  }

  #compare(expected: PassageRow): string | undefined {
    const stored = this.#reader.queries.passage(expected.id)
    if (stored === null) return `passage ${expected.id} is missing from the list of passages`
    const keys = Object.keys(expected) as (keyof PassageRow)[]
    const wrong = keys.find((key) => stored[key] !== expected[key])
    return wrong === undefined
      ? undefined
      : `the list of passages says ${wrong} ${stored[wrong]} for ${expected.id}, its events say ${expected[wrong]}`
  }

  /** Same transaction as the last batch, so that open passages and counts are of the same moment. */
  #checkEnd(): string | undefined {
    for (const passage of this.#open.values()) {
      const why = this.#compare(passage)
      if (why !== undefined) return why
    }
    const count = this.#reader.db.prepare('SELECT count(*) FROM passages').pluck().get() as number
    if (count !== this.passages) return `the list of passages has ${count} rows, the events tell of ${this.passages}`
    const counted = this.#checkCounts()
    if (counted !== undefined) return counted
    const ahead = this.#reader.db.prepare('SELECT target FROM cursors WHERE sequence > ?').pluck().get(this.sequence)
    return ahead === undefined ? undefined : `${ahead} was sent events after ${this.sequence}: the end of the journal is missing`
  }

  #checkCounts(): string | undefined {
    const { db, queries } = this.#reader
    for (const [vehicle, entry] of this.#vehicles) {
      const stored = queries.vehicle(vehicle)
      if (stored?.entry !== entry)
        return `the list of vehicles says ${stored?.entry ?? 'nothing'} for ${vehicle}, its last crossing is entry ${entry}`
    }
    const count = (of: 'loads' | 'vehicles') => db.prepare(`SELECT count(*) FROM ${of}`).pluck().get() as number
    if (count('vehicles') !== this.#vehicles.size)
      return `the list of vehicles has ${count('vehicles')} rows, the events tell of ${this.#vehicles.size}`
    if (count('loads') !== this.#loads) return `the list of loads has ${count('loads')} rows, the records tell of ${this.#loads}`
    return undefined
  }
}
