import type Database from 'better-sqlite3'
import { LuongError } from '../../kernel/errors.ts'
import { start } from './001-start.ts'
import { loads } from './002-loads.ts'
import type { Migration } from './migration.ts'

/** Every step, in order. */
export const migrations: readonly Migration[] = [start, loads]

/**
 * Brings the database to the newest shape, each step in a transaction of its own.
 * @throws JOURNAL_UNAVAILABLE when a newer program wrote it
 */
export function migrate(db: Database.Database, steps: readonly Migration[] = migrations): void {
  checkVersion(db, steps)
  const version = db.pragma('user_version', { simple: true }) as number
  for (const step of steps.filter((s) => s.version > version)) {
    db.transaction(() => {
      db.exec(step.sql)
      db.pragma(`user_version = ${step.version}`)
    }).immediate()
  }
}

/** Refuses a database from a newer program, which may keep things that this one would break. */
export function checkVersion(db: Database.Database, steps: readonly Migration[] = migrations): void {
  const version = db.pragma('user_version', { simple: true }) as number
  const newest = steps.at(-1)?.version ?? 0
  if (version > newest) {
    throw new LuongError(
      'JOURNAL_UNAVAILABLE',
      `${db.name} was written by a newer version of luong (format ${version}, this program knows ${newest})`,
      { hint: 'Install the newer version, or restore a backup from before the update.' },
    )
  }
}
