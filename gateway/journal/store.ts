/** The journal on its own thread: one connection, one transaction a batch. Everything here blocks. */
import { existsSync, mkdirSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import type Database from 'better-sqlite3'
import { LuongError } from '../kernel/errors.ts'
import { type ChainRow, hashRow } from './chain.ts'
import { renderEvent } from './cloudevent.ts'
import { openDatabase } from './database.ts'
import { failure } from './failure.ts'
import type { JournalHead, PassageRow } from './journal.ts'
import { type FolderLock, lockFolder } from './lock.ts'
import { fold } from './projection.ts'
import { ASIDE, type Batch, type NewRow, type QueryName, type Space, type WorkerSettings } from './protocol.ts'
import { checkTail, prepareQueries, type Queries } from './queries.ts'
import { type Zone, zoneOf } from './zone.ts'

const MB = 1024 * 1024
/** Commits after which the log is folded into the database file, between two batches. */
const CHECKPOINT_EVERY = 200
/** Passages kept in memory: more than are under way anywhere. */
const KNOWN = 512

export interface Store {
  readonly db: Database.Database
  head(): JournalHead
  bytes(): number
  space(): Space
  /** All or nothing; durable when it returns. JOURNAL_UNAVAILABLE or JOURNAL_CORRUPT, then nothing of it is stored. */
  write(batch: Batch): JournalHead
  /** After a failed write: tries a small one, so that `space` says whether it works again. */
  probe(): void
  query(name: QueryName, args: readonly (string | number)[]): unknown
  /** Folds the write-ahead log into the file when it is time. */
  tidy(): void
  close(): void
}

/** Not `recursive`: Node never comes back from that where a folder exists and may hold no new ones (/proc, some mounts). */
function makeFolder(dir: string): void {
  if (existsSync(dir)) return
  makeFolder(dirname(dir))
  mkdirSync(dir)
}

/** @throws DATA_IN_USE, JOURNAL_CORRUPT, JOURNAL_UNAVAILABLE, CONFIG_INVALID (folder of another site) */
export function openStore(settings: WorkerSettings): Store {
  let lock: FolderLock | undefined
  try {
    makeFolder(settings.dir)
    lock = lockFolder(settings.dir)
    const db = openDatabase(settings.dir, settings.site, settings.timezone)
    try {
      // What an import had set aside when the last run ended in the middle of it.
      db.prepare('DELETE FROM documents WHERE collection >= ? AND collection < ?').run(ASIDE, `${ASIDE}\uffff`)
      const queries = prepareQueries(db)
      return storeOn(db, queries, checkTail(queries, settings.dir), settings, lock)
    } catch (error) {
      db.close()
      throw error
    }
  } catch (error) {
    lock?.release()
    throw failure(error, settings.dir)
  }
}

function storeOn(db: Database.Database, queries: Queries, opened: JournalHead, settings: WorkerSettings, lock: FolderLock): Store {
  const { dir, site } = settings
  const zone = zoneOf(settings.timezone)
  const insert = prepareInserts(db)
  const pages = db.prepare('PRAGMA page_count').pluck()
  const pageSize = db.pragma('page_size', { simple: true }) as number
  let head = opened
  let failed: LuongError | undefined
  let commits = 0
  /** Passages as they were stored last: nobody else writes them. */
  const known = new Map<string, PassageRow>()

  const writeRows = (rows: readonly NewRow[]): JournalHead => {
    const changed = new Map<string, PassageRow>()
    let { sequence, entry } = head
    let hash: Buffer = Buffer.from(head.hash, 'hex')
    for (const row of rows) {
      entry++
      if (row.type !== null) sequence = row.sequence ?? sequence + 1
      const stored = chainRow(row, entry, sequence, site, zone)
      hash = hashRow(hash, stored)
      insert.entry.run(entry, stored.sequence, stored.type, stored.lane, stored.passage, stored.at, stored.text, hash)
      if (row.load !== null) insert.load.run(row.load)
      if (row.type !== null && row.passage !== null) {
        const before = changed.get(row.passage) ?? known.get(row.passage) ?? queries.passage(row.passage)
        const after = fold(before, { ...row, type: row.type })
        if (after !== null && after !== before) changed.set(row.passage, after)
        if (after?.outcome === 'cleared' && before?.endedAt == null) {
          const vehicle = queries.load(row.passage)?.vehicle ?? after.plate
          if (vehicle !== null) insert.vehicle.run(vehicle, row.passage, entry)
        }
      }
    }
    for (const [id, row] of changed) {
      insert.passage.run(row)
      known.set(id, row)
    }
    if (known.size > KNOWN) known.clear()
    return { sequence, entry, hash: hash.toString('hex') }
  }

  const transaction = db.transaction((batch: Batch): JournalHead => {
    const next = writeRows(batch.rows)
    for (const d of batch.documents) {
      if (d.value === null) insert.forget.run(d.collection, d.key)
      else insert.document.run(d.collection, d.key, d.value, d.at)
    }
    for (const { from, to, replace } of batch.moves ?? []) {
      if (to !== null && replace) insert.prune.run(to, from)
      if (to !== null) insert.move.run(to, from)
      insert.drop.run(from)
    }
    for (const [target, sequence] of batch.cursors) insert.cursor.run(target, sequence)
    return next
  })

  const attempt = <T>(work: () => T): T => {
    try {
      const result = work()
      failed = undefined
      return result
    } catch (error) {
      // What was folded is not stored.
      known.clear()
      failed = failure(error, dir)
      throw failed
    }
  }

  return {
    db,
    head: () => head,
    bytes: () => (pages.get() as number) * pageSize,
    space() {
      if (failed !== undefined) return { writable: false, why: failed.message }
      const free = freeMb(dir)
      if (free >= settings.minFreeMb) return { writable: true }
      return { writable: false, why: `only ${Math.floor(free)} MB free under ${dir}, fewer than ${settings.minFreeMb}` }
    },
    write(batch) {
      head = attempt(() => {
        const free = freeMb(dir)
        if (free < settings.reserveMb) throw full(dir, free)
        return transaction.immediate(batch)
      })
      commits++
      return head
    },
    probe() {
      if (failed === undefined || failed.code === 'JOURNAL_CORRUPT' || freeMb(dir) < settings.reserveMb) return
      try {
        attempt(() => insert.probe.run(String(Date.now())))
      } catch {
        // Still failing, as `space` goes on to say.
      }
    },
    query(name, args) {
      try {
        return (queries[name] as (...a: readonly (string | number)[]) => unknown)(...args)
      } catch (error) {
        throw failure(error, dir)
      }
    },
    tidy() {
      if (commits < CHECKPOINT_EVERY) return
      commits = 0
      try {
        db.pragma('wal_checkpoint(PASSIVE)')
      } catch (error) {
        failed = failure(error, dir)
      }
    },
    close() {
      db.close()
      lock.release()
    },
  }
}

function prepareInserts(db: Database.Database) {
  return {
    entry: db.prepare('INSERT INTO entries (id, sequence, type, lane, passage, at, text, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)'),
    passage: db.prepare(
      `INSERT INTO passages (id, lane, direction, plate, outcome, arrived_at, decided_at, referred_at, ended_at)
       VALUES (@id, @lane, @direction, @plate, @outcome, @arrivedAt, @decidedAt, @referredAt, @endedAt)
       ON CONFLICT (id) DO UPDATE SET direction = excluded.direction, plate = excluded.plate, outcome = excluded.outcome,
         decided_at = excluded.decided_at, referred_at = excluded.referred_at, ended_at = excluded.ended_at`,
    ),
    load: db.prepare(
      `INSERT OR IGNORE INTO loads (passage, declaration, vehicle, valid_to, text)
       VALUES (@passage, @declaration, @vehicle, @validTo, @text)`,
    ),
    vehicle: db.prepare('INSERT OR REPLACE INTO vehicles (vehicle, passage, entry) VALUES (?, ?, ?)'),
    document: db.prepare('INSERT OR REPLACE INTO documents (collection, key, value, at) VALUES (?, ?, ?, ?)'),
    forget: db.prepare('DELETE FROM documents WHERE collection = ? AND key = ?'),
    prune: db.prepare('DELETE FROM documents WHERE collection = ? AND key NOT IN (SELECT key FROM documents WHERE collection = ?)'),
    move: db.prepare('INSERT OR REPLACE INTO documents SELECT ?, key, value, at FROM documents WHERE collection = ? ORDER BY key'),
    drop: db.prepare('DELETE FROM documents WHERE collection = ?'),
    cursor: db.prepare('INSERT OR REPLACE INTO cursors (target, sequence) VALUES (?, ?)'),
    probe: db.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES ('probe', ?)"),
  }
}

function chainRow(row: NewRow, id: number, sequence: number, site: string, zone: Zone): ChainRow {
  const { type, lane, passage, subject, at } = row
  if (type === null) return { id, sequence: null, type, lane, passage, at, text: row.text }
  return { id, sequence, type, lane, passage, at, text: renderEvent(site, zone, { sequence, type, lane, subject, at, data: row.text }) }
}

function freeMb(dir: string): number {
  const s = statfsSync(dir)
  return (s.bavail * s.bsize) / MB
}

function full(dir: string, free: number): LuongError {
  return new LuongError('JOURNAL_UNAVAILABLE', `the disk under ${dir} is full (${Math.floor(free)} MB free)`, {
    hint: 'Free some space; it goes on by itself.',
  })
}
