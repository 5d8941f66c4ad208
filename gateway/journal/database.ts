/** Opening the database file: making a new one, refusing what is damaged or foreign, settings of the connection. */
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { LuongError } from '../kernel/errors.ts'
import { corrupt } from './failure.ts'
import { migrate } from './migrations/index.ts'

export const databaseFile = (dir: string): string => join(dir, 'journal.db')

/** Makes renames in `dir` durable. */
export function syncFolder(dir: string): void {
  const fd = openSync(dir, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

/**
 * A new journal is made beside its place and renamed, so that an empty or half-made `journal.db` is always damage and never
 * a fresh start.
 */
function create(dir: string, site: string): void {
  const file = databaseFile(dir)
  if (existsSync(`${file}-wal`)) throw corrupt(dir, 'journal.db is missing but journal.db-wal is there')
  const fresh = `${file}.new`
  for (const tail of ['', '-wal', '-shm', '-journal']) rmSync(fresh + tail, { force: true })
  const db = new Database(fresh)
  try {
    db.pragma('synchronous = FULL')
    migrate(db)
    db.prepare("INSERT INTO meta (key, value) VALUES ('site', ?)").run(site)
  } finally {
    db.close()
  }
  renameSync(fresh, file)
  syncFolder(dir)
}

/** Opens the one writing connection. JOURNAL_CORRUPT, CONFIG_INVALID (another site's folder), or SQLite's own errors. */
export function openDatabase(dir: string, site: string, timezone: string): Database.Database {
  const file = databaseFile(dir)
  if (!existsSync(file)) create(dir, site)
  if (statSync(file).size === 0) throw corrupt(dir, 'journal.db is empty')
  const db = new Database(file, { timeout: 5_000 })
  try {
    db.pragma('journal_mode = WAL')
    db.pragma('synchronous = FULL')
    // The thread checkpoints between batches (see Store.tidy); this is for when it never finds a pause.
    db.pragma('wal_autocheckpoint = 4000')
    db.pragma('journal_size_limit = 67108864')
    if (!hasTable(db, 'meta')) throw corrupt(dir, 'journal.db has no journal in it')
    migrate(db)
    const owner = meta(db, 'site')
    if (owner !== site) {
      throw new LuongError('CONFIG_INVALID', `${dir} holds the journal of site "${owner}", not of "${site}"`, {
        hint: 'Give each site a data folder of its own (data.dir, or --data).',
      })
    }
    db.prepare("INSERT INTO meta (key, value) VALUES ('timezone', ?) ON CONFLICT DO UPDATE SET value = excluded.value").run(timezone)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

export function hasTable(db: Database.Database, name: string): boolean {
  return db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(name) !== undefined
}

export function meta(db: Database.Database, key: string): string | undefined {
  return db.prepare('SELECT value FROM meta WHERE key = ?').pluck().get(key) as string | undefined
}
