/** A journal folder opened for reading only, beside a running gateway or without one. */
import { existsSync, statSync } from 'node:fs'
import Database from 'better-sqlite3'
import { LuongError } from '../kernel/errors.ts'
import { databaseFile, hasTable, meta } from './database.ts'
import { corrupt, failure } from './failure.ts'
import { checkVersion } from './migrations/index.ts'
import { prepareQueries, type Queries, type StoredRow } from './queries.ts'
import { type Zone, zoneOf } from './zone.ts'

const BATCH = 2_000

export interface JournalReader {
  readonly db: Database.Database
  readonly queries: Queries
  readonly site: string
  readonly zone: Zone
  close(): void
}

/** @throws BAD_USAGE when there is no journal in `dir`, JOURNAL_CORRUPT, JOURNAL_UNAVAILABLE */
export function openReader(dir: string): JournalReader {
  if (!existsSync(dir))
    throw new LuongError('BAD_USAGE', `${dir}: no such folder`, { hint: 'Give the data folder of a gateway (data.dir).' })
  const file = statSync(dir).isDirectory() ? databaseFile(dir) : undefined
  if (file === undefined || !existsSync(file)) {
    throw new LuongError('BAD_USAGE', `${dir}: there is no journal in it`, { hint: 'Give the data folder of a gateway (data.dir).' })
  }
  return openFile(file, dir)
}

/** The same for a single database file, such as a backup. `dir` names it in errors. */
export function openFile(file: string, dir: string): JournalReader {
  let db: Database.Database | undefined
  try {
    if (statSync(file).size === 0) throw corrupt(dir, `${file} is empty`)
    db = new Database(file, { readonly: true, timeout: 5_000 })
    if (!hasTable(db, 'meta')) throw corrupt(dir, `${file} has no journal in it`)
    checkVersion(db)
    const queries = prepareQueries(db)
    const open = db
    return {
      db,
      queries,
      site: meta(db, 'site') ?? '',
      zone: zoneOf(meta(db, 'timezone') ?? 'UTC'),
      close: () => open.close(),
    }
  } catch (error) {
    db?.close()
    throw failure(error, dir)
  }
}

/** Every entry with id > `after`, in order, a batch in memory at a time; ends at the present end. */
export function* entriesAfter(queries: Queries, after: number): Generator<StoredRow> {
  for (let last = after; ; ) {
    const rows = queries.rows(last, BATCH)
    yield* rows
    if (rows.length < BATCH) return
    last = rows.at(-1)!.id
  }
}
